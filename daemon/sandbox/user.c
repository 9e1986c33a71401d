#include "sandbox/user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CAPABILITY(number) (UINT64_C(1) << (number))

static const struct __user_cap_header_struct myself = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};

static uint64_t permitted(void)
{
    struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_header_struct header = myself;
    if (syscall(SYS_capget, &header, halves))
        return 0;
    return halves[0].permitted | (uint64_t)halves[1].permitted << 32;
}

static int check_rights(const struct user *user, const char *name, struct fault *fault)
{
    const uint64_t needed = CAPABILITY(CAP_SETUID) | CAPABILITY(CAP_SETGID) | CAPABILITY(CAP_KILL);
    if (user->uid == 0)
        return fault_set(fault, "bad_settings", "user '%s': expected another user than root", name);
    if (user->uid != geteuid() && (permitted() & needed) != needed)
        return fault_set(
            fault, "bad_settings",
            "user '%s': dsard runs as user %u without the capabilities SETUID, SETGID and KILL, so "
            "it cannot start or end processes of another user",
            name, (unsigned)geteuid());
    return 0;
}

int user_find(const char *name, struct user *user, struct fault *fault)
{
    char *end;
    const struct passwd *entry = getpwnam(name);
    errno = 0;
    unsigned long number = strtoul(name, &end, 10);
    bool is_number = *name >= '0' && *name <= '9' && !*end && !errno && number < UINT32_MAX;
    *user = (struct user){.n_groups = 0};
    if (!entry && is_number)
        entry = getpwuid((uid_t)number);
    if (entry) {
        *user = (struct user){.uid = entry->pw_uid, .gid = entry->pw_gid, .n_groups = USER_GROUPS_MAX};
        if (getgrouplist(entry->pw_name, entry->pw_gid, user->groups, &user->n_groups) < 0)
            return fault_set(fault, "bad_settings", "user '%s': expected at most %d groups", name,
                             USER_GROUPS_MAX);
    } else if (is_number) {
        *user = (struct user){.uid = (uid_t)number, .gid = (gid_t)number};
    } else {
        return fault_set(fault, "bad_settings", "user '%s': there is none", name);
    }
    return check_rights(user, name, fault);
}

/* Where these have two forms the older one takes numbers of 16 bits. */
#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

/* The system's own functions would look for other threads, which a child does not have. */
static int become(const struct user *user)
{
    if (user->uid == geteuid())
        return 0;
    return syscall(SETGROUPS, user->n_groups, user->groups) ||
                   syscall(SETRESGID, user->gid, user->gid, user->gid) ||
                   syscall(SETRESUID, user->uid, user->uid, user->uid)
               ? -1
               : 0;
}

static int keep_capabilities(uint64_t kept)
{
    struct __user_cap_data_struct halves[_LINUX_CAPABILITY_U32S_3] = {{0}};
    struct __user_cap_header_struct header = myself;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
        halves[i].effective = halves[i].permitted = halves[i].inheritable = (uint32_t)(kept >> 32 * i);
    return (int)syscall(SYS_capset, &header, halves);
}

int user_enter(const struct user *user, bool reads_all)
{
    uint64_t kept = reads_all ? permitted() & CAPABILITY(CAP_DAC_READ_SEARCH) : 0;
    if (kept && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
        return -1;
    if ((user && become(user)) || keep_capabilities(kept))
        return -1;
    /* root gets it back at exec anyhow, as far as it is still permitted */
    return kept ? prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0) : 0;
}
