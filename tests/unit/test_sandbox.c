#include "gather/child.h"
#include "sandbox/support.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MEMORY_MIB  64
#define FILES_MAX   32
#define THREADS_MAX 24

/* What attempts are made on. */
enum target {
    NOTHING,
    GIVEN,      /* a file that the sandbox grants */
    SECRET,     /* one that it does not */
    FOLDER,     /* where both lie */
    NEW,        /* a name in the folder that is free */
    PORT,       /* of TCP, granted */
    OTHER_PORT, /* not granted */
    DATAGRAMS,  /* a port of UDP */
    SOCKET,     /* in the file system */
    MAILBOX,    /* a socket there that takes datagrams */
    ABSTRACT,   /* a socket in no file system */
    PARENT,     /* the process that started it */
    PROGRAM,    /* one that no rule grants */
    ENVIRON,    /* the parent's environment */
    TOO_MUCH,
    TARGETS
};

static char targets[TARGETS][128];
static struct sandbox *confined, *unconfined;

/* --- what attempts are made on --- */

static void make_file(enum target target, const char *name)
{
    snprintf(targets[target], sizeof targets[target], "%.100s/%s", targets[FOLDER], name);
    int fd = open(targets[target], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, "content", 7) == 7);
    close(fd);
}

static void make_program(void)
{
    char line[512];
    snprintf(targets[PROGRAM], sizeof targets[PROGRAM], "%.100s/program", targets[FOLDER]);
    snprintf(line, sizeof line, "cp /bin/true %s", targets[PROGRAM]);
    assert_int_equal(system(line), 0);
}

static void make_port(enum target target, int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    snprintf(targets[target], sizeof targets[target], "%u", (unsigned)ntohs(address.sin_port));
}

static void make_socket(enum target target, const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(name);
    assert_true(len < sizeof address.sun_path);
    memcpy(address.sun_path, name, len);
    if (*name == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(
        bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 64), 0);
    snprintf(targets[target], sizeof targets[target], "%s", name);
}

static void make_sockets(void)
{
    char path[128];
    snprintf(path, sizeof path, "%.100s/socket", targets[FOLDER]);
    make_socket(SOCKET, path, SOCK_STREAM);
    snprintf(path, sizeof path, "%.100s/mailbox", targets[FOLDER]);
    make_socket(MAILBOX, path, SOCK_DGRAM);
    snprintf(path, sizeof path, "@dsard-test-%d", (int)getpid());
    make_socket(ABSTRACT, path, SOCK_STREAM);
}

static struct sandbox_options usual_options(void)
{
    static const char *run[] = {HOSTILE};
    static const char *read[] = {targets[GIVEN]};
    static uint16_t ports[1];
    ports[0] = (uint16_t)strtoul(targets[PORT], NULL, 10);
    return (struct sandbox_options){.run = run,
                                    .n_run = 1,
                                    .read = read,
                                    .n_read = 1,
                                    .ports = ports,
                                    .n_ports = 1,
                                    .memory_bytes = (uint64_t)MEMORY_MIB << 20,
                                    .files_max = FILES_MAX};
}

static struct sandbox *make(const struct sandbox_options *options)
{
    struct sandbox *sandbox;
    struct fault fault;
    if (sandbox_new(&sandbox, options, &fault))
        fail_msg("%s", fault.text);
    return sandbox;
}

static int set_up(void **state)
{
    snprintf(targets[FOLDER], sizeof targets[FOLDER], "/tmp/dsard-test-XXXXXX");
    assert_non_null(mkdtemp(targets[FOLDER]));
    assert_int_equal(chmod(targets[FOLDER], 0755), 0);
    make_file(GIVEN, "given");
    make_file(SECRET, "secret");
    make_program();
    snprintf(targets[NEW], sizeof targets[NEW], "%.100s/new", targets[FOLDER]);
    make_port(PORT, SOCK_STREAM);
    make_port(OTHER_PORT, SOCK_STREAM);
    make_port(DATAGRAMS, SOCK_DGRAM);
    make_sockets();
    snprintf(targets[PARENT], sizeof targets[PARENT], "%d", (int)getpid());
    snprintf(targets[ENVIRON], sizeof targets[ENVIRON], "/proc/%d/environ", (int)getpid());
    snprintf(targets[TOO_MUCH], sizeof targets[TOO_MUCH], "%d", 2 * MEMORY_MIB);
    setenv("DSAR_TEST_SECRET", "canary", 1);
    const struct sandbox_options none = {.is_open = true}, usual = usual_options();
    unconfined = make(&none);
    confined = make(&usual);
    return 0;
}

