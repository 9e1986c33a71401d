/* withdrawal: the store's record that a request was cancelled by whoever made it.
 *
 * It is for a request that is accepted later: whoever accepts one looks for it and ends it as `cancelled`. */
#ifndef DSAR_OUTCOME_WITHDRAWAL_H
#define DSAR_OUTCOME_WITHDRAWAL_H

#include "intake/cancellation.h"
#include "intake/request.h"
#include "outcome/origin.h"
#include "outcome/record.h"

/* Stores it durably; one that was stored before is as good. `source` is who cancels (ce_source). A withdrawal counts
 * only for a request of the same body and source; several, of which some match nothing, may lie side by side. */
int withdrawal_store(const struct records *records, const struct cancellation *cancellation,
                     const char *source, struct fault *fault) __attribute__((warn_unused_result));

/* Whether the request, asked for by `source`, was withdrawn. Durable when it says so. */
int withdrawal_find(const struct records *records, const struct request *request, const char *source,
                    bool *withdrawn, struct fault *fault) __attribute__((warn_unused_result));

#endif
