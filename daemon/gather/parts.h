/* parts: what one request makes of its sources: each source's part, and what both passes share. For this room only. */
#ifndef DSAR_GATHER_PARTS_H
#define DSAR_GATHER_PARTS_H

#include "gather/gather.h"
#include "gather/identities.h"
#include "gather/session.h"
#include "screen/screen.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

struct part {
    struct gather *gather;
    struct catalog_source *source;
    struct source_result *result; /* its place in the gather's result */
    bool in_scope;
    bool *asked;                  /* for each collection: within the scope and its needs are met */
    json_t *told;                 /* what it was told in the last wave */
    json_t *to_tell;              /* what it is to be told in this one; NULL when there is nothing new */
    bool resolve_failed;          /* what it yields may be missing */
    struct fault why;             /* why it failed */
    int64_t retry_after_ms;       /* what it asked for at the last try */
    const struct part *waits_for; /* who did not answer, so that what this source yields may be missing:
                                     itself, or another */
};

struct gather {
    const struct gather_options *options;
    struct identities *identities;
    struct own_addresses *own;
    struct part *parts;
    size_t n_parts;
    struct ledger *withheld;
    struct cancel *cancel; /* below the caller's: also raised when the request ends as a whole */
    pthread_mutex_t lock;  /* of what follows, and of withheld */
    bool ended;
    struct fault fault; /* the first that ends the request as a whole */
    atomic_size_t n_done;
};

/* Ends the request as a whole, and with it what all parts are doing; the first fault counts. Thread-safe. */
void parts_end(struct gather *gather, const struct fault *fault);

/* -1 with the fault that ended the request as a whole, or "cancelled". For when no part is at work. */
int parts_check(const struct gather *gather, struct fault *fault) __attribute__((warn_unused_result));

struct session_options parts_session(const struct gather *gather);

/* Waits before try number `tried` + 1: doubled each time, half of it by chance, and never less than the source asked for.
 * False when there is no other try: all are used up, the source is to be left alone, the request is cancelled, or the source
 * asked for more than the longest pause. A worker does not sit and wait for so long: what it asked for is in the result, and
 * the request can be put off. */
bool part_pause(const struct part *part, unsigned tried);

/* What a try that failed tells of the source: a failure that may pass is its own, unless it is one of ours. */
enum breaker_verdict part_verdict(const struct fault *fault);

void part_log_try(const struct part *part, unsigned tried, const char *what, const struct fault *fault);

/* Whether a list of the request's scope lets `name` through: an empty one lets all. */
bool parts_in_scope(const struct request_names *scope, const char *name);

/* Pass one (who.c): asks the sources who the person is, until nothing new comes. */
int who_is_it(struct gather *gather, struct fault *fault) __attribute__((warn_unused_result));

/* Pass two (what.c): asks them all for what they hold. What ends the request is in gather->fault. */
void what_is_held(struct gather *gather);

#endif
