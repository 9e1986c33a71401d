/* attempt: one try to answer one request: gather, seal, store, receipt. */
#ifndef DSAR_OUTCOME_ATTEMPT_H
#define DSAR_OUTCOME_ATTEMPT_H

#include "base/cancel.h"
#include "intake/request.h"
#include "outcome/exporter.h"
#include "outcome/receipt.h"

/* What an attempt makes of sources that did not answer. */
enum attempt_gaps {
    GAPS_RETRIED,  /* those that may answer some time later end the attempt, with "sources_unavailable" */
    GAPS_FINAL,    /* they are named in the bundle; but if none answered at all, "no_source_answered" */
    GAPS_ACCEPTED, /* they are named in the bundle, whatever is left */
};

struct attempt {
    struct exporter *exporter;
    const struct request *request;
    const struct origin *origin;
    enum attempt_gaps gaps;
    const struct cancel *cancel;
    /* Is told, from several threads at once, that `n_done` of `n_sources` sources have answered. May be NULL.
     */
    void (*progress_cb)(void *ctx, size_t n_done, size_t n_sources);
    void *ctx;
};

/* Makes the bundle and stores it, then its receipt: both are durable when this returns 0, and *receipt (the
 * caller's) says what is to be published: if the request has ended meanwhile, that, and the bundle is removed. A
 * request that cannot be answered (more than one person fits) leaves a receipt too. -1: nothing is to be published: "cancelled"; what `gaps` says; or a fault of our own side (no
 * disk, no memory): to be tried again. *retry_after_ms is how long the sources ask to be left alone, 0 when they do not
 * say. Each attempt has a passphrase and a name of its own; a failed one leaves at
 * most a bundle that no receipt names, or both when only the last sync of the receipt failed. */
int attempt_run(const struct attempt *attempt, struct receipt **receipt, int64_t *retry_after_ms,
                struct fault *fault) __attribute__((warn_unused_result));

#endif
