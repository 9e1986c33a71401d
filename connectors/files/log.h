/* log: the person's lines of an access log as records, the oldest first; nobody else's.
 *
 *   "format": "common" | "combined" | "vhost_combined"      log_line.h
 *   "match": {"field": "address" | "user", "id": KIND}      log_match.h
 *
 * A line that is not of the format is nobody's, and counted. The last line is passed over while its end is not written. When
 * files come or go while they are read (rotation), that is counted too.
 */
#ifndef DSAR_FILES_LOG_H
#define DSAR_FILES_LOG_H

#include "root.h"
#include "tally.h"

/* What came of a log. */
struct log_outcome {
    uint64_t n_files;
    uint64_t n_records;
};

/* Sends what the logs called `name` in `folder` hold of the person. */
int log_send(const struct root *root, int folder, const char *name, struct dsar_session *session,
             const struct dsar_identities *identities, struct tally *tally, struct log_outcome *outcome,
             struct dsar_error *error) __attribute__((warn_unused_result));

#endif