static int tear_down(void **state)
{
    char line[256];
    sandbox_free(confined);
    sandbox_free(unconfined);
    snprintf(line, sizeof line, "rm -rf %s", targets[FOLDER]);
    return system(line);
}

/* --- attempts --- */

enum outcome { DONE, REFUSED, ENDED /* by SIGSYS */ };

static void read_all(struct child *child, char *text, size_t cap)
{
    size_t len = 0;
    for (;;) {
        struct pollfd p = {.fd = child->out, .events = POLLIN};
        assert_true(poll(&p, 1, 20000) > 0);
        ssize_t n = read(child->out, text + len, cap - 1 - len);
        assert_true(n >= 0);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
}

/* Runs a program in the sandbox; what it said and how it ended. */
static int run(const struct sandbox *sandbox, char *const argv[], char *text, size_t cap)
{
    struct child child;
    struct fault fault;
    if (child_start(&child, argv, sandbox, &fault))
        fail_msg("%s", fault.text);
    read_all(&child, text, cap);
    return child_end(&child, 20000);
}

static enum outcome attempt(const struct sandbox *sandbox, bool is_strict, const char *name,
                            const char *argument)
{
    static char program[] = HOSTILE, strict[] = "--strict";
    char what[64], on[128], text[256];
    snprintf(what, sizeof what, "%s", name);
    snprintf(on, sizeof on, "%s", argument);
    char *const argv[] = {program, is_strict ? strict : what, is_strict ? what : on, is_strict ? on : NULL,
                          NULL};
    int status = run(sandbox, argv, text, sizeof text);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        return ENDED;
    /* a program that it could start says nothing */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && (!*text || strcmp(text, "done\n") == 0))
        return DONE;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || strncmp(text, "refused ", 8) != 0)
        fail_msg("%s %s: status %d, said '%s'", name, argument, status, text);
    return REFUSED;
}

/* How an attempt comes out, and whether it could succeed without the sandbox. */
struct escape {
    const char *name;
    enum target on;
    enum outcome loose, strict;
    enum {
        ANYWHERE,
        SOMEWHERE
    } possible; /* SOMEWHERE: not with every kernel and user, though for one it is */
    enum { BUILT_ANYHOW, BUILT_PLAIN } built; /* BUILT_PLAIN: sanitizers need it */
};

