/* row: one row as a JSON object, the columns its members.
 *
 * Integers are exact to 64 bits; reals are the shortest decimal that reads back as the same double, with a
 * point or an exponent, infinite ones null; texts are UTF-8 with U+FFFD for what was none, and for NUL; blobs
 * are base64 (RFC 4648); NULL is null.
 */
#ifndef DSAR_SQL_ROW_H
#define DSAR_SQL_ROW_H

#include "base/buf.h"
#include "query.h"

/* Appends the present row of `query` without the columns that the array of names `omit` (or NULL) lists.
 * Fails with "too_large" when `buf` cannot take it. */
int row_append(struct buf *buf, const struct query *query, const json_t *omit, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
