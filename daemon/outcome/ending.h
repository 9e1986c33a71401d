/* ending: how a request ends without a bundle: refused, failed or cancelled. Thread-safe. */
#ifndef DSAR_OUTCOME_ENDING_H
#define DSAR_OUTCOME_ENDING_H

#include "intake/request.h"
#include "outcome/exporter.h"
#include "outcome/receipt.h"

/* Ends a request with EVENT_REFUSED or EVENT_FAILED, and says why, unless it has ended already: *receipt (the caller's) is
 * what counts, as with receipt_take. */
int ending_take(const struct exporter *exporter, const struct request *request, const struct origin *origin,
                enum event_type type, const struct fault *why, struct receipt **receipt, struct fault *fault)
    __attribute__((warn_unused_result));

/* The same with EVENT_CANCELLED, for a request that was withdrawn: `sha256` are the 32 bytes of its body's digest. */
int ending_withdraw(const struct exporter *exporter, const char *request, const unsigned char *sha256,
                    const struct origin *origin, struct receipt **receipt, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
