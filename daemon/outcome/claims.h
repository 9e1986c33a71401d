/* claims: which worker is working on a request, so that a new owner of its partition waits for what is still running
 * elsewhere instead of doing it again.
 *
 * `<request>/claim` names a worker, one life of it, and a count that a keeper thread raises every `claim_s` seconds. Whoever
 * finds another's claim looks again later; one that did not change for three times `claim_s` by the onlooker's own
 * clock is dead, and so is one of an earlier life of the same worker. A claim saves work; that nothing is published
 * twice does not rest on it. Thread-safe.
 */
#ifndef DSAR_OUTCOME_CLAIMS_H
#define DSAR_OUTCOME_CLAIMS_H

#include "base/log.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct claims;
struct claim;

struct claims_options {
    struct store *store;
    struct log *log;
    const char *worker; /* the same in each life, different for each worker: the transactional id */
    unsigned interval_s;
};

/* Starts the keeper. */
int claims_new(struct claims **claims, const struct claims_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* All claims must have been released. NULL is harmless. */
void claims_free(struct claims *claims);

/* What was last seen of another's claim on a request, kept by whoever looks again. Begins zeroed. */
struct claim_sight {
    uint64_t digest; /* of the claim's content */
    int64_t since_ms;
};

/* Claims the request. *claim is NULL when another worker has it: then *sight knows since when it has been as it is. */
int claim_take(struct claims *claims, const char *request, struct claim_sight *sight, struct claim **claim,
               struct fault *fault) __attribute__((warn_unused_result));

/* Gives it back. NULL is harmless. What goes wrong is logged: the claim then dies of age. */
void claim_release(struct claim *claim);

#endif
