/* utf8: text that is what it says it is. */
#ifndef DSAR_BASE_UTF8_H
#define DSAR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the character at `text` takes; 0 when the bytes are no well-formed UTF-8 (Unicode 15, table
 * 3-7: no overlong forms, no surrogates, nothing above U+10FFFF) or `len` cuts the character short. */
size_t utf8_length(const char *text, size_t len);

bool utf8_is_valid(const char *text, size_t len);

#endif
