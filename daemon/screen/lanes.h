/* lanes: sixteen bytes at once, with whatever vector instructions the machine has. */
#ifndef DSAR_SCREEN_LANES_H
#define DSAR_SCREEN_LANES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LANES 16

/* A comparison of lanes with a number sets all bits of those for which it holds; its type has to be cast
 * back. */
typedef unsigned char lanes __attribute__((vector_size(LANES)));

static inline lanes lanes_at(const char *text)
{
    lanes bytes;
    memcpy(&bytes, text, sizeof bytes);
    return bytes;
}

static inline bool lanes_any(lanes hits)
{
    uint64_t halves[2];
    memcpy(halves, &hits, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* The first lane that is hit, or LANES. */
static inline size_t lanes_first(lanes hits)
{
    uint64_t halves[2];
    memcpy(halves, &hits, sizeof halves);
    if (halves[0])
        return (size_t)__builtin_ctzll(le64toh(halves[0])) / 8;
    return halves[1] ? 8 + (size_t)__builtin_ctzll(le64toh(halves[1])) / 8 : LANES;
}

static inline lanes lanes_digits(lanes bytes)
{
    return (lanes)(bytes - '0' < 10);
}

/* What an at sign, in any of its forms, begins with. */
static inline lanes lanes_signs(lanes bytes)
{
    return (lanes)(bytes == '@') | (lanes)(bytes == '%') | (lanes)(bytes == '&');
}

/* What a JSON string cannot hold as it is, and the first byte of surrogates. */
static inline lanes lanes_escapes(lanes bytes)
{
    return (lanes)(bytes < 0x20) | (lanes)(bytes == '"') | (lanes)(bytes == '\\') | (lanes)(bytes == 0xED);
}

#endif
