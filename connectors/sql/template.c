#include "template.h"

#include "../sdk/error.h"
#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define SQL_BYTES_MAX ((size_t)64 * 1024)

static const char prefix_mark[] = "{prefix}";

int template_find(const struct template *template, const char *name)
{
    for (int i = 0; i < template->n_names; i++)
        if (strcmp(template->names[i], name) == 0)
            return i + 1;
    return 0;
}

/* The parameter that begins behind the ':' at `text`. How many bytes its name takes; 0 when it is none. */
static size_t take_name(struct template *template, const char *text, int *index)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (len == 0 || len > DSAR_NAME_MAX || *text < 'a')
        return 0;
    char name[DSAR_NAME_MAX + 1];
    memcpy(name, text, len);
    name[len] = '\0';
    *index = template_find(template, name);
    if (*index)
        return len;
    if (template->n_names == TEMPLATE_PARAMETERS_MAX)
        return 0;
    memcpy(template->names[template->n_names++], name, len + 1);
    *index = template->n_names;
    return len;
}

/* The length of the quoted text that begins at `text`; 0 when it does not end. A doubled quote is two texts
 * in a row. */
static size_t quoted_length(const char *text)
{
    const char *end = strchr(text + 1, *text);
    return end ? (size_t)(end - text) + 1 : 0;
}

/* Takes one piece of the text. How many bytes it took; 0 when it is none that may stand there. */
static size_t take_piece(struct template *template, const char *text, const char *prefix, struct buf *sql,
                         struct fault *fault)
{
    size_t len = 0;
    int index;
    fault->code[0] = '\0';
    switch (*text) {
    case '\'':
    case '"':
    case '`': len = quoted_length(text); break;
    case '{':
        if (strncmp(text, prefix_mark, strlen(prefix_mark)) != 0)
            return 0;
        return buf_append_text(sql, prefix, fault) ? 0 : strlen(prefix_mark);
    case ':':
        len = take_name(template, text + 1, &index);
        return len == 0 || buf_printf(sql, fault, "?%d", index) ? 0 : len + 1;
    case '?':
    case '@':
    case '$': return 0; /* other databases' parameters */
    case '-':
    case '/': len = text[1] == '-' || text[1] == '*' ? 0 : 1; break;
    default: len = strcspn(text, "'\"`{:?@$-/"); break;
    }
    return len == 0 || buf_append(sql, text, len, fault) ? 0 : len;
}

int template_init(struct template *template, const char *text, const char *prefix, const char *path,
                  struct dsar_error *error)
{
    *template = (struct template){.sql = NULL};
    struct buf sql;
    struct fault fault;
    buf_init(&sql, SQL_BYTES_MAX);
    for (const char *next = text; *next;) {
        size_t len = take_piece(template, next, prefix, &sql, &fault);
        if (len == 0) {
            buf_wipe(&sql);
            if (fault.code[0])
                return error_from_fault(error, &fault);
            return dsar_error_set(
                error, "bad_profile", false,
                "%s/sql: byte %zu: expected {prefix}, :name (at most %d of them) or plain SQL", path,
                (size_t)(next - text), TEMPLATE_PARAMETERS_MAX);
        }
        next += len;
    }
    template->sql = sql.data; /* ours from here on */
    return 0;
}

void template_wipe(struct template *template)
{
    free(template->sql);
    *template = (struct template){.sql = NULL};
}
