#include "sandbox/loose.h"

#include "sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSED        SCMP_ACT_ERRNO(EPERM)
#define NO_SOCKET      SCMP_ACT_ERRNO(EACCES)
#define NOT_THERE      SCMP_ACT_ERRNO(ENOSYS)
#define SOCK_TYPE_BITS 0xfu /* below them are flags */
#define TYPES_N        16u

/* Without CLONE_NEWTIME: its bit is part of the signal's number for clone(2), and only clone3(2) and unshare(2) know it. */
static const unsigned long namespaces[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                           CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

static bool family_serves(int family, const struct loose_options *options)
{
    if (family == AF_UNIX)
        return options->unix_sockets;
    return (family == AF_INET || family == AF_INET6) && (options->tcp || options->names);
}

static bool type_serves(unsigned type, const struct loose_options *options)
{
    return (type == SOCK_STREAM && (options->tcp || options->unix_sockets)) ||
           (type == SOCK_DGRAM && options->names);
}

static bool protocol_serves(int protocol)
{
    return protocol == 0 || protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* What is left over is TCP, UDP and connections in the file system, as far as the options go: MPTCP, SCTP, raw and
 * netlink sockets and the like are not. */
static int add_sockets(scmp_filter_ctx filter, const struct loose_options *options)
{
    int result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_INET6));
    for (int family = 0; family <= AF_INET6 && !result; family++)
        if (!family_serves(family, options))
            result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socket), 1,
                                      SCMP_A0(SCMP_CMP_MASKED_EQ, CALLS_INT_BITS, (unsigned)family));
    for (unsigned type = 0; type < TYPES_N && !result; type++)
        if (!type_serves(type, options))
            result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socket), 1,
                                      SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_TYPE_BITS, type));
    if (!result)
        result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socket), 1, SCMP_A2(SCMP_CMP_GT, IPPROTO_UDP));
    for (int protocol = 0; protocol <= IPPROTO_UDP && !result; protocol++)
        if (!protocol_serves(protocol))
            result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socket), 1,
                                      SCMP_A2(SCMP_CMP_MASKED_EQ, CALLS_INT_BITS, (unsigned)protocol));
    return result;
}

/* A pair is connected to itself, but for datagrams, which may be sent to any socket's name. */
static int add_pairs(scmp_filter_ctx filter)
{
    int result = 0;
    for (unsigned type = 0; type < TYPES_N && !result; type++)
        if (type != SOCK_STREAM)
            result = seccomp_rule_add(filter, NO_SOCKET, SCMP_SYS(socketpair), 1,
                                      SCMP_A1(SCMP_CMP_MASKED_EQ, SOCK_TYPE_BITS, type));
    return result;
}

static int add_processes(scmp_filter_ctx filter, const struct loose_options *options)
{
    static const char *const starting[] = {"fork", "vfork", NULL};
    /* what leaves the process group would not be ended with it */
    static const char *const leaving[] = {"setsid", "setpgid", NULL};
    int result = 0;
    for (size_t i = 0; i < sizeof namespaces / sizeof *namespaces && !result; i++)
        result = seccomp_rule_add(filter, REFUSED, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
    if (result || options->processes)
        return result ? result : calls_add(filter, REFUSED, leaving);
    if (!CALLS_SANITIZED)
        result = seccomp_rule_add(filter, REFUSED, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    return result ? result : calls_add(filter, REFUSED, starting);
}

/* Calls that also reach other processes, and one that would let the process outlive us: what it may ask for is that a
 * process that it started ends with it. A descriptor's owner is sent signals, whoever it is. */
static int add_reaching(scmp_filter_ctx filter)
{
    static const unsigned owning[] = {F_SETOWN, F_SETOWN_EX, F_SETSIG}, giving[] = {FIOSETOWN, SIOCSPGRP};
    int result =
        seccomp_rule_add(filter, REFUSED, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_NE, 0)); /* 0: itself */
    if (!result)
        result = seccomp_rule_add(filter, REFUSED, SCMP_SYS(prctl), 2,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CALLS_INT_BITS, PR_SET_PDEATHSIG),
                                  SCMP_A1(SCMP_CMP_NE, SIGKILL));
    if (!result)
        result =
            calls_add_values(filter, REFUSED, SCMP_SYS(fcntl), 1, owning, sizeof owning / sizeof *owning);
    if (!result)
        result =
            calls_add_values(filter, REFUSED, SCMP_SYS(ioctl), 1, giving, sizeof giving / sizeof *giving);
    return result;
}

