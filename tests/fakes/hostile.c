/* A connector that has been taken over: fake-hostile [--strict] ATTEMPT [ARGUMENT]
 *
 * Makes one attempt to get out of its sandbox and says how it came out: `done`, or `refused ERRNO`. With --strict it has
 * put itself under the inner filter before. Exit status: 0 when it could say so, 2 for an attempt that it does not know.
 */
#include "sandbox/strict.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROTOCOL_MPTCP 262
#define CALL_FCHMODAT2 452

/* Each attempt gives -1 with errno when it was refused. */

static int fail_with(int number)
{
    errno = number;
    return -1;
}

/* --- files --- */

static int try_read(const char *path)
{
    char byte;
    int fd = open(path, O_RDONLY);
    return fd < 0 || read(fd, &byte, 1) < 0 ? -1 : 0;
}

static int try_list(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY) < 0 ? -1 : 0;
}

static int try_write(const char *path)
{
    int fd = open(path, O_WRONLY);
    return fd < 0 || write(fd, "x", 1) != 1 ? -1 : 0;
}

static int try_create(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0)
        return -1;
    unlink(path);
    return 0;
}

static int try_append_nameless(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR, 0600);
    return fd < 0 || write(fd, "x", 1) != 1 ? -1 : 0;
}

static int try_chmod(const char *path)
{
    return chmod(path, 0666);
}

static int try_chmod_newer(const char *path)
{
    return (int)syscall(CALL_FCHMODAT2, AT_FDCWD, path, 0666, 0);
}

static int try_unlink(const char *path)
{
    return unlink(path);
}

static int try_truncate(const char *path)
{
    return truncate(path, 7);
}

/* A file that may be read. */
static int try_empty(const char *path)
{
    return open(path, O_RDONLY | O_TRUNC | O_CLOEXEC);
}

/* Mode 3 gives neither reading nor writing, and asks Landlock for no right. */
static int try_empty_unread(const char *path)
{
    return open(path, O_ACCMODE | O_TRUNC | O_CLOEXEC);
}

static int try_mkdir(const char *path)
{
    return mkdir(path, 0700) || rmdir(path) ? -1 : 0;
}

static int try_touch(const char *path)
{
    return utimensat(AT_FDCWD, path, NULL, 0);
}

/* --- connections --- */

static struct sockaddr_in address_of(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int connect_by(int type, int protocol, const char *port)
{
    const struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, type, protocol);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, sizeof address);
}

static int try_tcp(const char *port)
{
    return connect_by(SOCK_STREAM, 0, port);
}

static int try_mptcp(const char *port)
{
    return connect_by(SOCK_STREAM, PROTOCOL_MPTCP, port);
}

static int try_udp(const char *port)
{
    return connect_by(SOCK_DGRAM, 0, port);
}

static int try_raw(const char *argument)
{
    (void)argument;
    return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int try_netlink(const char *argument)
{
    (void)argument;
    return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int try_fast_open(const char *port)
{
    const struct sockaddr_in address = address_of(port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || sendto(fd, "x", 1, MSG_FASTOPEN, (const struct sockaddr *)&address, sizeof address) != 1
               ? -1
               : 0;
}

static int try_fast_open_message(const char *port)
{
    struct sockaddr_in address = address_of(port);
    char byte = 'x';
    struct iovec part = {&byte, 1};
    const struct msghdr message = {
        .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || sendmsg(fd, &message, MSG_FASTOPEN) != 1 ? -1 : 0;
}

static int try_listen(const char *argument)
{
    const struct sockaddr_in address = address_of("0");
    (void)argument;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) || listen(fd, 1) ? -1 : 0;
}

/* A name that begins with @ lies in no file system. */
static socklen_t unix_address(struct sockaddr_un *address, const char *name)
{
    size_t len = strlen(name);
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof address->sun_path)
        exit(2);
    memcpy(address->sun_path, name, len);
    if (*name == '@')
        address->sun_path[0] = '\0';
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

static int try_unix(const char *name)
{
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, name);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&address, size);
}

/* One end of a pair is a socket like any other. */
static int try_unix_pair(const char *name)
{
    int ends[2];
    struct sockaddr_un address;
    socklen_t size = unix_address(&address, name);
    if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends))
        return -1;
    return sendto(ends[0], "x", 1, 0, (const struct sockaddr *)&address, size) == 1 ? 0 : -1;
}