static const struct escape escapes[] = {
    /* files */
    {.name = "read", SECRET, REFUSED, REFUSED},
    {.name = "read", ENVIRON, REFUSED, REFUSED, SOMEWHERE},
    {.name = "list", FOLDER, REFUSED, REFUSED},
    {.name = "write", SECRET, REFUSED, REFUSED},
    {.name = "write", GIVEN, REFUSED, REFUSED},
    {.name = "create", NEW, REFUSED, REFUSED},
    {.name = "nameless", FOLDER, REFUSED, REFUSED, SOMEWHERE},
    {.name = "mkdir", NEW, REFUSED, REFUSED},
    {.name = "truncate", SECRET, REFUSED, REFUSED},
    {.name = "truncate", GIVEN, REFUSED, REFUSED},
    {.name = "empty", GIVEN, REFUSED, REFUSED},
    {.name = "empty-unread", GIVEN, REFUSED, REFUSED},
    {.name = "empty-unread", SECRET, REFUSED, REFUSED},
    {.name = "chmod", SECRET, REFUSED, REFUSED},
    {.name = "chmod-newer", SECRET, REFUSED, REFUSED, SOMEWHERE},
    {.name = "touch", SECRET, REFUSED, REFUSED},
    /* connections */
    {.name = "tcp", OTHER_PORT, REFUSED, REFUSED},
    {.name = "mptcp", OTHER_PORT, REFUSED, REFUSED, SOMEWHERE},
    {.name = "mptcp", PORT, REFUSED, REFUSED, SOMEWHERE},
    {.name = "fast-open", OTHER_PORT, REFUSED, REFUSED},
    {.name = "fast-open-message", OTHER_PORT, REFUSED, REFUSED},
    {.name = "udp", DATAGRAMS, REFUSED, REFUSED},
    {.name = "raw", NOTHING, REFUSED, REFUSED, SOMEWHERE},
    {.name = "netlink", NOTHING, REFUSED, REFUSED},
    {.name = "listen", NOTHING, REFUSED, REFUSED},
    {.name = "unix", SOCKET, REFUSED, REFUSED},
    {.name = "unix", ABSTRACT, REFUSED, REFUSED},
    {.name = "unix-pair", MAILBOX, REFUSED, REFUSED},
    /* processes */
    {.name = "exec", PROGRAM, REFUSED, ENDED},
    {.name = "fork", NOTHING, REFUSED, ENDED, ANYWHERE, BUILT_PLAIN},
    {.name = "clone-user", NOTHING, REFUSED, ENDED, SOMEWHERE, BUILT_PLAIN},
    {.name = "clone3-user", NOTHING, REFUSED, REFUSED, SOMEWHERE},
    {.name = "new-user", NOTHING, REFUSED, ENDED, SOMEWHERE},
    {.name = "ptrace", PARENT, REFUSED, ENDED, SOMEWHERE, BUILT_PLAIN},
    {.name = "vm-read", PARENT, REFUSED, ENDED, SOMEWHERE, BUILT_PLAIN},
    {.name = "kill", PARENT, REFUSED, REFUSED},
    {.name = "tgkill", PARENT, REFUSED, REFUSED},
    {.name = "tkill", PARENT, REFUSED, ENDED},
    {.name = "queue", PARENT, REFUSED, REFUSED},
    {.name = "own", PARENT, REFUSED, REFUSED},
    {.name = "own-newer", PARENT, REFUSED, REFUSED},
    {.name = "own-ioctl", PARENT, REFUSED, REFUSED},
    {.name = "kill-by-descriptor", PARENT, REFUSED, ENDED},
    {.name = "limit", PARENT, REFUSED, REFUSED},
    {.name = "priority", PARENT, REFUSED, REFUSED, SOMEWHERE},
    {.name = "outlive", NOTHING, REFUSED, REFUSED},
    {.name = "follow", NOTHING, DONE, REFUSED},
    /* memory: interpreters may make code, connectors of ours may not */
    {.name = "memory", TOO_MUCH, REFUSED, REFUSED},
    {.name = "shared-memory", TOO_MUCH, REFUSED, REFUSED},
    {.name = "code", NOTHING, DONE, REFUSED},
    {.name = "code-later", NOTHING, DONE, REFUSED},
    {.name = "nameless-file", NOTHING, REFUSED, REFUSED},
    {.name = "shared-segment", NOTHING, REFUSED, REFUSED},
    {.name = "descriptors", TOO_MUCH, REFUSED, REFUSED},
    /* the kernel */
    {.name = "ring", NOTHING, REFUSED, REFUSED, SOMEWHERE},
    {.name = "bpf", NOTHING, REFUSED, ENDED, SOMEWHERE},
    {.name = "userfault", NOTHING, REFUSED, ENDED, SOMEWHERE},
    {.name = "keys", NOTHING, REFUSED, ENDED, SOMEWHERE},
    {.name = "mount", FOLDER, REFUSED, ENDED, SOMEWHERE},
    {.name = "chroot", FOLDER, REFUSED, ENDED, SOMEWHERE},
    {.name = "personality", NOTHING, REFUSED, REFUSED, ANYWHERE, BUILT_PLAIN},
};

/* Attempts that nothing on its way would do, whatever sandbox. */
static const char *const nothing_left[] = {"core", "environment", "leftovers", "privileges"};

static bool is_plain(const struct escape *escape)
{
#ifdef DSAR_SANITIZED
    return escape->built == BUILT_PLAIN;
#else
    return false;
#endif
}

static void each_escape_is_refused(void **state)
{
    static const char *const words[] = {"done", "refused", "ended"};
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        const struct escape *escape = &escapes[i];
        const char *on = targets[escape->on];
        enum outcome open = attempt(unconfined, false, escape->name, on);
        if (open != DONE && escape->possible == ANYWHERE)
            fail_msg("%s %s: refused without a sandbox as well, which shows nothing", escape->name, on);
        if (open != DONE)
            print_message("%s: not possible here anyhow\n", escape->name);
        enum outcome loose = attempt(confined, false, escape->name, on);
        enum outcome strict = attempt(confined, true, escape->name, on);
        if (!is_plain(escape) && loose != escape->loose)
            fail_msg("%s %s: %s under the outer filter", escape->name, on, words[loose]);
        if (strict != escape->strict)
            fail_msg("%s %s: %s under both filters", escape->name, on, words[strict]);
    }
}

