/* hex: bytes written as lower-case hexadecimal digits. Thread-safe. */
#ifndef DSAR_BASE_HEX_H
#define DSAR_BASE_HEX_H

#include <stddef.h>

#define HEX_SHA256_MAX 65 /* a SHA-256 digest and NUL */

/* Writes two digits a byte and NUL: `text` has room for 2 * len + 1. */
void hex_encode(const unsigned char *bytes, size_t len, char *text);

#endif
