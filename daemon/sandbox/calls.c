#include "sandbox/calls.h"

#include <sys/socket.h>

const char *const calls_hostile[] = {
/* other processes; the sanitizers' search for leaks traces its own */
#ifndef DSAR_SANITIZED
    "ptrace", "process_vm_readv",
#endif
    "process_vm_writev", "process_madvise", "process_mrelease", "pidfd_open", "pidfd_getfd",
    "pidfd_send_signal", "kcmp", "tkill", "migrate_pages", "move_pages",
    /* the kernel's insides */
    "bpf", "perf_event_open", "userfaultfd", "kexec_load", "kexec_file_load", "init_module", "finit_module",
    "delete_module", "reboot", "swapon", "swapoff", "syslog", "acct", "quotactl", "quotactl_fd", "iopl",
    "ioperm", "modify_ldt", "vhangup", "lookup_dcookie", "uselib", "sysfs", "_sysctl", "nfsservctl",
    "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime", "sethostname", "setdomainname",
    "fanotify_init",
    /* keys of the user */
    "add_key", "request_key", "keyctl",
    /* another view of the system */
    "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
    "move_mount", "open_tree", "mount_setattr", "unshare", "setns", "open_by_handle_at", "name_to_handle_at",
    NULL};

const char *const calls_needless[] = {
    /* what Landlock does not keep from being changed of a file, or only since Linux 6.2 */
    "truncate", "truncate64", "chmod", "fchmod", "fchmodat", "chown", "fchown", "lchown", "fchownat",
    "setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr", "utime", "utimes",
    "utimensat", "futimesat",
    /* priorities, also those of other processes of the same user */
    "setpriority", "sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set",
#ifndef DSAR_SANITIZED
    "sched_setaffinity", "personality",
#endif
    "mbind", "set_mempolicy", "set_mempolicy_home_node",
    /* ways to other processes */
    "shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semtimedop", "semctl", "msgget", "msgsnd",
    "msgrcv", "msgctl", "mq_open", "mq_unlink", "mq_timedsend", "mq_timedreceive", "mq_notify",
    "mq_getsetattr",
    /* servers */
    "bind", "listen", "accept", "accept4",
    /* files that have no name, so that no rule is about them */
    "memfd_create", "memfd_secret", NULL};

const char *const calls_opaque[] = {"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", NULL};

int calls_add(scmp_filter_ctx filter, uint32_t action, const char *const *list)
{
    int result = 0;
    for (; *list && !result; list++) {
        int number = seccomp_syscall_resolve_name(*list);
        /* negative: another kind of machine has it */
        if (number >= 0)
            result = seccomp_rule_add(filter, action, number, 0);
    }
    return result;
}

int calls_add_values(scmp_filter_ctx filter, uint32_t action, int number, unsigned argument,
                     const unsigned *values, size_t n_values)
{
    int result = 0;
    for (size_t i = 0; i < n_values && !result; i++)
        result = seccomp_rule_add(filter, action, number, 1,
                                  SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, CALLS_INT_BITS, values[i]));
    return result;
}

int calls_add_fast_open(scmp_filter_ctx filter, uint32_t action)
{
    static const struct {
        int number;
        unsigned flags_at;
    } calls[] = {{SCMP_SYS(sendto), 3}, {SCMP_SYS(sendmsg), 2}, {SCMP_SYS(sendmmsg), 3}};
    int result = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !result; i++)
        result =
            seccomp_rule_add(filter, action, calls[i].number, 1,
                             SCMP_CMP(calls[i].flags_at, SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, MSG_FASTOPEN));
    return result;
}
