/* pattern: JSON Pointer patterns as one tree, a node for each place that a pattern goes through. */
#ifndef DSAR_SCREEN_PATTERN_H
#define DSAR_SCREEN_PATTERN_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

#define PATTERN_ROOT      0u /* as a child: none */
#define PATTERN_DEPTH_MAX 64
#define PATTERN_NO_RULE   UINT32_MAX

struct pattern_node {
    char *key; /* the segment without its escapes; NULL for the root and for '*' */
    size_t key_len;
    uint32_t first; /* the first of the children with a key */
    uint32_t next;  /* the next child with a key of the same parent */
    uint32_t star;  /* the child '*' */
    uint32_t rule;  /* what the caller says about the pattern that ends here, or PATTERN_NO_RULE */
};

struct pattern_tree {
    struct pattern_node *nodes; /* the root first */
    size_t n_nodes;
    size_t cap;
};

int pattern_tree_init(struct pattern_tree *tree, struct fault *fault) __attribute__((warn_unused_result));
void pattern_tree_wipe(struct pattern_tree *tree);

/* Adds a pattern that is not in it yet. Fails with "bad_class" when it is no JSON Pointer (RFC 6901) or too
 * deep. */
int pattern_tree_add(struct pattern_tree *tree, const char *pointer, uint32_t rule, struct fault *fault)
    __attribute__((warn_unused_result));

/* The child of `node` with that key, or PATTERN_ROOT. */
uint32_t pattern_child(const struct pattern_tree *tree, uint32_t node, const char *key, size_t key_len);

#endif
