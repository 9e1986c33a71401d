/* walk: all that lies below a folder, in no order, in memory that grows with the depth alone. */
#ifndef DSAR_FILES_WALK_H
#define DSAR_FILES_WALK_H

#include "tally.h"

#include <sys/stat.h>

/* What was come by. Borrowed for the call. */
struct walk_entry {
    int folder;       /* that it lies in */
    const char *name; /* in that folder */
    const char *path; /* below the root, without a leading slash */
    struct stat stat; /* of itself, not of what it links to */
};

enum walk_turn {
    WALK_ON,   /* a folder is gone into next */
    WALK_PAST, /* not into this folder */
    WALK_STOP, /* the walk is over, and has succeeded */
};

/* Sees one entry, a folder before what is in it. */
typedef int (*walk_cb)(void *ctx, const struct walk_entry *entry, enum walk_turn *turn,
                       struct dsar_error *error);

struct walk_options {
    int root;           /* a folder; stays open */
    unsigned depth_max; /* folders below the root */
    walk_cb visit;
    void *ctx;
    struct tally *tally; /* counts what was not come by */
};

/* -1 only when visit returns it, or without memory or descriptors. */
int walk_run(const struct walk_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