/* --- processes --- */

static int end_of(pid_t pid)
{
    int status = 0;
    return pid < 0 || waitpid(pid, &status, 0) != pid || status ? -1 : 0;
}

static int try_exec(const char *path)
{
    execl(path, path, (char *)NULL);
    return -1;
}

static int try_fork(const char *argument)
{
    (void)argument;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return end_of(pid);
}

/* Its processes are ended with its group. */
static int try_fork_bomb(const char *most)
{
    long n = strtol(most, NULL, 10);
    for (long i = 0; i < n; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            close(STDOUT_FILENO);
            pause();
            _exit(0);
        }
        if (pid < 0)
            return -1;
    }
    return 0;
}

static void *wait_for_ever(void *argument)
{
    pause();
    return argument;
}

static int try_threads(const char *most)
{
    long n = strtol(most, NULL, 10);
    for (long i = 0; i < n; i++) {
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstacksize(&attributes, 65536);
        int error = pthread_create(&thread, &attributes, wait_for_ever, NULL);
        if (error)
            return fail_with(error);
    }
    return 0;
}

static int try_new_user(const char *argument)
{
    (void)argument;
    return unshare(CLONE_NEWUSER);
}

static int try_clone_user(const char *argument)
{
    (void)argument;
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(0);
    return end_of(pid);
}

static int try_clone3_user(const char *argument)
{
    struct {
        uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
    } options = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
    (void)argument;
    pid_t pid = (pid_t)syscall(SYS_clone3, &options, sizeof options);
    if (pid == 0)
        _exit(0);
    return end_of(pid);
}

static int try_leave_group(const char *argument)
{
    (void)argument;
    pid_t pid = fork();
    if (pid == 0)
        _exit(setsid() < 0);
    if (pid < 0)
        exit(2); /* it is not about forking */
    return end_of(pid) ? fail_with(EPERM) : 0;
}

static int try_ptrace(const char *pid)
{
    pid_t other = (pid_t)strtol(pid, NULL, 10);
    long result = ptrace(PTRACE_SEIZE, other, NULL, NULL);
    return (int)result;
}

static int try_vm_read(const char *pid)
{
    char mine[1];
    const struct iovec here = {mine, 1}, there = {&environ, 1};
    /* whatever lies there: no address of it need be known to see whether it may be asked for */
    ssize_t n = process_vm_readv((pid_t)strtol(pid, NULL, 10), &here, 1, &there, 1, 0);
    return n == 1 || errno == EFAULT ? 0 : -1;
}

static int try_kill(const char *pid)
{
    return kill((pid_t)strtol(pid, NULL, 10), 0);
}

static int try_tgkill(const char *pid)
{
    pid_t other = (pid_t)strtol(pid, NULL, 10);
    return (int)syscall(SYS_tgkill, other, other, 0);
}

static int try_tkill(const char *pid)
{
    return (int)syscall(SYS_tkill, (pid_t)strtol(pid, NULL, 10), 0);
}

static int try_queue(const char *pid)
{
    const union sigval value = {.sival_int = 0};
    return sigqueue((pid_t)strtol(pid, NULL, 10), 0, value);
}

static int try_kill_by_descriptor(const char *pid)
{
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)strtol(pid, NULL, 10), 0);
    return fd < 0 ? -1 : (int)syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0);
}

static int try_limit(const char *pid)
{
    struct rlimit now;
    pid_t other = (pid_t)strtol(pid, NULL, 10);
    return prlimit(other, RLIMIT_NOFILE, NULL, &now) || prlimit(other, RLIMIT_NOFILE, &now, NULL) ? -1 : 0;
}

