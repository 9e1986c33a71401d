/* unit: one character of a text and the bytes that stand for it: itself, or its percent or numeric entity
 * form. */
#ifndef DSAR_SCREEN_UNIT_H
#define DSAR_SCREEN_UNIT_H

#include <stdbool.h>
#include <stddef.h>

struct unit {
    size_t start; /* in the text */
    size_t end;
    unsigned code; /* code point; a percent form beyond ASCII, a part of a character, is UNIT_PART */
    char bytes[4]; /* the character as plain UTF-8, or the one byte of a percent form */
    unsigned char n_bytes;
};

#define UNIT_PART 0xFFFDu

/* Whether a byte that begins a character is all of it, whatever follows: a letter, a digit or one of "._-".
 */
static inline bool unit_is_simple(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
}

/* The same of the byte before `at`, which is greater than `low`: it does not end a percent form. */
static inline bool unit_is_simple_before(const char *text, size_t low, size_t at)
{
    return unit_is_simple(text[at - 1]) && !(at - low >= 3 && text[at - 3] == '%');
}

/* The character that begins at `at`, which is less than `len`. `text` is UTF-8. */
struct unit unit_at(const char *text, size_t len, size_t at);

/* The character that ends at `at`, which is greater than `low`; no byte before `low` belongs to it. */
struct unit unit_before(const char *text, size_t low, size_t at);

#endif
