/* hex: bytes written as lower-case hexadecimal digits. Thread-safe. */
#ifndef DSAR_BASE_HEX_H
#define DSAR_BASE_HEX_H

#include <stddef.h>

#define HEX_SHA256_MAX 65 /* a SHA-256 digest and NUL */

/* Writes two digits a byte and NUL: `text` has room for 2 * len + 1. */
void hex_encode(const unsigned char *bytes, size_t len, char *text);

/* Reads `len` bytes out of a text of exactly 2 * len lower-case digits; -1 when it is anything else, and the
 * bytes are undefined. */
int hex_decode(const char *text, unsigned char *bytes, size_t len) __attribute__((warn_unused_result));

#endif
