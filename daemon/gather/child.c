#include "gather/child.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPORT_FD 3   /* in the child: says why there was no exec */
#define EXIT_MS   200 /* a process that ends closes its pipes a moment before it is seen to have ended */

enum { READ_END, WRITE_END };

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* In the child between fork and exec: only async-signal-safe calls. */
static void child_run(char *const argv[], const int fds[3], int report, const struct sandbox_entry *entry)
{
    static char *const empty[] = {NULL};
    const struct sigaction by_default = {.sa_handler = SIG_DFL}, ignored = {.sa_handler = SIG_IGN};
    sigset_t nothing;
    sigemptyset(&nothing);
    if (dup3(report, REPORT_FD, O_CLOEXEC) < 0)
        goto failed;
    report = REPORT_FD;
    if (setsid() < 0 || sigprocmask(SIG_SETMASK, &nothing, NULL) || sigaction(SIGPIPE, &by_default, NULL) ||
        /* what it may not write is an error to it, not its end */
        sigaction(SIGXFSZ, &ignored, NULL) || dup2(fds[0], STDIN_FILENO) < 0 ||
        dup2(fds[1], STDOUT_FILENO) < 0 || dup2(fds[2], STDERR_FILENO) < 0 || sandbox_enter(entry) ||
        syscall(SYS_close_range, REPORT_FD + 1U, ~0U, 0U))
        goto failed;
    execve(argv[0], argv, empty);
failed:;
    int error_number = errno;
    ssize_t n = write(report, &error_number, sizeof error_number);
    (void)n;
    _exit(127);
}

/* Pipes whose ends lie above the descriptors that the child gives new meanings to. */
static int open_pipes(int pipes[4][2], struct fault *fault)
{
    for (int i = 0; i < 4; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            return fault_errno(fault, "no_descriptor", errno, "pipe to a connector");
        for (int e = 0; e < 2; e++) {
            pipes[i][e] = fcntl(ends[e], F_DUPFD_CLOEXEC, 10);
            int saved = errno;
            close(ends[e]);
            if (pipes[i][e] < 0) {
                if (e == 0)
                    close(ends[1]);
                return fault_errno(fault, "no_descriptor", saved, "pipe to a connector");
            }
        }
    }
    return 0;
}

static int await_exec(int report, const char *path, struct fault *fault)
{
    int error_number;
    ssize_t n;
    do
        n = read(report, &error_number, sizeof error_number);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return 0;
    if (n != sizeof error_number)
        error_number = n < 0 ? errno : EIO;
    return fault_errno(fault, "source_start", error_number, "connector %s cannot be started", path);
}

int child_start(struct child *child, char *const argv[], const struct sandbox *sandbox, struct fault *fault)
{
    struct sandbox_entry entry = {.ruleset = -1};
    *child = (struct child){.in = -1, .out = -1, .log = -1};
    int pipes[4][2] = {{-1, -1}, {-1, -1}, {-1, -1}, {-1, -1}};
    enum { IN, OUT, LOG, REPORT };
    if (sandbox_begin(sandbox, &entry, fault) || open_pipes(pipes, fault))
        goto failed;
    pid_t pid = fork();
    if (pid < 0) {
        fault_errno(fault, "no_process", errno, "connector %s cannot be started", argv[0]);
        goto failed;
    }
    if (pid == 0) {
        const int fds[3] = {pipes[IN][READ_END], pipes[OUT][WRITE_END], pipes[LOG][WRITE_END]};
        child_run(argv, fds, pipes[REPORT][WRITE_END], &entry);
    }
    child->pid = pid;
    close_fd(&pipes[IN][READ_END]);
    close_fd(&pipes[OUT][WRITE_END]);
    close_fd(&pipes[LOG][WRITE_END]);
    close_fd(&pipes[REPORT][WRITE_END]);
    child->in = pipes[IN][WRITE_END];
    child->out = pipes[OUT][READ_END];
    child->log = pipes[LOG][READ_END];
    pipes[IN][WRITE_END] = pipes[OUT][READ_END] = pipes[LOG][READ_END] = -1;
    if (await_exec(pipes[REPORT][READ_END], argv[0], fault))
        goto failed;
    close_fd(&pipes[REPORT][READ_END]);
    if (fcntl(child->out, F_SETFL, O_NONBLOCK) || fcntl(child->log, F_SETFL, O_NONBLOCK) ||
        fcntl(child->in, F_SETFL, O_NONBLOCK)) {
        fault_errno(fault, "internal", errno, "pipe to a connector");
        goto failed;
    }
    sandbox_end(&entry);
    return 0;
failed:
    sandbox_end(&entry);
    for (int i = 0; i < 4; i++) {
        close_fd(&pipes[i][0]);
        close_fd(&pipes[i][1]);
    }
    child_end(child, 0);
    return -1;
}

/* Waits until the process has left, without reaping it: as long as it is not reaped its group's number is its
 * own. Its pipes are drained meanwhile, so that a last word does not hold it up. */
static void await_exit(struct child *child, int grace_ms)
{
    int64_t until = clock_now_ms() + grace_ms;
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) && errno != EINTR)
            return;
        int64_t left = until - clock_now_ms();
        if (info.si_pid == child->pid || left <= 0)
            return;
        char waste[4096];
        struct pollfd p[2] = {{.fd = child->out, .events = POLLIN}, {.fd = child->log, .events = POLLIN}};
        poll(p, 2, left < 10 ? (int)left : 10);
        for (int i = 0; i < 2; i++)
            if (p[i].revents && read(p[i].fd, waste, sizeof waste) == 0)
                close_fd(i == 0 ? &child->out : &child->log);
    }
}

int child_signal(const struct child *child)
{
    int64_t until = clock_now_ms() + EXIT_MS;
    siginfo_t info = {0};
    while (child->pid > 0 && info.si_pid != child->pid && clock_now_ms() < until) {
        if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) && errno != EINTR)
            return 0;
        if (info.si_pid != child->pid)
            poll(NULL, 0, 1);
    }
    return info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED ? info.si_status : 0;
}

int child_end(struct child *child, int grace_ms)
{
    close_fd(&child->in);
    int status = 0;
    if (child->pid > 0) {
        await_exit(child, grace_ms);
        kill(-child->pid, SIGKILL);
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
            ;
        child->pid = 0;
    }
    close_fd(&child->out);
    close_fd(&child->log);
    return status;
}
