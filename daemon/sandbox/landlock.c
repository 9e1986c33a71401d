#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's interface, as Linux 6.12 has it: the headers of older systems know only part of it. */
struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

struct path_attr {
    uint64_t allowed_access;
    int32_t parent_fd;
} __attribute__((packed));

struct port_attr {
    uint64_t allowed_access;
    uint64_t port;
};

enum { RULE_PATH = 1, RULE_PORT = 2 };

#define CREATE_VERSION 1u

#define FS_EXECUTE    (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE  (1ull << 2)
#define FS_READ_DIR   (1ull << 3)
#define FS_ALL_ABI_1  ((1ull << 13) - 1)
#define FS_REFER      (1ull << 13) /* ABI 2 */
#define FS_TRUNCATE   (1ull << 14) /* ABI 3 */
#define FS_IOCTL_DEV  (1ull << 15) /* ABI 5 */

#define NET_BIND_TCP    (1ull << 0)
#define NET_CONNECT_TCP (1ull << 1)

#define SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define SCOPE_SIGNAL               (1ull << 1)

static long create_ruleset(const struct ruleset_attr *attr, size_t size, uint32_t flags)
{
    return syscall(SYS_landlock_create_ruleset, attr, size, flags);
}

unsigned landlock_abi(void)
{
    long abi = create_ruleset(NULL, 0, CREATE_VERSION);
    return abi > 0 ? (unsigned)abi : 0;
}

int landlock_new(unsigned abi, int *ruleset, struct fault *fault)
{
    struct ruleset_attr attr = {.handled_access_fs = FS_ALL_ABI_1};
    if (abi >= 2)
        attr.handled_access_fs |= FS_REFER;
    if (abi >= LANDLOCK_ABI_EMPTYING)
        attr.handled_access_fs |= FS_TRUNCATE;
    if (abi >= 5)
        attr.handled_access_fs |= FS_IOCTL_DEV;
    if (abi >= LANDLOCK_ABI_PORTS)
        attr.handled_access_net = NET_BIND_TCP | NET_CONNECT_TCP;
    if (abi >= LANDLOCK_ABI_SIGNALS)
        attr.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    /* members that an older kernel does not know are zero, which it accepts */
    long fd = create_ruleset(&attr, sizeof attr, 0);
    if (fd < 0)
        return fault_errno(fault, "no_descriptor", errno, "a sandbox's rules for files");
    *ruleset = (int)fd;
    return 0;
}

static uint64_t rights_of(enum landlock_use use, bool is_folder)
{
    uint64_t rights = FS_READ_FILE;
    if (use == LANDLOCK_WRITE)
        rights |= FS_WRITE_FILE;
    if (use == LANDLOCK_RUN)
        rights |= FS_EXECUTE;
    return is_folder ? rights | FS_READ_DIR : rights;
}

/* Makes system calls alone; -1 with errno. */
static int add_path(int ruleset, const char *path, enum landlock_use use)
{
    struct stat st;
    int fd = open(path, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = fstat(fd, &st);
    bool is_folder = result == 0 && S_ISDIR(st.st_mode);
    if (result == 0 && !(is_folder && use == LANDLOCK_WRITE)) {
        const struct path_attr attr = {.allowed_access = rights_of(use, is_folder), .parent_fd = fd};
        result = (int)syscall(SYS_landlock_add_rule, ruleset, RULE_PATH, &attr, 0);
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return result;
}

int landlock_allow_path(int ruleset, const char *path, enum landlock_use use, struct fault *fault)
{
    if (add_path(ruleset, path, use) == 0)
        return 0;
    /* the last: the kernel's own file systems cannot be ruled over, nor need they be */
    if (errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP || errno == EBADFD)
        return 0;
    return fault_errno(fault, "no_descriptor", errno, "a sandbox's rule for %s", path);
}

int landlock_allow_port(int ruleset, uint16_t port, struct fault *fault)
{
    const struct port_attr attr = {.allowed_access = NET_CONNECT_TCP, .port = port};
    if (syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, &attr, 0))
        return fault_errno(fault, "internal", errno, "a sandbox's rule for TCP port %u", (unsigned)port);
    return 0;
}

int landlock_enter(int ruleset)
{
    /* it means this process, so it cannot be allowed beforehand; where /proc is not there it is not needed */
    if (add_path(ruleset, "/proc/self", LANDLOCK_READ) && errno != ENOENT && errno != EACCES)
        return -1;
    return (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
}
