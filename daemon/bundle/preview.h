/* preview: the first records of a collection, kept for the report.
 *
 * What is kept is whole records, exactly as they left, in secret memory. One budget bounds what all previews
 * of a request keep together.
 */
#ifndef DSAR_BUNDLE_PREVIEW_H
#define DSAR_BUNDLE_PREVIEW_H

#include "base/fault.h"

#include <stdatomic.h>
#include <stddef.h>

#define PREVIEW_BYTES_MAX    65536             /* a collection */
#define PREVIEW_RECORDS_MAX  100               /* a collection */
#define PREVIEW_BUDGET_BYTES (4 * 1024 * 1024) /* a request */

struct preview_budget {
    atomic_size_t left_bytes;
};

/* Thread-safe from then on; outlives every preview that was made with it. */
void preview_budget_init(struct preview_budget *budget, size_t bytes);

struct preview;

int preview_new(struct preview **preview, struct preview_budget *budget, struct fault *fault)
    __attribute__((warn_unused_result));

/* Wipes, and gives its bytes back to the budget. NULL is harmless. */
void preview_free(struct preview *preview);

/* Shows it the next filtered bytes: JSON objects, each on one line; brackets and commas round them are left
 * out. Keeps whole records until one does not fit, then no more. `preview` is a void pointer so that this is
 * an entry_filter.seen. One thread at a time. */
void preview_seen(void *preview, const char *data, size_t len);

size_t preview_n_records(const struct preview *preview);

/* The text of record `i` (< preview_n_records): one JSON object. Valid until the preview is freed; may be
 * read by several threads at once when the feeding has ended. */
void preview_record(const struct preview *preview, size_t i, const char **record, size_t *len);

#endif
