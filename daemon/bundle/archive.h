/* archive: the zip container round entries that are already sealed, through libzip. For this room only. */
#ifndef DSAR_BUNDLE_ARCHIVE_H
#define DSAR_BUNDLE_ARCHIVE_H

#include "base/fault.h"
#include "bundle/bundle.h"
#include "bundle/spool.h"

struct archive_member {
    const char *name;
    uint64_t bytes;              /* plain */
    const struct strand *sealed; /* raw deflate within AE-2 */
};

struct archive_content {
    const struct archive_member *members; /* at least one, in the archive's order */
    size_t n_members;
    int64_t mtime_unix_s; /* of every member; written as UTC, to two seconds, from 1980 to 2107 */
};

/* Writes the whole archive to `sink`, each byte once, and fills `info`. */
int archive_write(const struct archive_content *content, const struct archive_sink *sink,
                  struct archive_info *info, struct fault *fault) __attribute__((warn_unused_result));

#endif
