/* demo_steps: what the demo does, one step after the other, with the programs that everybody uses. */
#ifndef DSAR_DEMO_STEPS_H
#define DSAR_DEMO_STEPS_H

#include "base/cancel.h"
#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

#define DEMO_PATH_MAX 4096

struct demo {
    char dir[DEMO_PATH_MAX / 4];    /* absolute */
    char prefix[DEMO_PATH_MAX / 4]; /* where dsard is installed */
    char dsarctl[DEMO_PATH_MAX / 2];
    const struct cancel *leave; /* raised when the demo is to end */
    const char *brokers;
    const char *host_name;
    json_t *where; /* what the example host says: URLs and files of secrets */
    pid_t host;    /* its process; 0 when there is none, as the next */
    pid_t worker;
    int host_input; /* closed to end it; -1 when there is none */
    char request[64];
};

/* Makes the folder; NULL: a new one in the present folder. demo_end must be called whatever it returns. */
int demo_begin(struct demo *demo, const char *dir, const char *brokers, const struct cancel *leave,
               struct fault *fault) __attribute__((warn_unused_result));

/* Ends all processes that were started. */
void demo_end(struct demo *demo);

int demo_make_keys(const struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));
int demo_start_host(struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));
int demo_write_config(const struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));
int demo_start_worker(struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));
int demo_submit(struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));

/* Shows the events until the request has ended, and keeps the last one in DIR/event.json. */
int demo_watch(struct demo *demo, struct fault *fault) __attribute__((warn_unused_result));

int demo_find_bundle(const struct demo *demo, char path[DEMO_PATH_MAX], struct fault *fault)
    __attribute__((warn_unused_result));

/* The passphrase out of the event, as the client reads it. The caller wipes it. */
int demo_passphrase(const struct demo *demo, char *text, size_t cap, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
