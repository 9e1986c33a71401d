/* user: another user of the system, whose rights connectors get where the daemon runs as root. */
#ifndef DSAR_SANDBOX_USER_H
#define DSAR_SANDBOX_USER_H

#include "base/fault.h"

#include <stdbool.h>
#include <sys/types.h>

#define USER_GROUPS_MAX 32

struct user {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_GROUPS_MAX];
    int n_groups;
};

/* Finds the user of a name or number, with all groups. Fails with "bad_settings": there is none, or it is root, or this
 * process may not become it or not end what runs as it. Not thread-safe. */
int user_find(const char *name, struct user *user, struct fault *fault) __attribute__((warn_unused_result));

/* Becomes the user (NULL: stays who it is) and gives up all capabilities; but `reads_all` keeps the right to read files of
 * whichever owner, where there is one. For a child between fork and exec: makes system calls alone. -1 with errno. */
int user_enter(const struct user *user, bool reads_all) __attribute__((warn_unused_result));

#endif
