#include "base/clock.h"
#include "gather/child.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct sandbox *sandbox; /* keeps nothing back: other tests are about that */

static void start(struct child *child, const char *script)
{
    static char shell[] = "/bin/sh", option[] = "-c";
    char *copy = strdup(script);
    assert_non_null(copy);
    char *const argv[] = {shell, option, copy, NULL};
    struct fault fault;
    assert_int_equal(child_start(child, argv, sandbox, &fault), 0);
    free(copy);
}

/* All that it writes until it closes its standard output. */
static void read_all(struct child *child, char *text, size_t cap)
{
    size_t len = 0;
    for (;;) {
        struct pollfd p = {.fd = child->out, .events = POLLIN};
        assert_true(poll(&p, 1, 5000) > 0);
        ssize_t n = read(child->out, text + len, cap - 1 - len);
        assert_true(n >= 0);
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
}

static void run(const char *script, char *text, size_t cap)
{
    struct child child;
    start(&child, script);
    read_all(&child, text, cap);
    assert_int_equal(child_end(&child, 5000), 0);
}

static void the_environment_is_empty(void **state)
{
    char text[4096];
    setenv("DSAR_TEST_SECRET", "canary", 1);
    run("cat /proc/$$/environ", text, sizeof text);
    assert_string_equal(text, "");
}

static void no_other_descriptor_is_open(void **state)
{
    char text[4096];
    int low = open("/dev/null", O_RDONLY); /* not close-on-exec, as a library's might be */
    int high = fcntl(low, F_DUPFD, 200);
    assert_true(low >= 0 && high >= 0);
    run("for d in $(seq 3 300); do [ -e /proc/$$/fd/$d ] && echo $d; done; true", text, sizeof text);
    assert_string_equal(text, "");
    close(low);
    close(high);
}

static void there_are_no_new_privileges_and_no_core_dumps(void **state)
{
    char text[4096];
    run("grep NoNewPrivs /proc/self/status; grep 'core file' /proc/self/limits; grep SigBlk "
        "/proc/self/status; grep SigIgn /proc/self/status",
        text, sizeof text);
    assert_non_null(strstr(text, "NoNewPrivs:\t1"));
    assert_non_null(strstr(text, "Max core file size        0                    0"));
    assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
    assert_non_null(strstr(text, "SigIgn:\t0000000001000000")); /* SIGXFSZ */
}

static void a_program_that_is_not_there_is_reported(void **state)
{
    static char path[] = "/nonexistent/connector", folder[] = "/tmp";
    char *const missing[] = {path, NULL}, *const no_program[] = {folder, NULL};
    struct child child;
    struct fault fault;
    assert_int_equal(child_start(&child, missing, sandbox, &fault), -1);
    assert_string_equal(fault.code, "source_start");
    assert_string_equal(fault.text,
                        "connector /nonexistent/connector cannot be started: No such file or directory");
    assert_int_equal(child.pid, 0);
    assert_int_equal(child_start(&child, no_program, sandbox, &fault), -1);
    assert_string_equal(fault.code, "source_start");
    assert_int_equal(child_end(&child, 0), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static size_t n_descriptors(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    assert_non_null(folder);
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void no_descriptor_is_left_behind(void **state)
{
    char text[64];
    static char path[] = "/nonexistent/connector";
    char *const missing[] = {path, NULL};
    struct child child;
    struct fault fault;
    size_t before = n_descriptors();
    for (int i = 0; i < 5; i++) {
        run("exit 0", text, sizeof text);
        assert_int_equal(child_start(&child, missing, sandbox, &fault), -1);
    }
    assert_int_equal(n_descriptors(), before);
}

static void one_that_leaves_when_its_input_ends_is_not_killed(void **state)
{
    struct child child;
    start(&child, "cat >/dev/null; exit 3");
    int status = child_end(&child, 10000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
    assert_int_equal(child.in, -1);
    assert_int_equal(child.out, -1);
    assert_int_equal(child.log, -1);
}

static void one_that_stays_is_killed_after_the_grace(void **state)
{
    struct child child;
    char text[64];
    start(&child, "trap '' TERM; echo on; exec 1>&-; while :; do sleep 60; done");
    read_all(&child, text, sizeof text);
    int64_t before_ms = clock_now_ms();
    int status = child_end(&child, 100);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_in_range(clock_now_ms() - before_ms, 90, 3000);
}

static void a_last_word_does_not_hold_it_up(void **state)
{
    struct child child;
    start(&child, "cat >/dev/null; head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 5");
    int status = child_end(&child, 10000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 5);
}

static bool is_alive(pid_t pid)
{
    char path[64], state = 'Z';
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    int n = fscanf(file, "%*d (%*[^)]) %c", &state);
    fclose(file);
    return n == 1 && state != 'Z' && state != 'X';
}

static void what_it_started_goes_with_it(void **state)
{
    struct child child;
    char text[64];
    /* the grandchild does not hear that the input ended, and its parent has left before it is killed */
    start(&child, "sleep 600 >/dev/null 2>&1 & echo $!; exec 1>&-; exit 0");
    read_all(&child, text, sizeof text);
    pid_t grandchild = (pid_t)strtol(text, NULL, 10);
    assert_true(grandchild > 1);
    assert_true(is_alive(grandchild));
    child_end(&child, 5000);
    for (int i = 0; i < 200 && is_alive(grandchild); i++)
        usleep(10000);
    assert_false(is_alive(grandchild));
}

static void ending_twice_or_never_started_is_harmless(void **state)
{
    struct child child = {.in = -1, .out = -1, .log = -1};
    assert_int_equal(child_end(&child, 1000), 0);
    start(&child, "exit 0");
    child_end(&child, 1000);
    assert_int_equal(child_end(&child, 1000), 0);
}

static int make_sandbox(void **state)
{
    const struct sandbox_options options = {.is_open = true};
    return sandbox_new(&sandbox, &options, NULL);
}

static int free_sandbox(void **state)
{
    sandbox_free(sandbox);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_environment_is_empty),
        cmocka_unit_test(no_other_descriptor_is_open),
        cmocka_unit_test(there_are_no_new_privileges_and_no_core_dumps),
        cmocka_unit_test(a_program_that_is_not_there_is_reported),
        cmocka_unit_test(no_descriptor_is_left_behind),
        cmocka_unit_test(one_that_leaves_when_its_input_ends_is_not_killed),
        cmocka_unit_test(one_that_stays_is_killed_after_the_grace),
        cmocka_unit_test(a_last_word_does_not_hold_it_up),
        cmocka_unit_test(what_it_started_goes_with_it),
        cmocka_unit_test(ending_twice_or_never_started_is_harmless),
    };
    return cmocka_run_group_tests(tests, make_sandbox, free_sandbox);
}
