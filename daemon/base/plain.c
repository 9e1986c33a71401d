#include "base/plain.h"

#include "base/utf8.h"

#include <stdint.h>

struct range {
    uint32_t first;
    uint32_t last;
};

static const struct range blanks[] = {
    {0x9, 0xd},        {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0xad, 0xad},
    {0x61c, 0x61c},    {0x115f, 0x1160}, {0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180e, 0x180e},
    {0x2000, 0x200f},  {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000},
    {0x3164, 0x3164},  {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}};

/* Blanks too, but for those that stand behind another character: they say how it looks. */
static const struct range modifiers[] = {
    {0x34f, 0x34f}, {0x180b, 0x180d}, {0x180f, 0x180f}, {0xfe00, 0xfe0f}, {0xe0000, 0xe0fff}};

static const struct range never[] = {
    {0x0, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x2029}, {0x202a, 0x202e}, {0x2066, 0x2069}};

#define IS_ONE_OF(ranges, code) is_in(ranges, sizeof(ranges) / sizeof *(ranges), code)

static bool is_in(const struct range *ranges, size_t n_ranges, uint32_t code)
{
    for (size_t i = 0; i < n_ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* The code point of a well-formed character. */
static uint32_t code_of(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    uint32_t code = len == 1 ? s[0] : s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++)
        code = code << 6 | (s[i] & 0x3fu);
    return code;
}

bool plain_is(const char *text, size_t len)
{
    bool ends_blank = true;
    for (size_t at = 0, step; at < len; at += step) {
        step = utf8_length(text + at, len - at);
        if (step == 0)
            return false;
        uint32_t code = code_of(text + at, step);
        ends_blank = IS_ONE_OF(blanks, code) || (ends_blank && IS_ONE_OF(modifiers, code));
        if (IS_ONE_OF(never, code) || (at == 0 && ends_blank))
            return false;
    }
    return !ends_blank;
}

bool plain_is_blank(const char *text, size_t len)
{
    for (size_t step; len > 0; text += step, len -= step) {
        step = utf8_length(text, len);
        uint32_t code = step ? code_of(text, step) : 0;
        if (!IS_ONE_OF(blanks, code) && !IS_ONE_OF(modifiers, code))
            return false;
    }
    return true;
}
