#include "intake/syntax.h"

#include "base/plain.h"
#include "dsar/protocol.h"

#include <stddef.h>
#include <string.h>

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool is_one_of(char c, const char *set)
{
    return c && strchr(set, c);
}

static bool is_beyond_ascii(char c)
{
    return (unsigned char)c >= 0x80;
}

bool syntax_is_uuid_v4(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-4xxx-Nxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof form - 1; i++) {
        const char *allowed = form[i] == 'x'   ? DIGITS "abcdef"
                              : form[i] == 'N' ? "89ab"
                              : form[i] == '4' ? "4"
                                               : "-";
        if (!is_one_of(text[i], allowed))
            return false;
    }
    return !text[sizeof form - 1];
}

static bool is_word(const char *text, const char *rest)
{
    size_t len = strlen(text);
    return is_one_of(text[0], LOWER) && len <= DSAR_NAME_MAX && strspn(text, rest) == len;
}

bool syntax_is_kind(const char *text)
{
    return is_word(text, LOWER DIGITS "_");
}

bool syntax_is_name(const char *text)
{
    return is_word(text, LOWER DIGITS "_.-");
}

bool syntax_is_locale(const char *text)
{
    size_t language = strspn(text, LOWER UPPER);
    if (strlen(text) > 35 || language < 2 || language > 8)
        return false;
    for (text += language; *text == '-';) {
        size_t subtag = strspn(++text, LOWER UPPER DIGITS);
        if (subtag < 1 || subtag > 8)
            return false;
        text += subtag;
    }
    return !*text;
}

/* Dot-separated, no part empty. */
static bool is_dotted(const char *text, size_t len, const char *allowed)
{
    bool empty = true;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && empty)
            return false;
        empty = text[i] == '.';
        if (!empty && !is_one_of(text[i], allowed) && !is_beyond_ascii(text[i]))
            return false;
    }
    return !empty;
}

bool syntax_is_email(const char *text)
{
    const char *at = strchr(text, '@');
    size_t local = at ? (size_t)(at - text) : 0;
    size_t len = strlen(text);
    return local >= 1 && local <= 64 && len <= 254 && plain_is(text, local) &&
           plain_is(at + 1, len - local - 1) &&
           is_dotted(text, local, LOWER UPPER DIGITS "!#$%&'*+-/=?^_`{|}~") &&
           is_dotted(at + 1, len - local - 1, LOWER UPPER DIGITS "-");
}
