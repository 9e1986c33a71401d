/* parts: what one request makes of its sources: each source's part, and what both passes share. For this room only. */
#ifndef DSAR_GATHER_PARTS_H
#define DSAR_GATHER_PARTS_H

#include "gather/gather.h"
#include "gather/identities.h"
#include "gather/session.h"
#include "screen/screen.h"

#include <pthread.h>
#include <stdatomic.h>

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
    pthread_mutex_t lock; /* of withheld and fault */
    struct fault fault;   /* the first that ends the request as a whole */
    atomic_bool ended;
    atomic_size_t n_done;
};

/* Ends the request as a whole; the first fault counts. Thread-safe. */
void parts_end(struct gather *gather, const struct fault *fault);

/* Waits before try number `tried` + 1: doubled each time, half of it by chance, and never less than the source asked for
 * as long as that is within the longest pause. False when there is no other try. */
bool parts_pause(const struct gather *gather, unsigned tried, int64_t asked_ms);

struct session_options parts_session(const struct gather *gather);

void part_log_try(const struct part *part, unsigned tried, const char *what, const struct fault *fault);

/* Whether a list of the request's scope lets `name` through: an empty one lets all. */
bool parts_in_scope(const struct request_names *scope, const char *name);

/* Pass one (who.c): asks the sources who the person is, until nothing new comes. */
int who_is_it(struct gather *gather, struct fault *fault) __attribute__((warn_unused_result));

/* Pass two (what.c): asks them all for what they hold. What ends the request is in gather->fault. */
void what_is_held(struct gather *gather);

#endif
