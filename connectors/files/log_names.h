/* log_names: a log and those that it was before it was rotated: NAME, NAME.1, NAME.2.gz, NAME-20261123, NAME-20261123.gz. */
#ifndef DSAR_FILES_LOG_NAMES_H
#define DSAR_FILES_LOG_NAMES_H

#include <dsar/connector.h>
#include <limits.h>
#include <sys/types.h>

struct log_name {
    char name[NAME_MAX + 1];
    ino_t inode;
    bool is_live; /* the one that is written to */
    bool is_gzip;
    char separator;  /* '.' or '-' */
    uint64_t number; /* what stands behind it */
};

struct log_names {
    struct log_name *items; /* the oldest first, the live one last */
    size_t n_items;
};

/* Lists those of `name` in `folder`. Fails with "source_error", or "too_many_entries" beyond 4,096. */
int log_names_list(struct log_names *names, int folder, const char *name, struct dsar_error *error)
    __attribute__((warn_unused_result));
void log_names_wipe(struct log_names *names);

/* Whether both lists have the same files under the same names. */
bool log_names_equal(const struct log_names *one, const struct log_names *other);

#endif
