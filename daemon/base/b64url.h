/* b64url: base64url without padding (RFC 4648 section 5), read strictly: one text for one run of bytes.
 * Thread-safe. */
#ifndef DSAR_BASE_B64URL_H
#define DSAR_BASE_B64URL_H

#include "base/buf.h"
#include "base/fault.h"

#include <stddef.h>

/* Appends what the `len` characters of `text` stand for. Padding, other alphabets, white space and left-over
 * bits that are not zero are refused with code "bad_base64". */
int b64url_decode(struct buf *out, const char *text, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* Appends `len` bytes of `data` as text. */
int b64url_encode(struct buf *out, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
