#include "screen/address.h"
#include "screen/lanes.h"
#include "screen/own.h"
#include "screen/text.h"
#include "screen/unit.h"

/* RFC 5321: 64 octets of local part, quotes and backslashes on top */
#define QUOTED_MAX  130
#define BRACKET_MAX 64

/* How many bytes the at sign that begins at `at` takes; 0 when there is none. */
static size_t at_sign(const char *text, size_t len, size_t at)
{
    static const struct {
        const char *form;
        size_t len;
    } forms[] = {{"%40", 3}, {"%2540", 5}, {"&commat;", 8}};
    if (text[at] == '@')
        return 1;
    if (text[at] != '%' && text[at] != '&')
        return 0;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (len - at >= forms[i].len && memcmp(text + at, forms[i].form, forms[i].len) == 0)
            return forms[i].len;
    if (text[at] != '&' || len - at < 4 || text[at + 1] != '#')
        return 0;
    /* browsers take the entity without its ';' too */
    size_t p = at + 2;
    const char *digits = text_lower(text[p]) == 'x' ? "40" : "64";
    if (digits[0] == '4')
        p++;
    while (p < len && text[p] == '0')
        p++;
    if (len - p < 2 || memcmp(text + p, digits, 2) != 0)
        return 0;
    p += 2;
    if (p < len && (digits[0] == '4' ? text_hex(text[p]) >= 0 : text_is_digit(text[p])))
        return 0;
    return p - at + (p < len && text[p] == ';');
}

/* Spaces and punctuation beyond ASCII, which no address contains. What is invisible does not part an address.
 */
static bool parts_words(unsigned code)
{
    if (code <= 0xA0 || code == 0xAB || code == 0xB7 || code == 0xBB || code == 0xBF || code == 0xA1)
        return true;
    if (code >= 0x2000 && code <= 0x205F)
        return !((code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E));
    return (code >= 0x3000 && code <= 0x301F) || (code >= 0xFF01 && code <= 0xFF0F) ||
           (code >= 0xFF1A && code <= 0xFF20) || (code >= 0xFF3B && code <= 0xFF3D) ||
           (code >= 0xFF5B && code <= 0xFF65);
}

static bool is_word(unsigned code)
{
    if (code >= 0x80)
        return !parts_words(code);
    return text_is_letter((char)code) || text_is_digit((char)code);
}

static bool is_local(unsigned code)
{
    return is_word(code) || (code > 0 && code < 0x80 && strchr("._-+%", (int)code)) || own_is_wrap(code);
}

struct run {
    size_t start;
    size_t end;
    bool letter; /* a letter is in it */
};

static bool is_letter(unsigned code)
{
    return code >= 0x80 || text_is_letter((char)code);
}

/* Back from `end` while local part characters go on. */
static struct run local_run(const char *text, size_t low, size_t end)
{
    struct run run = {.start = end, .end = end};
    while (run.start > low) {
        if (unit_is_simple_before(text, low, run.start)) {
            run.start--;
            run.letter = run.letter || text_is_letter(text[run.start]);
            continue;
        }
        struct unit unit = unit_before(text, low, run.start);
        if (!is_local(unit.code))
            break;
        run.start = unit.start;
        run.letter = run.letter || is_letter(unit.code);
    }
    return run;
}

static size_t quoted_start(const char *text, size_t low, size_t end)
{
    if (end - low < 3 || text[end - 1] != '"')
        return end;
    for (size_t p = end - 1; p > low && end - p < QUOTED_MAX; p--)
        if (text[p - 1] == '"' && (p - 1 == low || text[p - 2] != '\\'))
            return p - 1;
    return end;
}

/* The start of "user:" before a password that begins at `password` in "https://user:password@host". */
static size_t userinfo_start(const char *text, size_t low, size_t password)
{
    if (password - low < 4 || text[password - 1] != ':')
        return password;
    struct run user = local_run(text, low, password - 1);
    if (user.start == user.end || user.start - low < 2 || memcmp(text + user.start - 2, "//", 2) != 0)
        return password;
    return user.start;
}

/* Forward from `start` while domain characters go on; *trimmed becomes where its last letter or digit ends.
 */
static struct run domain_run(const char *text, size_t len, size_t start, size_t *trimmed)
{
    struct run run = {.start = start, .end = start};
    *trimmed = start;
    if (start < len && text[start] == '[') {
        size_t most = len - start < BRACKET_MAX ? len - start : BRACKET_MAX;
        const char *close = memchr(text + start, ']', most);
        if (close && close != text + start + 1) {
            *trimmed = run.end = (size_t)(close - text) + 1;
            run.letter = true;
        }
        return run;
    }
    while (run.end < len) {
        if (unit_is_simple(text[run.end])) {
            run.letter = run.letter || text_is_letter(text[run.end]);
            run.end++;
            if (text_is_letter(text[run.end - 1]) || text_is_digit(text[run.end - 1]))
                *trimmed = run.end;
            continue;
        }
        if (at_sign(text, len, run.end))
            break;
        struct unit unit = unit_at(text, len, run.end);
        bool word = is_word(unit.code);
        if (!word && unit.code != '.' && unit.code != '-' && unit.code != '_')
            break;
        run.end = unit.end;
        run.letter = run.letter || is_letter(unit.code);
        if (word)
            *trimmed = unit.end;
    }
    return run;
}

static size_t trim_start(const char *text, size_t start, size_t end)
{
    while (start < end) {
        struct unit unit = unit_at(text, end, start);
        if (unit.code != '.' && !own_is_wrap(unit.code))
            break;
        start = unit.end;
    }
    return start;
}

/* What is right of the at sign behind which `start` lies. One address that hangs on another, as in a relay's
 * a@b@c, belongs to it, so that it is nobody's own. */
struct right {
    size_t end;
    bool any;
    bool letter;
};

static struct right right_of(const char *text, size_t len, size_t start)
{
    struct right right = {.end = start};
    for (;;) {
        size_t end;
        struct run domain = domain_run(text, len, start, &end);
        right.end = end;
        right.any = right.any || end > start;
        right.letter = right.letter || domain.letter;
        size_t width = domain.end < len ? at_sign(text, len, domain.end) : 0;
        if (width == 0)
            return right;
        start = domain.end + width;
    }
}

bool address_next(const struct own_addresses *own, const char *text, size_t len, size_t from,
                  struct address *address)
{
    size_t low = from;
    for (size_t at = from; at < len;) {
        if (len - at >= LANES) {
            size_t first = lanes_first(lanes_signs(lanes_at(text + at)));
            at += first;
            if (first == LANES)
                continue;
        }
        size_t width = at_sign(text, len, at);
        if (width == 0) {
            at++;
            continue;
        }
        struct run local = local_run(text, low, at);
        size_t start = trim_start(text, local.start, at);
        if (start == at)
            start = quoted_start(text, low, at);
        low = at + width;
        if (start < at) {
            struct right right = right_of(text, len, low);
            if (right.any && (local.letter || right.letter)) {
                struct own_place place = {local.start, at, low, right.end};
                address->own = own_has(own, text, &place);
                address->start = address->own ? place.local : userinfo_start(text, from, start);
                address->end = right.end;
                return true;
            }
            low = right.end;
        }
        at = low;
    }
    return false;
}
