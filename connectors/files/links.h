/* links: the files of a root that have several names: how many of these were come by, and where the first is.
 *
 * It remembers a bounded number of files; one that it cannot remember is as if it had not been seen.
 */
#ifndef DSAR_FILES_LINKS_H
#define DSAR_FILES_LINKS_H

#include "base/buf.h"

#include <dsar/connector.h>
#include <sys/stat.h>

struct link {
    dev_t device;
    ino_t inode;
    uint64_t n_seen; /* 0: this slot is free */
    size_t path;     /* where its path is in `paths`, counted from 1; 0 without */
};

struct links {
    struct link *slots;
    size_t n_slots;
    size_t n_used;
    struct buf paths;
};

void links_init(struct links *links);
void links_wipe(struct links *links);

/* Counts one more name of this file. */
int links_see(struct links *links, const struct stat *stat, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* How many of its names were seen. */
uint64_t links_seen(const struct links *links, const struct stat *stat);

/* The path that links_name gave it; NULL without. Borrowed until the next call. */
const char *links_path(const struct links *links, const struct stat *stat);

/* Gives a file that was seen its path, if there is room for it. */
void links_name(struct links *links, const struct stat *stat, const char *path);

#endif
