/* tree: one JSON answer (RFC 8259) in memory, with numbers as the text that the system wrote.
 *
 * A tree owns all of its nodes; freeing it wipes them. Not thread-safe.
 */
#ifndef REST_TREE_H
#define REST_TREE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* How deep arrays and objects may nest. */
#define TREE_DEPTH_MAX 64

enum node_kind { NODE_NULL, NODE_FALSE, NODE_TRUE, NODE_NUMBER, NODE_STRING, NODE_ARRAY, NODE_OBJECT };

struct node {
    enum node_kind kind;
    const char *key; /* of an object's member, otherwise NULL; not NUL-terminated, as `text` */
    size_t key_len;
    const char *text; /* a string's characters (UTF-8), or a number's digits as they were written */
    size_t len;
    struct node *child; /* an array's or object's first */
    struct node *next;
};

struct tree;

/* Reads a whole document. `memory_max` bounds what the tree takes, in bytes. Escapes that are no character
 * become U+FFFD. Errors: "not_json", "too_deep", "too_large", "no_memory"; no text quotes the document. */
int tree_parse(struct tree **tree, const char *data, size_t len, size_t memory_max, struct fault *fault)
    __attribute__((warn_unused_result));
void tree_free(struct tree *tree);

struct node *tree_root(const struct tree *tree);

/* The value at a JSON Pointer (RFC 6901) below `node`. NULL when there is none, and when an object has the
 * same key twice: nobody can tell which of them was meant. `node` may be NULL. */
const struct node *node_at(const struct node *node, const char *pointer);

/* The member or element of `node` that one segment of a pointer names; NULL as above. */
struct node *node_below(const struct node *node, const char *token, size_t len);

/* Whether `node` is a string or a number, which have a text. `node` may be NULL. */
bool node_has_text(const struct node *node);

/* How many values there are at a JSON Pointer in which the segment `*` stands for any member or element. `node`
 * may be NULL. */
size_t node_count(const struct node *node, const char *pointer);

/* Whether a string or number has exactly this text. */
bool node_equals(const struct node *node, const char *text, size_t len, bool ignore_case);

/* Appends the value as compact JSON: numbers digit for digit, strings as valid UTF-8, no raw newline. */
int node_write(const struct node *node, struct buf *out, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
