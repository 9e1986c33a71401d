#include "row.h"

#include "../sdk/utf8.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* One character that is not plain ASCII; *step is how many bytes it took. */
static int append_odd(struct buf *buf, const char *text, size_t len, size_t *step, struct fault *fault)
{
    *step = utf8_length(text, len);
    if (*step == 0 || *text == '\0') {
        *step = 1;
        return buf_append_text(buf, REPLACEMENT, fault);
    }
    if (*step > 1 || *text == 0x7f)
        return buf_append(buf, text, *step, fault);
    switch (*text) {
    case '"': return buf_append_text(buf, "\\\"", fault);
    case '\\': return buf_append_text(buf, "\\\\", fault);
    case '\n': return buf_append_text(buf, "\\n", fault);
    case '\r': return buf_append_text(buf, "\\r", fault);
    case '\t': return buf_append_text(buf, "\\t", fault);
    default: return buf_printf(buf, fault, "\\u%04x", (unsigned)*text);
    }
}

static int append_text(struct buf *buf, const char *text, size_t len, struct fault *fault)
{
    if (buf_append(buf, "\"", 1, fault))
        return -1;
    while (len > 0) {
        size_t step = 0;
        while (step < len && is_plain(text[step]))
            step++;
        if (step > 0 ? buf_append(buf, text, step, fault) : append_odd(buf, text, len, &step, fault))
            return -1;
        text += step;
        len -= step;
    }
    return buf_append(buf, "\"", 1, fault);
}

static int append_real(struct buf *buf, double real, struct fault *fault)
{
    if (!isfinite(real))
        return buf_append_text(buf, "null", fault);
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, real);
        if (!(strtod(text, NULL) < real || strtod(text, NULL) > real))
            break;
    }
    if (buf_append_text(buf, text, fault))
        return -1;
    return strpbrk(text, ".e") ? 0 : buf_append_text(buf, ".0", fault);
}

static int append_base64(struct buf *buf, const char *data, size_t len, struct fault *fault)
{
    size_t encoded = len > buf->max ? buf->max : (len + 2) / 3 * 4;
    if (buf_append(buf, "\"", 1, fault) || buf_reserve(buf, encoded + 1, fault))
        return -1;
    if (len > 0)
        EVP_EncodeBlock((unsigned char *)buf->data + buf->len, (const unsigned char *)data, (int)len);
    buf->len += encoded;
    return buf_append(buf, "\"", 1, fault);
}

static int append_value(struct buf *buf, const struct sql_value *value, struct fault *fault)
{
    switch (value->type) {
    case SQL_INTEGER: return buf_printf(buf, fault, "%lld", (long long)value->integer);
    case SQL_REAL: return append_real(buf, value->real, fault);
    case SQL_TEXT: return append_text(buf, value->data ? value->data : "", value->len, fault);
    case SQL_BLOB: return append_base64(buf, value->data, value->len, fault);
    case SQL_NULL: break;
    }
    return buf_append_text(buf, "null", fault);
}

static bool is_omitted(const json_t *omit, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach (omit, i, item) {
        if (strcmp(json_string_value(item), name) == 0)
            return true;
    }
    return false;
}

int row_append(struct buf *buf, const struct query *query, const json_t *omit, struct fault *fault)
{
    const char *separator = "{";
    int n_columns = query_n_columns(query);
    for (int i = 0; i < n_columns; i++) {
        const char *name = query_column_name(query, i);
        if (is_omitted(omit, name))
            continue;
        struct sql_value value;
        query_value(query, i, &value);
        if (buf_append(buf, separator, 1, fault) || append_text(buf, name, strlen(name), fault) ||
            buf_append(buf, ":", 1, fault) || append_value(buf, &value, fault))
            return -1;
        separator = ",";
    }
    /* "{}" when all is omitted */
    return (*separator == '{' && buf_append(buf, "{", 1, fault)) || buf_append(buf, "}", 1, fault) ? -1 : 0;
}
