/* text: the inside of JSON strings (RFC 8259) and its UTF-8 (RFC 3629). Everything here is thread-safe. */
#ifndef DSAR_SCREEN_TEXT_H
#define DSAR_SCREEN_TEXT_H

#include "screen/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The offset of the first byte that is not UTF-8 (overlong forms and surrogates are not), or `len`. */
size_t text_check_utf8(const char *data, size_t len);

/* The code point whose bytes begin at `text`, which is checked UTF-8 or what text_decode gave; *width becomes
 * how many bytes it has. */
unsigned text_code_at(const char *text, size_t *width);

/* Writes a code point below 0x110000 as UTF-8 and returns how many bytes it took. A surrogate becomes three
 * bytes. */
size_t text_put_code(unsigned code, char bytes[4]);

/* The value of a hexadecimal digit, or -1. */
int text_hex(char c);

static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool text_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char text_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    return c;
}

/* How long the string is whose first byte behind the opening quote is `raw`: up to its closing quote, which
 * must be there before `end`. */
size_t text_raw_len(const char *raw, const char *end);

/* Resolves the escapes of a string whose syntax was checked. `text` has room for `len` bytes; the result,
 * whose length is returned, never needs more. Half a surrogate pair, which has no UTF-8, becomes three bytes
 * as if it had; text_encode turns them back. */
size_t text_decode(const char *raw, size_t len, char *text);

/* Writes text as the inside of a JSON string: escapes only what must be, in the short form where there is
 * one. Never longer than the raw string that text_decode made it from. */
void text_encode(const char *text, size_t len, struct writer *writer);

#endif
