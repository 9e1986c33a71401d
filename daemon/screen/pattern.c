#include "screen/pattern.h"

#include <stdlib.h>
#include <string.h>

int pattern_tree_init(struct pattern_tree *tree, struct fault *fault)
{
    *tree = (struct pattern_tree){.cap = 64};
    tree->nodes = calloc(tree->cap, sizeof *tree->nodes);
    if (!tree->nodes)
        return fault_retry(fault, "no_memory", "no memory for the classes of fields");
    tree->nodes[PATTERN_ROOT].rule = PATTERN_NO_RULE;
    tree->n_nodes = 1;
    return 0;
}

void pattern_tree_wipe(struct pattern_tree *tree)
{
    for (size_t i = 0; i < tree->n_nodes; i++)
        free(tree->nodes[i].key);
    free(tree->nodes);
    *tree = (struct pattern_tree){0};
}

uint32_t pattern_child(const struct pattern_tree *tree, uint32_t node, const char *key, size_t key_len)
{
    uint32_t child = tree->nodes[node].first;
    while (child != PATTERN_ROOT &&
           (tree->nodes[child].key_len != key_len || memcmp(tree->nodes[child].key, key, key_len) != 0))
        child = tree->nodes[child].next;
    return child;
}

/* Takes over `key`, which is NULL for '*'. */
static uint32_t add_child(struct pattern_tree *tree, uint32_t parent, char *key, size_t key_len,
                          struct fault *fault)
{
    if (tree->n_nodes == tree->cap) {
        struct pattern_node *nodes = reallocarray(tree->nodes, tree->cap, 2 * sizeof *nodes);
        if (!nodes) {
            free(key);
            fault_retry(fault, "no_memory", "no memory for the classes of fields");
            return PATTERN_ROOT;
        }
        tree->nodes = nodes;
        tree->cap *= 2;
    }
    uint32_t child = (uint32_t)tree->n_nodes++;
    struct pattern_node *from = &tree->nodes[parent];
    tree->nodes[child] = (struct pattern_node){
        .key = key, .key_len = key_len, .rule = PATTERN_NO_RULE, .next = key ? from->first : 0};
    if (key)
        from->first = child;
    else
        from->star = child;
    return child;
}

/* A copy of the segment [start, end) without its escapes ~0 and ~1, NUL-terminated; NULL with a fault. */
static char *unescape(const char *start, const char *end, size_t *len, struct fault *fault)
{
    char *key = malloc((size_t)(end - start) + 1);
    if (!key) {
        fault_retry(fault, "no_memory", "no memory for the classes of fields");
        return NULL;
    }
    *len = 0;
    for (const char *p = start; p < end; p++) {
        if (*p != '~') {
            key[(*len)++] = *p;
            continue;
        }
        p++;
        if (p == end || (*p != '0' && *p != '1')) {
            fault_set(fault, "bad_class", "'~' is followed by neither 0 nor 1 (RFC 6901)");
            free(key);
            return NULL;
        }
        key[(*len)++] = *p == '0' ? '~' : '/';
    }
    key[*len] = '\0';
    return key;
}

static uint32_t step(struct pattern_tree *tree, uint32_t node, const char *start, const char *end,
                     struct fault *fault)
{
    if (end - start == 1 && *start == '*') {
        uint32_t star = tree->nodes[node].star;
        return star != PATTERN_ROOT ? star : add_child(tree, node, NULL, 0, fault);
    }
    size_t len;
    char *key = unescape(start, end, &len, fault);
    if (!key)
        return PATTERN_ROOT;
    uint32_t child = pattern_child(tree, node, key, len);
    if (child == PATTERN_ROOT)
        return add_child(tree, node, key, len, fault);
    free(key);
    return child;
}

int pattern_tree_add(struct pattern_tree *tree, const char *pointer, uint32_t rule, struct fault *fault)
{
    uint32_t node = PATTERN_ROOT;
    size_t depth = 0;
    while (*pointer != '\0') {
        if (*pointer != '/')
            return fault_set(fault, "bad_class", "a JSON Pointer begins with '/'");
        if (++depth > PATTERN_DEPTH_MAX)
            return fault_set(fault, "bad_class", "more than %d segments", PATTERN_DEPTH_MAX);
        const char *start = pointer + 1;
        pointer = start + strcspn(start, "/");
        node = step(tree, node, start, pointer, fault);
        if (node == PATTERN_ROOT)
            return -1;
    }
    tree->nodes[node].rule = rule;
    return 0;
}
