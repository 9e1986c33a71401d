/* strict_json: JSON text that came from elsewhere, read as an object. Thread-safe. */
#ifndef DSAR_BASE_STRICT_JSON_H
#define DSAR_BASE_STRICT_JSON_H

#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>

/* Reads the `len` bytes of `text`, which must be one JSON object (RFC 8259) in UTF-8, without a name that
 * stands twice in an object, without U+0000 in strings, with integers of at most 64 bits. `*object` is a new
 * reference, NULL on failure.
 *
 * Codes: "bad_json"; the text says the line and what was expected, never what stands there, as jansson's own
 * error texts do. "no_memory" (retryable), as far as jansson tells it from a bad text. */
int strict_json_read(json_t **object, const void *text, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
