#include "screen/unit.h"
#include "screen/text.h"

/* "&#x0010FFFF;" and as many zeros more as anybody writes */
#define ENTITY_MAX 16

static bool percent_at(const char *text, size_t len, size_t at, struct unit *unit)
{
    if (text[at] != '%' || len - at < 3 || text_hex(text[at + 1]) < 0 || text_hex(text[at + 2]) < 0)
        return false;
    unsigned byte = (unsigned)text_hex(text[at + 1]) << 4 | (unsigned)text_hex(text[at + 2]);
    *unit = (struct unit){.start = at, .end = at + 3, .code = byte < 0x80 ? byte : UNIT_PART, .n_bytes = 1};
    unit->bytes[0] = (char)byte;
    return true;
}

static bool entity_at(const char *text, size_t len, size_t at, struct unit *unit)
{
    if (text[at] != '&' || len - at < 4 || text[at + 1] != '#')
        return false;
    size_t p = at + 2;
    unsigned base = text_lower(text[p]) == 'x' ? 16 : 10;
    if (base == 16)
        p++;
    size_t digits = p;
    unsigned code = 0;
    for (; p < len && p - at < ENTITY_MAX; p++) {
        int digit = text_hex(text[p]);
        if (digit < 0 || (unsigned)digit >= base)
            break;
        code = code * base + (unsigned)digit;
        if (code > 0x10FFFF)
            return false;
    }
    if (p == digits || p == len || text[p] != ';')
        return false;
    *unit = (struct unit){.start = at, .end = p + 1, .code = code};
    unit->n_bytes = (unsigned char)text_put_code(code, unit->bytes);
    return true;
}

static struct unit plain(const char *text, size_t at)
{
    struct unit unit = {.start = at};
    size_t width;
    unit.code = text_code_at(text + at, &width);
    unit.end = at + width;
    unit.n_bytes = (unsigned char)width;
    memcpy(unit.bytes, text + at, width);
    return unit;
}

struct unit unit_at(const char *text, size_t len, size_t at)
{
    struct unit unit;
    if (percent_at(text, len, at, &unit) || entity_at(text, len, at, &unit))
        return unit;
    return plain(text, at);
}

struct unit unit_before(const char *text, size_t low, size_t at)
{
    struct unit unit;
    if (at - low >= 3 && percent_at(text, at, at - 3, &unit))
        return unit;
    if (text[at - 1] == ';')
        for (size_t p = at - 1; p > low && at - p < ENTITY_MAX; p--)
            if (text[p - 1] == '&') {
                if (entity_at(text, at, p - 1, &unit) && unit.end == at)
                    return unit;
                break;
            }
    size_t start = at - 1;
    while (start > low && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    return plain(text, start);
}
