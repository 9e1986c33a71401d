/* owner: whether a folder or file belongs to the user that the profile says it must. */
#ifndef DSAR_FILES_OWNER_H
#define DSAR_FILES_OWNER_H

#include <dsar/connector.h>
#include <sys/stat.h>

/* `owner` is a collection's (root.h); NULL is content with any. Fails with "ownership" when it belongs to another user, or the
 * user is not known on this machine; with "empty_bind" or "bad_identity" when the identity is no user. */
int owner_check(const json_t *owner, const json_t *settings, const struct dsar_identities *bound,
                const struct stat *stat, struct dsar_error *error) __attribute__((warn_unused_result));

#endif
