#include "json_text.h"

#include "../sdk/iterable.h"

#include <jansson.h>
#include <string.h>

/* What a record allows, less the object that the row is. */
#define DEPTH_MAX   63
#define MEMBERS_MAX 4096

static bool fits(const json_t *value, int depth)
{
    const char *key;
    json_t *item;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value))
        return true;
    if (depth == 0 || json_object_size(value) > MEMBERS_MAX)
        return false;
    json_array_foreach (value, i, item) {
        if (!fits(item, depth - 1))
            return false;
    }
    json_object_foreach (iterable(value), key, item) {
        if (!fits(item, depth - 1))
            return false;
    }
    return true;
}

bool json_text_is_strict(const char *text, size_t len)
{
    /* numbers are only looked at: any of them may be a double here */
    json_t *value =
        json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
    bool is_strict = value && fits(value, DEPTH_MAX);
    json_decref(value);
    return is_strict;
}

static size_t string_length(const char *text, size_t len)
{
    size_t i = 1;
    while (i < len && text[i] != '"')
        i += text[i] == '\\' ? 2 : 1;
    return i < len ? i + 1 : len;
}

int json_text_append(struct buf *buf, const char *text, size_t len, struct fault *fault)
{
    size_t step;
    for (size_t i = 0; i < len; i += step) {
        step = 1;
        if (strchr(" \t\r\n", text[i]))
            continue;
        if (text[i] == '"')
            step = string_length(text + i, len - i);
        else
            while (i + step < len && !strchr(" \t\r\n\"", text[i + step]))
                step++;
        if (buf_append(buf, text + i, step, fault))
            return -1;
    }
    return 0;
}
