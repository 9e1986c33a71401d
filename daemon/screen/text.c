#include "screen/text.h"
#include "screen/lanes.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

static size_t skip_ascii(const char *data, size_t len, size_t at)
{
    for (uint64_t eight; len - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, data + at, sizeof eight);
        if (eight & HIGH_BITS)
            break;
    }
    while (at < len && (unsigned char)data[at] < 0x80)
        at++;
    return at;
}

/* How many bytes the valid sequence at `s` has, which begins with 0x80 or more; 0 when there is none. The
 * bounds of the second byte are those of RFC 3629, section 4. */
static size_t sequence(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t width;
    if (s[0] >= 0xC2 && s[0] <= 0xDF)
        width = 2;
    else if (s[0] >= 0xE0 && s[0] <= 0xEF)
        width = 3;
    else if (s[0] >= 0xF0 && s[0] <= 0xF4)
        width = 4;
    else
        return 0;
    switch (s[0]) {
    case 0xE0: low = 0xA0; break;
    case 0xED: high = 0x9F; break;
    case 0xF0: low = 0x90; break;
    case 0xF4: high = 0x8F; break;
    default: break;
    }
    if (left < width || s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < width; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return width;
}

size_t text_check_utf8(const char *data, size_t len)
{
    size_t at = 0;
    while ((at = skip_ascii(data, len, at)) < len) {
        size_t width;
        do {
            width = sequence((const unsigned char *)data + at, len - at);
            if (width == 0)
                return at;
            at += width;
        } while (at < len && (unsigned char)data[at] >= 0x80);
    }
    return len;
}

unsigned text_code_at(const char *text, size_t *width)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) {
        *width = 1;
        return s[0];
    }
    if (s[0] < 0xE0) {
        *width = 2;
        return (s[0] & 0x1Fu) << 6 | (s[1] & 0x3Fu);
    }
    if (s[0] < 0xF0) {
        *width = 3;
        return (s[0] & 0x0Fu) << 12 | (s[1] & 0x3Fu) << 6 | (s[2] & 0x3Fu);
    }
    *width = 4;
    return (s[0] & 0x07u) << 18 | (s[1] & 0x3Fu) << 12 | (s[2] & 0x3Fu) << 6 | (s[3] & 0x3Fu);
}

size_t text_put_code(unsigned code, char bytes[4])
{
    if (code < 0x80) {
        bytes[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        bytes[0] = (char)(0xC0 | code >> 6);
        bytes[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        bytes[0] = (char)(0xE0 | code >> 12);
        bytes[1] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | code >> 18);
    bytes[1] = (char)(0x80 | (code >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (code >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

int text_hex(char c)
{
    if (text_is_digit(c))
        return c - '0';
    c = text_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t text_raw_len(const char *raw, const char *end)
{
    const char *at = raw;
    for (;;) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        if (!quote)
            return (size_t)(end - raw);
        size_t backslashes = 0;
        while (quote - backslashes > at && quote[-1 - (ptrdiff_t)backslashes] == '\\')
            backslashes++;
        if (backslashes % 2 == 0)
            return (size_t)(quote - raw);
        at = quote + 1;
    }
}

static unsigned four_hex(const char *s)
{
    unsigned code = 0;
    for (int i = 0; i < 4; i++)
        code = code << 4 | (unsigned)text_hex(s[i]);
    return code;
}

/* The code point of the escape \uXXXX whose 'u' is at *at; moves *at behind it, and behind the second half of
 * a pair. */
static unsigned unicode_escape(const char *raw, size_t len, size_t *at)
{
    unsigned code = four_hex(raw + *at + 1);
    *at += 5;
    if ((code & 0xFC00) != 0xD800 || len - *at < 6 || raw[*at] != '\\' || raw[*at + 1] != 'u')
        return code;
    unsigned low = four_hex(raw + *at + 2);
    if ((low & 0xFC00) != 0xDC00)
        return code;
    *at += 6;
    return 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
}

static char short_escape(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; /* '"', '\\' and '/' stand for themselves */
    }
}

size_t text_decode(const char *raw, size_t len, char *text)
{
    size_t n = 0;
    for (size_t at = 0; at < len;) {
        const char *escape = memchr(raw + at, '\\', len - at);
        size_t plain = (escape ? (size_t)(escape - raw) : len) - at;
        memcpy(text + n, raw + at, plain);
        n += plain;
        at += plain;
        if (!escape)
            break;
        at++;
        if (raw[at] == 'u')
            n += text_put_code(unicode_escape(raw, len, &at), text + n);
        else
            text[n++] = short_escape(raw[at++]);
    }
    return n;
}

static void put_unicode_escape(unsigned code, struct writer *writer)
{
    static const char hex[] = "0123456789abcdef";
    const char escape[] = {'\\',          'u', hex[code >> 12], hex[code >> 8 & 15], hex[code >> 4 & 15],
                           hex[code & 15]};
    writer_put(writer, escape, sizeof escape);
}

static void put_escape(char c, struct writer *writer)
{
    static const char shorts[0x20] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    size_t index = (unsigned char)c;
    bool control = index < sizeof shorts;
    if (control && !shorts[index]) {
        put_unicode_escape((unsigned)index, writer);
        return;
    }
    writer_put_char(writer, '\\');
    if (control)
        c = shorts[index];
    writer_put_char(writer, c);
}

static bool is_half_pair(const char *text, size_t left)
{
    return left >= 3 && (unsigned char)text[0] == 0xED && (unsigned char)text[1] >= 0xA0;
}

void text_encode(const char *text, size_t len, struct writer *writer)
{
    size_t done = 0;
    for (size_t at = 0; at < len;) {
        if (len - at >= LANES) {
            size_t first = lanes_first(lanes_escapes(lanes_at(text + at)));
            at += first;
            if (first == LANES)
                continue;
        }
        unsigned char c = (unsigned char)text[at];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0xED) {
            at++;
            continue;
        }
        size_t width = 1;
        if (c == 0xED) {
            if (!is_half_pair(text + at, len - at)) {
                at += 3;
                continue;
            }
            width = 3;
        }
        writer_put(writer, text + done, at - done);
        if (width == 3)
            put_unicode_escape(text_code_at(text + at, &width), writer);
        else
            put_escape(text[at], writer);
        at += width;
        done = at;
    }
    writer_put(writer, text + done, len - done);
}