static void nothing_is_left_to_it(void **state)
{
    int low = open("/dev/null", O_RDONLY); /* not close-on-exec, as a library's might be */
    for (size_t i = 0; i < sizeof nothing_left / sizeof *nothing_left; i++) {
        assert_int_equal(attempt(confined, false, nothing_left[i], ""), REFUSED);
        assert_int_equal(attempt(unconfined, false, nothing_left[i], ""), REFUSED);
    }
    close(low);
}

static void what_is_granted_works(void **state)
{
    for (int strict = 0; strict <= 1; strict++) {
        assert_int_equal(attempt(confined, strict, "read", targets[GIVEN]), DONE);
        assert_int_equal(attempt(confined, strict, "read", "/dev/urandom"), DONE);
        assert_int_equal(attempt(confined, strict, "read", "/proc/self/status"), DONE);
        assert_int_equal(attempt(confined, strict, "tcp", targets[PORT]), DONE);
        assert_int_equal(attempt(confined, strict, "write", "/dev/null"), DONE);
    }
    assert_int_equal(attempt(confined, false, "exec", "/bin/true"), DONE);
    assert_int_equal(attempt(confined, false, "threads", "3"), DONE);
    assert_int_equal(attempt(confined, true, "threads", "3"), DONE);
}

static void without_ports_nothing_connects(void **state)
{
    struct sandbox_options options = usual_options();
    options.n_ports = 0;
    struct sandbox *sandbox = make(&options);
    assert_int_equal(attempt(sandbox, false, "tcp", targets[PORT]), REFUSED);
    assert_int_equal(attempt(sandbox, true, "tcp", targets[PORT]), REFUSED);
    sandbox_free(sandbox);
}

static void names_take_datagrams(void **state)
{
    struct sandbox_options options = usual_options();
    options.names = true;
    struct sandbox *sandbox = make(&options);
    assert_int_equal(attempt(sandbox, false, "udp", targets[DATAGRAMS]), DONE);
    assert_int_equal(attempt(sandbox, true, "udp", targets[DATAGRAMS]), DONE);
    assert_int_equal(attempt(sandbox, false, "unix", targets[SOCKET]), REFUSED);
    sandbox_free(sandbox);
}

static void sockets_in_the_file_system_only_where_they_are_granted(void **state)
{
    struct sandbox_options options = usual_options();
    options.unix_sockets = true;
    struct sandbox *sandbox = make(&options);
    assert_int_equal(attempt(sandbox, false, "unix", targets[SOCKET]), DONE);
    assert_int_equal(attempt(sandbox, true, "unix", targets[SOCKET]), DONE);
    if (support_has(SUPPORT_SIGNALS)) /* it came to Landlock together with those */
        assert_int_equal(attempt(sandbox, false, "unix", targets[ABSTRACT]), REFUSED);
    assert_int_equal(attempt(sandbox, false, "udp", targets[DATAGRAMS]), REFUSED);
    sandbox_free(sandbox);
}

static void processes_stay_in_reach(void **state)
{
    struct sandbox_options options = usual_options();
    options.processes = true;
    struct sandbox *sandbox = make(&options);
    assert_int_equal(attempt(unconfined, false, "leave-group", ""), DONE);
    assert_int_equal(attempt(sandbox, false, "fork", ""), DONE);
    assert_int_equal(attempt(sandbox, false, "leave-group", ""), REFUSED);
    assert_int_equal(attempt(sandbox, false, "new-user", ""), REFUSED);
    assert_int_equal(attempt(sandbox, false, "clone-user", ""), REFUSED);
    if (support_has(SUPPORT_SIGNALS))
        assert_int_equal(attempt(sandbox, false, "kill", targets[PARENT]), REFUSED);
    sandbox_free(sandbox);
}

/* --- another user, which takes root --- */

static struct sandbox *make_for_nobody(struct user *user, unsigned processes_max)
{
    struct fault fault;
    struct sandbox_options options = usual_options();
    assert_int_equal(user_find("65533", user, &fault), 0);
    options.user = user;
    options.processes = true;
    options.processes_max = processes_max;
    return make(&options);
}

