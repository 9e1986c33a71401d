/* attempt: one try to answer one request: gather, seal, store, receipt. */
#ifndef DSAR_OUTCOME_ATTEMPT_H
#define DSAR_OUTCOME_ATTEMPT_H

#include "base/cancel.h"
#include "intake/request.h"
#include "outcome/exporter.h"
#include "outcome/receipt.h"

struct attempt {
    struct exporter *exporter;
    const struct request *request;
    const struct origin *origin;
    const struct cancel *cancel;
    /* Is told, from several threads at once, that `n_done` of `n_sources` sources have answered. May be NULL.
     */
    void (*progress_cb)(void *ctx, size_t n_done, size_t n_sources);
    void *ctx;
};

/* Makes the bundle and stores it, then its receipt: both are durable when this returns 0, and *receipt (the
 * caller's) says what is to be published. A request that cannot be answered (more than one person fits)
 * leaves a receipt too. -1: nothing is to be published. "cancelled", or a fault of our own side (no disk, no
 * memory): to be tried again. Each attempt has a passphrase and a name of its own; a failed one leaves at
 * most a bundle that no receipt names. */
int attempt_run(const struct attempt *attempt, struct receipt **receipt, struct fault *fault)
    __attribute__((warn_unused_result));

/* Stores a receipt for a request that ends without a bundle: EVENT_REFUSED or EVENT_FAILED, and why. */
int attempt_end(struct exporter *exporter, const struct request *request, const struct origin *origin,
                enum event_type type, const struct fault *why, struct receipt **receipt, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