/* Before Linux 6.2 Landlock does not see that a file is emptied while it is opened, for reading or with the mode that is
 * neither, 3, for which it asks for no right at all. Opened for writing it is refused anyway. */
static int add_emptying(scmp_filter_ctx filter)
{
    static const struct {
        int number;
        unsigned flags_at;
    } calls[] = {{SCMP_SYS(open), 1}, {SCMP_SYS(openat), 2}};
    int result = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls && !result; i++) {
        if (calls[i].number < 0) /* another kind of machine has it */
            continue;
        result = seccomp_rule_add(
            filter, REFUSED, calls[i].number, 1,
            SCMP_CMP(calls[i].flags_at, SCMP_CMP_MASKED_EQ, O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC));
        if (!result)
            result = seccomp_rule_add(filter, REFUSED, calls[i].number, 1,
                                      SCMP_CMP(calls[i].flags_at, SCMP_CMP_MASKED_EQ, O_ACCMODE, O_ACCMODE));
    }
    return result;
}

static int add_rules(scmp_filter_ctx filter, const struct loose_options *options)
{
    int result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (!result)
        result = calls_add(filter, REFUSED, calls_hostile);
    if (!result)
        result = calls_add(filter, REFUSED, calls_needless);
    if (!result)
        result = calls_add(filter, NOT_THERE, calls_opaque);
    if (!result)
        result = calls_add_fast_open(filter, REFUSED);
    if (!result)
        result = add_sockets(filter, options);
    if (!result)
        result = add_pairs(filter);
    if (!result)
        result = add_processes(filter, options);
    if (!result)
        result = add_emptying(filter);
    return result ? result : add_reaching(filter);
}

/* libseccomp hands its program out through a file alone. */
static int export_program(scmp_filter_ctx filter, struct sock_fprog *program, struct fault *fault)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0)
        return fault_errno(fault, "no_descriptor", errno, "a sandbox's filter");
    int result = -1;
    off_t size = seccomp_export_bpf(filter, fd) ? -1 : lseek(fd, 0, SEEK_END);
    if (size <= 0 || size > (off_t)(BPF_MAXINSNS * sizeof *program->filter)) {
        fault_retry(fault, "no_memory", "no memory for a sandbox's filter");
    } else if ((program->filter = malloc((size_t)size)) == NULL ||
               pread(fd, program->filter, (size_t)size, 0) != size) {
        free(program->filter);
        program->filter = NULL;
        fault_retry(fault, "no_memory", "no memory for a sandbox's filter");
    } else {
        program->len = (unsigned short)((size_t)size / sizeof *program->filter);
        result = 0;
    }
    close(fd);
    return result;
}

int loose_new(struct sock_fprog *program, const struct loose_options *options, struct fault *fault)
{
    *program = (struct sock_fprog){.len = 0};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (!filter)
        return fault_retry(fault, "no_memory", "no memory for a sandbox's filter");
    int error = add_rules(filter, options);
    int result = error ? fault_errno(fault, "internal", -error, "a sandbox's filter")
                       : export_program(filter, program, fault);
    seccomp_release(filter);
    return result;
}

static int load(const struct sock_fprog *program)
{
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, program);
}

/* What libseccomp cannot say: calls above a number, and the process's own id, which is only known once it is there. The
 * other program refuses foreign kinds of system calls, so their numbers need no second look. */
static int load_own(bool own_signals)
{
    enum { NUMBER, NEW, KILL, TGKILL, QUEUE, TGQUEUE, TARGET, IS_OWN, ALLOW, REFUSE, ABSENT, N };
#define TO(at, to) ((uint8_t)((to) - (at)-1))
    struct sock_filter code[N] = {
        [NUMBER] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        [NEW] = BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, CALLS_NEWEST, TO(NEW, ABSENT), 0),
        [KILL] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, TO(KILL, TARGET), 0),
        [TGKILL] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, TO(TGKILL, TARGET), 0),
        [QUEUE] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigqueueinfo, TO(QUEUE, TARGET), 0),
        [TGQUEUE] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_tgsigqueueinfo, 0, TO(TGQUEUE, ALLOW)),
        /* the lower half of the first argument, all that the kernel reads of it */
        [TARGET] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                            offsetof(struct seccomp_data, args[0]) +
                                (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0)),
        [IS_OWN] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 0, TO(IS_OWN, REFUSE)),
        [ALLOW] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        [REFUSE] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        [ABSENT] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
#undef TO
    if (!own_signals)
        code[KILL] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return load(&(struct sock_fprog){.len = N, .filter = code});
}

int loose_enter(const struct sock_fprog *program, bool own_signals)
{
    return load(program) || load_own(own_signals) ? -1 : 0;
}