/* A descriptor that sends signals to a process of its choice. */
static int try_own(const char *pid)
{
    int ends[2];
    return pipe(ends) ? -1 : fcntl(ends[0], F_SETOWN, (int)strtol(pid, NULL, 10));
}

static int try_own_newer(const char *pid)
{
    int ends[2];
    struct f_owner_ex owner = {F_OWNER_PID, (pid_t)strtol(pid, NULL, 10)};
    return pipe(ends) ? -1 : fcntl(ends[0], F_SETOWN_EX, &owner);
}

static int try_own_ioctl(const char *pid)
{
    int ends[2], owner = (int)strtol(pid, NULL, 10);
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) ? -1 : ioctl(ends[0], FIOSETOWN, &owner);
}

static int try_priority(const char *pid)
{
    id_t other = (id_t)strtoul(pid, NULL, 10);
    return setpriority(PRIO_PROCESS, other, getpriority(PRIO_PROCESS, other));
}

static int try_outlive(const char *argument)
{
    (void)argument;
    return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static int try_follow(const char *argument)
{
    (void)argument;
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

/* --- memory --- */

static int try_memory(const char *mib)
{
    size_t size = strtoul(mib, NULL, 10) << 20;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? -1 : 0;
}

static int try_shared_memory(const char *mib)
{
    size_t size = strtoul(mib, NULL, 10) << 20;
    void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? -1 : 0;
}

static int try_code(const char *argument)
{
    (void)argument;
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? -1 : 0;
}

static int try_code_later(const char *argument)
{
    (void)argument;
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return data == MAP_FAILED ? -1 : mprotect(data, 4096, PROT_READ | PROT_EXEC);
}

static int try_nameless_file(const char *argument)
{
    (void)argument;
    return memfd_create("code", 0);
}

static int try_shared_segment(const char *argument)
{
    (void)argument;
    int id = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
    if (id < 0)
        return -1;
    shmctl(id, IPC_RMID, NULL);
    return 0;
}

static int try_descriptors(const char *most)
{
    long n = strtol(most, NULL, 10);
    for (long i = 0; i < n; i++)
        if (dup(STDOUT_FILENO) < 0)
            return -1;
    return 0;
}

static int try_core(const char *argument)
{
    struct rlimit now;
    const struct rlimit wanted = {.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
    (void)argument;
    if (getrlimit(RLIMIT_CORE, &now) || now.rlim_max)
        return 0;
    return setrlimit(RLIMIT_CORE, &wanted);
}

/* --- the kernel --- */

static int try_ring(const char *argument)
{
    char options[256] = {0};
    (void)argument;
    return (int)syscall(SYS_io_uring_setup, 1, options);
}

static int try_bpf(const char *argument)
{
    struct {
        uint32_t type, key_size, value_size, max_entries;
        char rest[128];
    } options = {.type = 2, .key_size = 4, .value_size = 4, .max_entries = 1};
    (void)argument;
    return (int)syscall(SYS_bpf, 0, &options, sizeof options);
}

static int try_userfault(const char *argument)
{
    (void)argument;
    return (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY);
}

static int try_keys(const char *argument)
{
    (void)argument;
    return (int)syscall(SYS_keyctl, 0, -3, 0); /* KEYCTL_GET_KEYRING_ID of the session's */
}

/* Of a kind that there is not, so that it mounts nothing where it is allowed to. */
static int try_mount(const char *folder)
{
    return mount("none", folder, "no-such-kind", 0, NULL) && errno != ENODEV ? -1 : 0;
}

static int try_chroot(const char *path)
{
    return chroot(path);
}

static int try_personality(const char *argument)
{
    (void)argument;
    return personality(READ_IMPLIES_EXEC);
}

/* --- what was left to it --- */

static int try_environment(const char *argument)
{
    (void)argument;
    return *environ ? 0 : fail_with(ENOENT);
}

static int try_leftovers(const char *argument)
{
    (void)argument;
    for (int fd = 3; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            return 0;
    return fail_with(EBADF);
}

static int try_privileges(const char *argument)
{
    (void)argument;
    return setresuid(65534, 65534, 65534);
}

/* Says hello and, asked for anything, does what no connector does. */
static int try_speak(const char *pid)
{
    static const char hello[] =
        "{\"type\":\"hello\",\"protocol\":1,\"name\":\"hostile\",\"version\":\"1\",\"settings\":[],"
        "\"collections\":"
        "[{\"name\":\"things\",\"title\":\"Things\",\"category\":\"things\",\"needs\":[\"email\"]}]}\n";
    char byte;
    if (write(STDOUT_FILENO, hello, sizeof hello - 1) < 0 || read(STDIN_FILENO, &byte, 1) != 1)
        exit(0);
    return try_ptrace(pid);
}

static const struct {
    const char *name;
    int (*try_cb)(const char *argument);
} attempts[] = {
    {"read", try_read},
    {"list", try_list},
    {"write", try_write},
    {"create", try_create},
    {"nameless", try_append_nameless},
    {"chmod", try_chmod},
    {"chmod-newer", try_chmod_newer},
    {"unlink", try_unlink},
    {"mkdir", try_mkdir},
    {"truncate", try_truncate},
    {"empty", try_empty},
    {"empty-unread", try_empty_unread},
    {"touch", try_touch},
    {"tcp", try_tcp},
    {"mptcp", try_mptcp},
    {"udp", try_udp},
    {"raw", try_raw},
    {"netlink", try_netlink},
    {"fast-open", try_fast_open},
    {"fast-open-message", try_fast_open_message},
    {"listen", try_listen},
    {"unix", try_unix},
    {"unix-pair", try_unix_pair},
    {"exec", try_exec},
    {"fork", try_fork},
    {"fork-bomb", try_fork_bomb},
    {"threads", try_threads},
    {"new-user", try_new_user},
    {"clone-user", try_clone_user},
    {"clone3-user", try_clone3_user},
    {"leave-group", try_leave_group},
    {"ptrace", try_ptrace},
    {"vm-read", try_vm_read},
    {"kill", try_kill},
    {"tgkill", try_tgkill},
    {"tkill", try_tkill},
    {"queue", try_queue},
    {"own", try_own},
    {"own-newer", try_own_newer},
    {"own-ioctl", try_own_ioctl},
    {"kill-by-descriptor", try_kill_by_descriptor},
    {"limit", try_limit},
    {"priority", try_priority},
    {"outlive", try_outlive},
    {"follow", try_follow},
    {"memory", try_memory},
    {"shared-memory", try_shared_memory},
    {"code", try_code},
    {"code-later", try_code_later},
    {"nameless-file", try_nameless_file},
    {"shared-segment", try_shared_segment},
    {"descriptors", try_descriptors},
    {"core", try_core},
    {"ring", try_ring},
    {"bpf", try_bpf},
    {"userfault", try_userfault},
    {"keys", try_keys},
    {"mount", try_mount},
    {"chroot", try_chroot},
    {"personality", try_personality},
    {"environment", try_environment},
    {"leftovers", try_leftovers},
    {"privileges", try_privileges},
    {"speak", try_speak},
};

int main(int argc, char **argv)
{
    struct fault fault;
    int at = argc > 1 && strcmp(argv[1], "--strict") == 0 ? 2 : 1;
    if (at == 2 && strict_enter(&fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 2;
    }
    for (size_t i = 0; argc > at && i < sizeof attempts / sizeof *attempts; i++) {
        if (strcmp(attempts[i].name, argv[at]) != 0)
            continue;
        if (attempts[i].try_cb(argc > at + 1 ? argv[at + 1] : "") < 0)
            printf("refused %s\n", strerrorname_np(errno));
        else
            puts("done");
        return 0;
    }
    fprintf(stderr, "fake-hostile: no such attempt\n");
    return 2;
}
