#include "row.h"

#include "../sdk/error.h"
#include "base/utf8.h"
#include "json_text.h"

#include <ctype.h>
#include <openssl/evp.h>
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

/* The grammar of RFC 8259. */
static bool is_number(const char *text, size_t len)
{
    const char *end = text + len;
    text += text < end && *text == '-';
    const char *digits = text;
    while (text < end && isdigit((unsigned char)*text))
        text++;
    if (text == digits || (*digits == '0' && text - digits > 1))
        return false;
    if (text < end && *text == '.') {
        digits = ++text;
        while (text < end && isdigit((unsigned char)*text))
            text++;
        if (text == digits)
            return false;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        text++;
        text += text < end && (*text == '+' || *text == '-');
        digits = text;
        while (text < end && isdigit((unsigned char)*text))
            text++;
        if (text == digits)
            return false;
    }
    return text == end;
}

static int append_base64(struct buf *buf, const char *data, size_t len, struct fault *fault)
{
    size_t encoded = (len + 2) / 3 * 4;
    if (buf_append(buf, "\"", 1, fault) || buf_reserve(buf, encoded + 1, fault))
        return -1;
    if (len > 0)
        EVP_EncodeBlock((unsigned char *)buf->data + buf->len, (const unsigned char *)data, (int)len);
    buf->len += encoded;
    return buf_append(buf, "\"", 1, fault);
}

static int append_json(struct buf *buf, const char *text, size_t len, struct fault *fault)
{
    return json_text_is_strict(text, len) ? json_text_append(buf, text, len, fault)
                                          : append_text(buf, text, len, fault);
}

static int append_value(struct buf *buf, const struct sql_value *value, struct fault *fault)
{
    if (value->len > SQL_VALUE_MAX)
        return fault_set(fault, "too_large", "a value is larger than %d bytes", SQL_VALUE_MAX);
    const char *data = value->data ? value->data : "";
    switch (value->type) {
    case SQL_NUMBER:
        return is_number(data, value->len) ? buf_append(buf, data, value->len, fault)
                                           : append_text(buf, data, value->len, fault);
    case SQL_TEXT: return append_text(buf, data, value->len, fault);
    case SQL_JSON: return append_json(buf, data, value->len, fault);
    case SQL_BLOB: return append_base64(buf, data, value->len, fault);
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

static int append_member(struct buf *buf, const char *name, const struct sql_value *value,
                         struct dsar_error *error)
{
    struct fault fault;
    if (buf_append(buf, buf->len ? "," : "{", 1, &fault) || append_text(buf, name, strlen(name), &fault) ||
        buf_append(buf, ":", 1, &fault) || append_value(buf, value, &fault))
        return error_from_fault(error, &fault);
    return 0;
}

int row_write(struct buf *buf, const struct query *query, const json_t *omit, struct dsar_error *error)
{
    struct fault fault;
    int n_columns = query_n_columns(query);
    for (int i = 0; i < n_columns; i++) {
        const char *name = query_column_name(query, i);
        struct sql_value value;
        if (!is_omitted(omit, name) &&
            (query_value(query, i, &value, error) || append_member(buf, name, &value, error)))
            return -1;
    }
    /* "{}" when all is omitted */
    if (buf_append_text(buf, buf->len ? "}" : "{}", &fault))
        return error_from_fault(error, &fault);
    return 0;
}
