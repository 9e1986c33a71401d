/* report_fields: the values of one JSON record, flattened for reading. */
#ifndef DSAR_BUNDLE_REPORT_FIELDS_H
#define DSAR_BUNDLE_REPORT_FIELDS_H

#include "base/fault.h"

#include <stddef.h>

#define REPORT_PATH_MAX  256
#define REPORT_DEPTH_MAX 128

enum field_kind {
    FIELD_TEXT,
    FIELD_NUMBER, /* digit for digit as it stands in the record */
    FIELD_TRUE,
    FIELD_FALSE,
    FIELD_EMPTY, /* null, "", {} or [] */
};

struct report_field {
    /* The keys that lead to the value, joined with " › ": `address › city`, `items › 2 › price`; elements are
     * counted from 1. Values that stand directly in an array have the array's path. Cut at REPORT_PATH_MAX
     * with "…". */
    const char *path;
    size_t path_len;
    enum field_kind kind;
    const char *text; /* UTF-8, unescaped, may hold any character; of FIELD_TEXT and FIELD_NUMBER alone */
    size_t len;
};

struct report_fields; /* what reads records, in secret memory; one thread at a time */

int report_fields_new(struct report_fields **fields, struct fault *fault) __attribute__((warn_unused_result));
void report_fields_free(struct report_fields *fields);

/* Calls `field_cb` for each value of the record, in its order. What the field points to is valid during the
 * call. Fails with "bad_record" when `record` is not a JSON object of at most PREVIEW_BYTES_MAX bytes and
 * REPORT_DEPTH_MAX levels. */
int report_fields_walk(struct report_fields *fields, const char *record, size_t len,
                       void (*field_cb)(void *ctx, const struct report_field *field), void *ctx,
                       struct fault *fault) __attribute__((warn_unused_result));

#endif
