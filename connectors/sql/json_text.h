/* json_text: JSON as a database has it, made fit for a record without touching a digit. Its memory is wiped where
 * jansson's is (base/secret.h).
 */
#ifndef DSAR_SQL_JSON_TEXT_H
#define DSAR_SQL_JSON_TEXT_H

#include "base/buf.h"

#include <stdbool.h>

/* Whether it may stand in a record as it is: JSON without a member twice, within the protocol's depth and number of
 * members. */
bool json_text_is_strict(const char *text, size_t len);

/* Appends a text that is so, without the white space between its parts. */
int json_text_append(struct buf *buf, const char *text, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
