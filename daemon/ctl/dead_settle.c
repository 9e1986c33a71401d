#include "base/clock.h"
#include "ctl/dead.h"
#include "ctl/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CALL_MS  5000
#define AGAIN_MS 200
#define TRY_MS   30000

/* Whoever reads the topics is held up by a transaction, so it is kept short. */
#define BATCH_MAX       100
#define BATCH_BYTES_MAX (8 * 1024 * 1024)
#define BATCH_MS        1000

/* Letters on their way out of the topic, some in one transaction. */
struct settling {
    struct dead_options *options;
    enum dead_state outcome;
    rd_kafka_t *producer;
    char target[DEAD_TOPIC_LEN + 1]; /* the topic that was last sent to */
    int n_partitions;                /* of the target */
    bool open;                       /* a transaction is, since: */
    int64_t opened_ms;
    size_t n_open; /* letters in it */
    size_t open_bytes;
    size_t n_done;
    size_t n_before; /* settled earlier */
    size_t n_not_kept;
};

/* --- transactions --- */

typedef rd_kafka_error_t *call(rd_kafka_t *producer, int timeout_ms);

/* Makes a call until it no longer fails with what another try may mend, or for too long. */
static int persist(rd_kafka_t *producer, call *make, struct fault *fault)
{
    int64_t until_ms = clock_now_ms() + TRY_MS;
    for (;;) {
        rd_kafka_error_t *error = make(producer, CALL_MS);
        if (!error)
            return 0;
        bool again = rd_kafka_error_is_retriable(error) && clock_now_ms() < until_ms;
        fault_retry(fault, "kafka", "transaction: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        if (!again)
            return -1;
        rd_kafka_poll(producer, AGAIN_MS);
    }
}

/* Messages of former transactions that the one who reads finds undecided are decided when this returns, and whoever
 * began one with the same id can no longer end it: what is read from now on is all that was settled. */
static int open_producer(struct settling *settling, struct client_opaque *opaque, struct fault *fault)
{
    const char *const properties[][2] = {{"transactional.id", settling->options->transactional_id},
                                         {"transaction.timeout.ms", "30000"},
                                         {"message.timeout.ms", "20000"},
                                         {NULL, NULL}};
    settling->producer =
        ctl_kafka_client(&settling->options->kafka, RD_KAFKA_PRODUCER, opaque, properties, NULL, fault);
    return settling->producer ? persist(settling->producer, rd_kafka_init_transactions, fault) : -1;
}

static int begin(struct settling *settling, struct fault *fault)
{
    if (settling->open)
        return 0;
    rd_kafka_error_t *error = rd_kafka_begin_transaction(settling->producer);
    if (error) {
        fault_retry(fault, "kafka", "transaction: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return -1;
    }
    settling->open = true;
    settling->opened_ms = clock_now_ms();
    return 0;
}

static int commit(struct settling *settling, struct fault *fault)
{
    if (!settling->open)
        return 0;
    if (persist(settling->producer, rd_kafka_commit_transaction, fault))
        return -1;
    settling->n_done += settling->n_open;
    settling->n_open = settling->open_bytes = 0;
    settling->open = false;
    return 0;
}

static bool is_due(const struct settling *settling)
{
    return settling->open && (settling->n_open >= BATCH_MAX || settling->open_bytes >= BATCH_BYTES_MAX ||
                              clock_now_ms() - settling->opened_ms >= BATCH_MS);
}

/* --- letters --- */

/* Also fetches what the producer must know of the topic: librdkafka before 2.10.1 waits for a second otherwise. */
static int aim(struct settling *settling, const char *topic, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *partitions;
    if (strcmp(settling->target, topic) == 0)
        return 0;
    if (ctl_kafka_partitions(&partitions, settling->producer, topic, fault))
        return -1;
    settling->n_partitions = partitions->cnt;
    rd_kafka_topic_partition_list_destroy(partitions);
    snprintf(settling->target, sizeof settling->target, "%s", topic);
    return 0;
}

static int send_message(struct settling *settling, struct outgoing *message, struct fault *fault)
{
    int result = message ? outgoing_produce(message, settling->producer, fault) : -1;
    outgoing_free(message);
    return result;
}

/* Back to its own partition: the sender may have chosen it by another rule than ours, and a request's cancellation is
 * looked for where the request is. */
static int send_original(struct settling *settling, const struct dead_facts *facts,
                         const rd_kafka_message_t *letter, struct fault *fault)
{
    const char *to = settling->options->to;
    struct outgoing *original = dead_original(letter, settling->target, fault);
    if (original && !to && facts->partition < settling->n_partitions)
        original->partition = facts->partition;
    return send_message(settling, original, fault);
}

static int replay(struct settling *settling, const struct dead_facts *facts, const rd_kafka_message_t *letter,
                  struct fault *fault)
{
    const char *to = settling->options->to;
    if (!to && !*facts->topic)
        return fault_set(fault, "no_topic",
                         "letter %" PRId32 "/%" PRId64
                         " does not say where it came from: say where to with --to",
                         facts->place.partition, facts->place.offset);
    return aim(settling, to ? to : facts->topic, fault) || begin(settling, fault) ||
                   send_original(settling, facts, letter, fault)
               ? -1
               : 0;
}

static int settle_letter(void *ctx, const struct dead_facts *facts, const rd_kafka_message_t *letter,
                         struct fault *fault)
{
    struct settling *settling = ctx;
    const struct dead_marker marker = {.place = facts->place, .state = settling->outcome};
    if (is_due(settling) && commit(settling, fault))
        return -1;
    if (!dead_selected(&settling->options->selection, facts))
        return 0;
    if (facts->state != DEAD_OPEN) {
        settling->n_before++;
        return 0;
    }
    if (settling->outcome == DEAD_REPLAYED && !facts->kept) {
        fprintf(stderr,
                "dsarctl dead replay: letter %" PRId32 "/%" PRId64 " cannot be replayed: its %" PRId64
                " bytes were too many to be kept\n",
                facts->place.partition, facts->place.offset, facts->bytes);
        settling->n_not_kept++;
        return 0;
    }
    if (settling->outcome == DEAD_REPLAYED && replay(settling, facts, letter, fault))
        return -1;
    if (begin(settling, fault) ||
        send_message(settling, dead_marker(settling->options->topic, &marker, fault), fault))
        return -1;
    settling->n_open++;
    settling->open_bytes += letter->len;
    return 0;
}

/* --- the whole --- */

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void print_counts(const struct settling *settling)
{
    printf("%zu letter%s %s, %zu %s settled before", settling->n_done, plural(settling->n_done),
           dead_state_name(settling->outcome), settling->n_before, settling->n_before == 1 ? "was" : "were");
    if (settling->n_not_kept)
        printf(", %zu cannot be replayed", settling->n_not_kept);
    putchar('\n');
}

/* Says what became of the letters of the transaction that failed. */
static int give_up(struct settling *settling, struct fault *fault)
{
    struct fault ignored;
    char text[256];
    if (settling->producer &&
        rd_kafka_fatal_error(settling->producer, text, sizeof text) == RD_KAFKA_RESP_ERR__FENCED)
        return fault_retry(
            fault, "fenced",
            "another replay or drop with transactional id %s began meanwhile and ended this one",
            settling->options->transactional_id);
    if (settling->open && persist(settling->producer, rd_kafka_abort_transaction, &ignored))
        return fault_prefix(fault, "%zu letter%s may be settled or not, the next replay or drop will know",
                            settling->n_open, plural(settling->n_open));
    return -1;
}

static int settle(struct dead_options *options, enum dead_state outcome, struct fault *fault)
{
    struct client_opaque opaque = {.name = "producer"};
    struct settling settling = {.options = options, .outcome = outcome};
    int result =
        open_producer(&settling, &opaque, fault) ||
                dead_letters_read(&options->kafka, options->topic, settle_letter, &settling, fault) ||
                commit(&settling, fault)
            ? give_up(&settling, fault)
            : 0;
    if (result == 0 || settling.n_done)
        print_counts(&settling);
    if (result == 0 && settling.n_not_kept)
        result = fault_set(fault, "not_kept",
                           "not everything was replayed: what was not kept has to be sent again");
    if (settling.producer)
        rd_kafka_destroy(settling.producer);
    return result;
}

int dead_replay(struct dead_options *options, struct fault *fault)
{
    return settle(options, DEAD_REPLAYED, fault);
}

int dead_drop(struct dead_options *options, struct fault *fault)
{
    return settle(options, DEAD_DROPPED, fault);
}
