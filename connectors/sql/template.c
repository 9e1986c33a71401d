#include "template.h"

#include "../sdk/error.h"
#include "base/buf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SQL_BYTES_MAX ((size_t)64 * 1024)

static const char prefix_mark[] = "{prefix}";

/* What is to be made of the text. */
struct reading {
    struct template *template;
    const char *prefix;
    bool has_dollars;
    struct buf sql;
};

bool template_has(const struct template *template, const char *name)
{
    for (int i = 0; i < template->n_names; i++)
        if (strcmp(template->names[i], name) == 0)
            return true;
    return false;
}

/* The parameter that begins behind the ':' at `text`. How many bytes its name takes; 0 when it is none. */
static size_t take_name(struct template *template, const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    if (len == 0 || len > DSAR_NAME_MAX || *text < 'a' || template->n_names == TEMPLATE_PARAMETERS_MAX)
        return 0;
    char *name = template->names[template->n_names++];
    memcpy(name, text, len);
    name[len] = '\0';
    return len;
}

static int append_parameter(struct reading *reading, struct fault *fault)
{
    return reading->has_dollars ? buf_printf(&reading->sql, fault, "$%d", reading->template->n_names)
                                : buf_append_text(&reading->sql, "?", fault);
}

/* The length of the quoted text that begins at `text`; 0 when it does not end. A doubled quote is two texts
 * in a row. */
static size_t quoted_length(const char *text)
{
    const char *end = strchr(text + 1, *text);
    return end ? (size_t)(end - text) + 1 : 0;
}

/* Takes one piece of the text. How many bytes it took; 0 when it is none that may stand there. */
static size_t take_piece(struct reading *reading, const char *text, struct fault *fault)
{
    size_t len = 0;
    fault->code[0] = '\0';
    switch (*text) {
    case '\'':
    case '"':
    case '`': len = quoted_length(text); break;
    case '{':
        if (strncmp(text, prefix_mark, strlen(prefix_mark)) != 0)
            return 0;
        return buf_append_text(&reading->sql, reading->prefix, fault) ? 0 : strlen(prefix_mark);
    case ':':
        len = take_name(reading->template, text + 1);
        return len == 0 || append_parameter(reading, fault) ? 0 : len + 1;
    case '?':
    case '@':
    case '$':           /* other parameters */
    case '#':           /* a comment for some */
    case ';': return 0; /* another statement */
    case '-':
    case '/': len = text[1] == '-' || text[1] == '*' ? 0 : 1; break;
    default: len = strcspn(text, "'\"`{:?@$#;-/"); break;
    }
    return len == 0 || buf_append(&reading->sql, text, len, fault) ? 0 : len;
}

static bool begins_with_word(const char *text, const char *word)
{
    size_t len = strlen(word);
    return strncasecmp(text, word, len) == 0 && !isalnum((unsigned char)text[len]) && text[len] != '_';
}

static bool is_select(const char *text)
{
    text += strspn(text, " \t\r\n");
    return begins_with_word(text, "SELECT") || begins_with_word(text, "WITH");
}

int template_init(struct template *template, const char *text, const char *prefix, bool has_dollars,
                  const char *path, struct dsar_error *error)
{
    struct reading reading = {.template = template, .prefix = prefix, .has_dollars = has_dollars};
    struct fault fault;
    *template = (struct template){.sql = NULL};
    if (!is_select(text))
        return dsar_error_set(error, "bad_profile", false, "%s/sql: expected a SELECT", path);
    buf_init(&reading.sql, SQL_BYTES_MAX);
    for (const char *next = text; *next;) {
        size_t len = take_piece(&reading, next, &fault);
        if (len == 0) {
            buf_wipe(&reading.sql);
            if (fault.code[0])
                return error_from_fault(error, &fault);
            return dsar_error_set(
                error, "bad_profile", false,
                "%s/sql: byte %zu: expected {prefix}, :name (at most %d of them) or plain SQL", path,
                (size_t)(next - text), TEMPLATE_PARAMETERS_MAX);
        }
        next += len;
    }
    template->sql = reading.sql.data; /* ours from here on */
    return 0;
}

void template_wipe(struct template *template)
{
    free(template->sql);
    *template = (struct template){.sql = NULL};
}
