#include "next.h"

#include <string.h>
#include <strings.h>

#define SPACE " \t"

/* Behind a value of a parameter: a token, or a quoted text. */
static const char *skip_value(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, SPACE ";,");
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

/* Whether "next" is one of the words of a relation's value. */
static bool has_next(const char *value, size_t len)
{
    static const char words[] = SPACE "\"";
    for (const char *at = value, *end = value + len; at < end;) {
        at += strspn(at, words);
        size_t n = strcspn(at, SPACE "\";,");
        if (at + n <= end && n == strlen("next") && strncasecmp(at, "next", n) == 0)
            return true;
        at += n ? n : 1;
    }
    return false;
}

/* Reads the parameters behind a target up to the next target. */
static const char *read_parameters(const char *at, bool *is_next)
{
    bool has_relation = false;
    *is_next = false;
    for (at += strspn(at, SPACE); *at == ';'; at += strspn(at, SPACE)) {
        at += 1 + strspn(at + 1, SPACE);
        const char *name = at;
        size_t len = strcspn(at, SPACE "=;,");
        at += len;
        at += strspn(at, SPACE);
        if (*at != '=')
            continue;
        at += 1 + strspn(at + 1, SPACE);
        const char *value = at;
        at = skip_value(at);
        /* the first of several counts */
        if (!has_relation && len == strlen("rel") && strncasecmp(name, "rel", len) == 0) {
            has_relation = true;
            *is_next = has_next(value, (size_t)(at - value));
        }
    }
    return at;
}

int next_link(const char *header, struct buf *target, struct fault *fault)
{
    for (const char *at = header; *at; at++) {
        at += strspn(at, SPACE ",");
        const char *end = *at == '<' ? strchr(at, '>') : NULL;
        bool is_next;
        if (!end)
            return 0;
        const char *reference = at + 1;
        at = read_parameters(end + 1, &is_next);
        if (is_next)
            return buf_append(target, reference, (size_t)(end - reference), fault);
        at += strcspn(at, ",");
        if (!*at)
            return 0;
    }
    return 0;
}

static int find_link(const struct response *response, struct buf *place, struct fault *fault)
{
    const char *header;
    for (size_t i = 0; place->len == 0 && (header = response_header(response, "Link", i)); i++)
        if (next_link(header, place, fault))
            return -1;
    return 0;
}

static const struct node *last_record(const struct answer *answer)
{
    const struct node *last = answer->record;
    for (const struct node *record = last; record; record = answer_next(answer, record))
        last = record;
    return last;
}

/* A text with a NUL in it is no place: nothing could be asked for with it. */
static int append_text(const struct node *node, struct buf *place, struct fault *fault)
{
    if (!node_has_text(node) || memchr(node->text, '\0', node->len))
        return 0;
    return buf_append(place, node->text, node->len, fault);
}

enum more { MORE_UNSAID, MORE_NO, MORE_YES };

static enum more read_more(const struct paging *paging, const struct node *root)
{
    const struct node *node = paging->more ? node_at(root, paging->more) : NULL;
    if (!node)
        return MORE_UNSAID;
    if (node_has_text(node))
        return node->len == 0 || node_equals(node, "0", 1, false) || node_equals(node, "false", 5, true)
                   ? MORE_NO
                   : MORE_YES;
    return node->kind == NODE_TRUE ? MORE_YES : MORE_NO;
}

int next_find(const struct paging *paging, const struct answer *answer, const struct response *response,
              struct buf *place, bool *is_cut, struct fault *fault)
{
    const struct node *root = tree_root(answer->tree);
    enum more more = read_more(paging, root);
    *is_cut = false;
    if (more == MORE_NO)
        return 0;
    int result = paging->kind == PAGING_LINK ? find_link(response, place, fault)
                 : paging->last ? append_text(node_at(last_record(answer), paging->last), place, fault)
                                : append_text(node_at(root, paging->next), place, fault);
    *is_cut = !result && more == MORE_YES && place->len == 0;
    return result;
}
