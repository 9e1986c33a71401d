#include "trail.h"

#include <stdlib.h>
#include <string.h>

static int walk(struct trail *trail, const char *pointer, trail_use_cb use, void *ctx)
{
    struct node *node = trail->nodes[trail->depth];
    if (*pointer != '/')
        return use(trail, ctx);
    size_t len = strcspn(pointer + 1, "/");
    bool is_any = len == 1 && pointer[1] == '*';
    const struct node *wanted = is_any ? NULL : node_below(node, pointer + 1, len);
    size_t place = 0;
    int result = 0;
    trail->depth++;
    for (struct node *child = node->child; child && !result; child = child->next, place++) {
        if (!is_any && child != wanted)
            continue;
        trail->nodes[trail->depth] = child;
        trail->places[trail->depth] = place;
        result = walk(trail, pointer + 1 + len, use, ctx);
    }
    trail->depth--;
    return result;
}

int trail_each(struct node *record, const char *pointer, trail_use_cb use, void *ctx)
{
    struct trail trail = {.nodes = {record}};
    return walk(&trail, pointer, use, ctx);
}

bool trail_is_pointer(const char *pointer)
{
    size_t len = strspn(pointer, "0123456789");
    bool is_number = len == 1 || (len == 2 && *pointer != '0');
    return is_number && (!pointer[len] || pointer[len] == '/' || strcmp(pointer + len, "#") == 0);
}

int trail_append(const struct trail *trail, const char *pointer, struct buf *out, struct fault *fault)
{
    char *rest;
    size_t up = strtoul(pointer, &rest, 10);
    if (up > trail->depth)
        return 0;
    const struct node *node = trail->nodes[trail->depth - up];
    if (*rest == '#')
        return node->key ? buf_append(out, node->key, node->key_len, fault)
                         : buf_printf(out, fault, "%zu", trail->places[trail->depth - up]);
    node = node_at(node, rest);
    return node_has_text(node) ? buf_append(out, node->text, node->len, fault) : 0;
}
