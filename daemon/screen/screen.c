#include "screen/screen.h"
#include "screen/tally.h"
#include "screen/text.h"
#include "screen/walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct screen {
    struct walk_options options;
    pthread_mutex_t lock; /* of `tally` */
    struct tally tally;
};

int screen_new(struct screen **screen, const struct screen_options *options, struct fault *fault)
{
    struct screen *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for the screen of a collection");
    made->options.classes = options->classes;
    made->options.own = options->own;
    if (getrandom(&made->options.seed, sizeof made->options.seed, 0) != sizeof made->options.seed) {
        free(made);
        return fault_errno(fault, "no_random", errno, "no random bytes");
    }
    int error = pthread_mutex_init(&made->lock, NULL);
    if (error) {
        free(made);
        return fault_errno(fault, "no_memory", error, "a lock for the screen of a collection");
    }
    *screen = made;
    return 0;
}

void screen_free(struct screen *screen)
{
    if (!screen)
        return;
    pthread_mutex_destroy(&screen->lock);
    free(screen);
}

/* The number of the record, from 1, in which the byte at `at` lies. */
static size_t record_of(const char *data, size_t at)
{
    size_t number = 1;
    for (size_t i = 0; i < at; i++)
        number += data[i] == '\n';
    return number;
}

int screen_records(struct screen *screen, const char *data, size_t len, char *out, size_t out_cap,
                   size_t *out_len, struct fault *fault)
{
    *out_len = 0;
    size_t valid = text_check_utf8(data, len);
    if (valid < len)
        return fault_set(fault, "bad_record", "record %zu: not UTF-8", record_of(data, valid));
    struct writer writer = {.data = out, .cap = out_cap};
    struct tally tally = {0};
    if (walk_records(&screen->options, data, len, &writer, &tally, fault))
        return -1;
    pthread_mutex_lock(&screen->lock);
    tally_merge(&screen->tally, &tally);
    pthread_mutex_unlock(&screen->lock);
    *out_len = writer.len;
    return 0;
}

int screen_tally(const struct screen *screen, struct ledger *ledger, const char *collection,
                 struct fault *fault)
{
    /* counting goes on in other threads, and only the lock is written to */
    struct screen *locked = (struct screen *)(uintptr_t)screen;
    pthread_mutex_lock(&locked->lock);
    const struct tally tally = screen->tally;
    pthread_mutex_unlock(&locked->lock);
    return tally_report(&tally, ledger, collection, fault);
}