static void it_runs_as_another_user(void **state)
{
    struct user user;
    char text[2048];
    static char program[] = "/bin/cat", path[] = "/proc/self/status";
    char *const argv[] = {program, path, NULL};
    if (geteuid() != 0)
        skip();
    struct sandbox *sandbox = make_for_nobody(&user, 0);
    assert_int_equal(run(sandbox, argv, text, sizeof text), 0);
    assert_non_null(strstr(text, "Uid:\t65533\t65533\t65533\t65533"));
    assert_non_null(strstr(text, "Gid:\t65533\t65533\t65533\t65533"));
    assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
    /* granted, but not its own */
    assert_int_equal(attempt(sandbox, false, "read", targets[GIVEN]), REFUSED);
    sandbox_free(sandbox);
}

static void a_fork_bomb_meets_its_limit(void **state)
{
    struct user user;
    if (geteuid() != 0)
        skip();
    struct sandbox *unlimited = make_for_nobody(&user, 0);
    assert_int_equal(attempt(unlimited, false, "threads", "100"), DONE);
    sandbox_free(unlimited);
    struct sandbox *limited = make_for_nobody(&user, THREADS_MAX);
    assert_int_equal(attempt(limited, false, "threads", "10"), DONE);
    assert_int_equal(attempt(limited, false, "threads", "100"), REFUSED);
    assert_int_equal(attempt(limited, false, "fork-bomb", "100"), REFUSED);
    sandbox_free(limited);
}

static void who_reads_all_reads_only_what_is_granted(void **state)
{
    struct user user;
    if (geteuid() != 0)
        skip();
    struct fault fault;
    struct sandbox_options options = usual_options();
    assert_int_equal(user_find("65533", &user, &fault), 0);
    options.user = &user;
    options.reads_all = true;
    struct sandbox *sandbox = make(&options);
    assert_int_equal(attempt(sandbox, false, "read", targets[GIVEN]), DONE);
    assert_int_equal(attempt(sandbox, false, "read", targets[SECRET]), REFUSED);
    assert_int_equal(attempt(sandbox, false, "read", "/etc/shadow"), REFUSED);
    sandbox_free(sandbox);
}

static void a_user_that_is_none(void **state)
{
    struct user user;
    struct fault fault;
    assert_int_equal(user_find("no-such-user-here", &user, &fault), -1);
    assert_string_equal(fault.text, "user 'no-such-user-here': there is none");
    assert_int_equal(user_find("root", &user, &fault), -1);
    assert_string_equal(fault.text, "user 'root': expected another user than root");
}

static void it_ends_with_the_thread_that_started_it(void **state)
{
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        static char program[] = "/bin/sleep", time[] = "600";
        char *const argv[] = {program, time, NULL};
        struct child child;
        struct fault fault;
        pid_t started = child_start(&child, argv, confined, &fault) ? -1 : child.pid;
        ssize_t n = write(ends[1], &started, sizeof started);
        _exit(n != sizeof started);
    }
    close(ends[1]);
    pid_t started;
    assert_int_equal(read(ends[0], &started, sizeof started), (ssize_t)sizeof started);
    assert_true(started > 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    /* it is nobody's child of ours, so it is gone or a zombie of whoever adopted it */
    char path[64], state_of = 'R';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)started);
    for (int i = 0; i < 2000 && state_of != 'Z'; i++) {
        FILE *file = fopen(path, "r");
        if (!file || fscanf(file, "%*d (%*[^)]) %c", &state_of) != 1)
            state_of = 'Z';
        if (file)
            fclose(file);
        usleep(10000);
    }
    assert_int_equal(state_of, 'Z');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_escape_is_refused),
        cmocka_unit_test(nothing_is_left_to_it),
        cmocka_unit_test(what_is_granted_works),
        cmocka_unit_test(without_ports_nothing_connects),
        cmocka_unit_test(names_take_datagrams),
        cmocka_unit_test(sockets_in_the_file_system_only_where_they_are_granted),
        cmocka_unit_test(processes_stay_in_reach),
        cmocka_unit_test(it_runs_as_another_user),
        cmocka_unit_test(a_fork_bomb_meets_its_limit),
        cmocka_unit_test(who_reads_all_reads_only_what_is_granted),
        cmocka_unit_test(a_user_that_is_none),
        cmocka_unit_test(it_ends_with_the_thread_that_started_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
