/* log_match: whether a line of an access log is the person's.
 *
 * By address: the whole address, however it is written (IPv6 has several ways; ::ffff:192.0.2.1 is 192.0.2.1). By user: the
 * whole name, of a request that was let in: with status 401 the name is only what a visitor claimed.
 */
#ifndef DSAR_FILES_LOG_MATCH_H
#define DSAR_FILES_LOG_MATCH_H

#include "log_line.h"

#include <netinet/in.h>

#define LOG_VALUES_MAX 64

struct log_match {
    bool is_by_user;
    const char *users[LOG_VALUES_MAX]; /* borrowed */
    struct in6_addr addresses[LOG_VALUES_MAX];
    size_t n_values;
};

/* Takes all of the person's identities of this kind and type. Fails with "empty_bind" without any, "bad_identity" when one is
 * no address, or can be no user of a log, "too_many_identities". */
int log_match_init(struct log_match *match, bool is_by_user, const char *kind, const char *type,
                   const struct dsar_identities *identities, struct dsar_error *error)
    __attribute__((warn_unused_result));

bool log_match_has(const struct log_match *match, const struct log_line *line);

#endif
