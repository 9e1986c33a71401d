/* document: a YAML file as a tree of nodes that know where they stand.
 *
 * A strict part of YAML 1.1: one document, mappings with scalar keys, lists, scalars. Anchors, aliases, tags,
 * duplicate keys and further documents are refused. Not thread-safe.
 */
#ifndef DSAR_CONFIG_DOCUMENT_H
#define DSAR_CONFIG_DOCUMENT_H

#include "config/problems.h"

#define DOCUMENT_BYTES_MAX   (1024 * 1024)
#define DOCUMENT_DEPTH_MAX   16
#define DOCUMENT_ENTRIES_MAX 1000 /* of one mapping or list */

enum node_kind {
    NODE_SCALAR,
    NODE_LIST,
    NODE_MAP,
    NODE_REFUSED, /* already written as a problem: nothing more is to be said about it */
};

struct node {
    enum node_kind kind;
    struct config_mark mark;
    char *key; /* in a mapping */
    struct config_mark key_mark;
    char *text; /* of a scalar */
    bool plain; /* a scalar without quotes */
    struct node *first;
    struct node *next; /* in the same mapping or list, in the order of the file */
    size_t n_entries;
};

/* Reads the file `problems` is about. The tree, or NULL when there is none; in either case all that was wrong
 * has been written to `problems`. Freed by node_free. */
struct node *document_load(struct problems *problems);
void node_free(struct node *node);

/* The value of a key, or NULL. `map` may be NULL or no mapping. */
const struct node *node_member(const struct node *map, const char *key);

/* "a mapping", "a list", "null" or the text of a scalar in quotes: for messages. Never more than the text as
 * it stands in the file, so nothing from the environment. Returns `text`. */
#define NODE_FOUND_MAX 64
const char *node_found(const struct node *node, char text[NODE_FOUND_MAX]);

/* Whether the scalar stands for nothing: empty, ~ or null without quotes. */
bool node_is_null(const struct node *node);

#endif
