/* trail: the way from a record down to one of its elements, so that what is around the element can be named too, by
 * relative JSON Pointers: "0/filename" is a member of the element, "2/id" one of what is two levels above it, "0" the
 * element itself, "0#" its place in the list around it, counted from 0, or its name in the object. */
#ifndef REST_TRAIL_H
#define REST_TRAIL_H

#include "tree.h"

struct trail {
    struct node *nodes[TREE_DEPTH_MAX + 1]; /* nodes[0] is the record, nodes[depth] the element */
    size_t places[TREE_DEPTH_MAX + 1];      /* the place of each among its siblings */
    size_t depth;
};

typedef int (*trail_use_cb)(const struct trail *trail, void *ctx);

/* Calls `use` for each element at a JSON Pointer in which the segment `*` stands for any, in order. Stops and returns
 * what `use` returns when that is not 0. */
int trail_each(struct node *record, const char *pointer, trail_use_cb use, void *ctx)
    __attribute__((warn_unused_result));

/* Whether `pointer` is a relative JSON Pointer. */
bool trail_is_pointer(const char *pointer);

/* Appends the text that such a pointer leads to; nothing when there is none, or it is none. */
int trail_append(const struct trail *trail, const char *pointer, struct buf *out, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
