/* ending: how a request ends without a bundle: refused, failed or cancelled. Thread-safe. */
#ifndef DSAR_OUTCOME_ENDING_H
#define DSAR_OUTCOME_ENDING_H

#include "intake/request.h"
#include "outcome/exporter.h"
#include "outcome/receipt.h"

/* What is known of the request; all borrowed. */
struct ending {
    const char *request;
    const unsigned char *body_sha256; /* 32 bytes */
    const struct origin *origin;
    int64_t due_unix_s;
};

struct ending ending_of(const struct request *request, const struct origin *origin);

/* Ends it with EVENT_REFUSED or EVENT_FAILED, and says why, unless it has ended already: *receipt (the caller's) is what
 * counts. Codes as those of receipt_take. */
int ending_take(const struct ending *ending, const struct exporter *exporter, enum event_type type,
                const struct fault *why, struct receipt **receipt, struct fault *fault)
    __attribute__((warn_unused_result));

/* The same with EVENT_CANCELLED, for a request that was withdrawn. */
int ending_withdraw(const struct ending *ending, const struct exporter *exporter, struct receipt **receipt,
                    struct fault *fault) __attribute__((warn_unused_result));

#endif
