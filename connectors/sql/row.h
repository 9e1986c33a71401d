/* row: one row as a JSON object, the columns its members.
 *
 * Numbers are the database's digits; what it calls a number and JSON does not (NaN) is text; texts are UTF-8 with
 * U+FFFD for what was none, and for NUL; blobs are base64 (RFC 4648); JSON is itself (json_text.h); NULL is null.
 */
#ifndef DSAR_SQL_ROW_H
#define DSAR_SQL_ROW_H

#include "base/buf.h"
#include "query.h"

/* Writes the present row of `query` into the empty `buf`, without the columns that the array of names `omit` (or
 * NULL) lists. Fails with "too_large" when `buf` cannot take it. */
int row_write(struct buf *buf, const struct query *query, const json_t *omit, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
