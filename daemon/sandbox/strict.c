#include "sandbox/strict.h"

#include "sandbox/calls.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* What libraries try and do without is not there for them; what no connector of ours does ends it. */
#define NOT_THERE SCMP_ACT_ERRNO(ENOSYS)
#define ENDED     SCMP_ACT_KILL_PROCESS

/* Allowed whatever their arguments are. Which files are read, and that none is written, is seen to by Landlock and the limit
 * of their size: SQLite tries both. */
static const char *const allowed[] = {
    /* files */
    "open", "openat", "openat2", "close", "close_range", "read", "readv", "pwrite64", "ftruncate", "fsync",
    "fdatasync", "unlink", "pread64", "preadv", "preadv2", "write", "writev", "lseek", "fadvise64",
    "readahead", "sendfile", "splice", "dup", "dup2", "dup3", "fcntl", "flock", "umask", "stat", "lstat",
    "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getdents", "getdents64", "getcwd", "chdir", "fchdir", "getxattr", "lgetxattr", "fgetxattr",
    "listxattr", "llistxattr", "flistxattr",
    /* memory */
    "brk", "munmap", "mremap", "madvise", "mincore", "membarrier", "mlock", "mlock2", "munlock", "mlockall",
    "munlockall",
    /* threads; clone is below, as mmap and mprotect are */
    "futex", "set_robust_list", "get_robust_list", "set_tid_address", "rseq", "sched_yield",
    "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_get_priority_max",
    "sched_get_priority_min", "getcpu", "exit", "exit_group",
    /* signals, of which only its own process gets any: the outer layer sees to it */
    "kill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "restart_syscall", "pause",
    /* time */
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "times", "alarm",
    "setitimer", "getitimer", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait",
    "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "pipe", "pipe2",
    /* connections; to what, and by which sockets, is the outer layer's business */
    "socket", "socketpair", "connect", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg",
    "shutdown", "getsockname", "getpeername", "getsockopt", "setsockopt",
    /* about itself and the system */
    "getpid", "getppid", "gettid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getresuid", "getgid",
    "getegid", "getresgid", "getgroups", "getrusage", "getrlimit", "prlimit64", "getrandom", "uname",
    "sysinfo", "seccomp",
#ifdef DSAR_SANITIZED
    /* the search for leaks, and how a report is written */
    "ptrace", "process_vm_readv", "clone", "wait4", "prctl", "personality", "arch_prctl", "sched_setaffinity",
    "mmap", "mprotect",
#endif
    NULL};

/* Starting anything is not for connectors of ours. */
static const char *const starting[] = {"execve", "execveat", "fork", "vfork", NULL};

/* Memory is never written and executed, neither at once nor one after the other: libraries are still loaded, as plugins
 * of database clients are, but only from files. */
static int add_memory(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    if (!result)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC | PROT_WRITE, PROT_EXEC),
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0));
    return result ? result
                  : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
}

/* Threads, not processes. */
static int add_threads(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    return result ? result
                  : seccomp_rule_add(filter, ENDED, SCMP_SYS(clone), 1,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
}

/* Of calls with many meanings, those that libraries need. */
static int add_chosen(scmp_filter_ctx filter)
{
    static const unsigned requests[] = {FIONREAD, FIONBIO, TCGETS, FS_IOC_GETFLAGS, FS_IOC_FIEMAP};
    static const unsigned options[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ,
                                       PR_GET_SECCOMP};
    int result = calls_add_values(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1, requests,
                                  sizeof requests / sizeof *requests);
    return result ? result
                  : calls_add_values(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 0, options,
                                     sizeof options / sizeof *options);
}

static int add_rules(scmp_filter_ctx filter)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, ENDED);
    if (!result)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!result)
        result = calls_add(filter, SCMP_ACT_ALLOW, allowed);
    if (!result)
        result = calls_add(filter, ENDED, calls_hostile);
    if (!result)
        result = calls_add(filter, ENDED, starting);
    if (!result && !CALLS_SANITIZED)
        result = add_memory(filter);
    if (!result && !CALLS_SANITIZED)
        result = add_threads(filter);
    return result ? result : add_chosen(filter);
}

int strict_enter(struct fault *fault)
{
    if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL)
        return 0;
    scmp_filter_ctx filter = seccomp_init(NOT_THERE);
    if (!filter)
        return fault_retry(fault, "no_memory", "no memory for the filter of system calls");
    int error = add_rules(filter);
    if (!error)
        error = seccomp_load(filter);
    seccomp_release(filter);
    return error ? fault_errno(fault, "sandbox", -error, "the filter of system calls cannot be set up") : 0;
}
