#include "kept.h"

#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_MAX ((size_t)16384)

static bool is_of_setting(const json_t *value)
{
    size_t i;
    json_t *part;
    json_array_foreach (value, i, part)
        if (is_of_setting(part))
            return true;
    return json_object_get(value, "setting") != NULL;
}

/* Whether a piece of a query stands for the text. */
static bool stands_for(const char *piece, size_t len, const char *text, size_t text_len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++, n++) {
        char c = piece[i] == '+' ? ' ' : piece[i];
        if (c == '%' && i + 2 < len && isxdigit((unsigned char)piece[i + 1]) &&
            isxdigit((unsigned char)piece[i + 2])) {
            c = (char)strtol((const char[]){piece[i + 1], piece[i + 2], '\0'}, NULL, 16);
            i += 2;
        }
        if (n == text_len || text[n] != c)
            return false;
    }
    return n == text_len;
}

static bool has_pair(const char *target, const char *name, const struct buf *value)
{
    const char *query = strchr(target, '?');
    bool is_there = false;
    for (const char *at = query ? query + 1 : ""; *at;) {
        size_t len = strcspn(at, "&"), name_len = strcspn(at, "=&");
        size_t skip = name_len < len ? name_len + 1 : len;
        if (stands_for(at, name_len, name, strlen(name))) {
            if (!stands_for(at + skip, len - skip, value->data, value->len))
                return false;
            is_there = true;
        }
        at += len + (at[len] == '&');
    }
    return is_there;
}

int kept_check(const json_t *query, const struct sources *sources, const char *target, bool *is_kept,
               struct dsar_error *error)
{
    struct buf text;
    int result = 0;
    const char *name;
    json_t *value;
    *is_kept = true;
    buf_init(&text, VALUE_MAX);
    json_object_foreach ((json_t *)(uintptr_t)query, name, value) {
        bool present = false;
        buf_clear(&text);
        if (is_of_setting(value))
            result = value_append(&text, value, sources, &present, error);
        if (result)
            break;
        if (present && !has_pair(target, name, &text))
            *is_kept = false;
    }
    buf_wipe(&text);
    return result;
}
