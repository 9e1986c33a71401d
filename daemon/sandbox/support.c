#include "sandbox/support.h"

#include "sandbox/landlock.h"

#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char *name, *lack;
} parts[SUPPORT_COUNT] = {
    [SUPPORT_FILES] = {"files", "connectors may read, create, empty and remove every file that their user "
                                "may: it takes Linux 5.13 with "
                                "Landlock, which a container's runtime must not forbid"},
    [SUPPORT_EMPTYING] =
        {"emptying", "connectors may empty, by openat2 alone, every file that their user may write: it takes "
                     "Linux 6.2 with Landlock"},
    [SUPPORT_PORTS] =
        {"ports", "connectors that may connect to one TCP port may connect to all: it takes Linux 6.7 with "
                  "Landlock"},
    [SUPPORT_SIGNALS] =
        {"signals", "connectors that may start processes can send signals to all processes of their user: "
                    "it takes Linux 6.12 with Landlock"},
    [SUPPORT_CALLS] =
        {"calls", "connectors may make every system call: it takes a kernel with seccomp filters, which a "
                  "container's runtime must not forbid"},
};

static bool has_filters(void)
{
    const uint32_t action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

bool support_has(enum support_part part)
{
    switch (part) {
    case SUPPORT_FILES: return landlock_abi() >= LANDLOCK_ABI_FILES;
    case SUPPORT_EMPTYING: return landlock_abi() >= LANDLOCK_ABI_EMPTYING;
    case SUPPORT_PORTS: return landlock_abi() >= LANDLOCK_ABI_PORTS;
    case SUPPORT_SIGNALS: return landlock_abi() >= LANDLOCK_ABI_SIGNALS;
    case SUPPORT_CALLS: return has_filters();
    case SUPPORT_COUNT: break;
    }
    return false;
}

const char *support_name(enum support_part part)
{
    return parts[part].name;
}

const char *support_lack(enum support_part part)
{
    return parts[part].lack;
}
