/* test_sdk_driver: plays dsard to a connector over pipes. What goes wrong fails the test. */
#ifndef TEST_SDK_DRIVER_H
#define TEST_SDK_DRIVER_H

#include <dsar/connector.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* A connector that hangs shall fail its test, not stop it. */
#define DRIVER_TIMEOUT_S 60

struct driver {
    pid_t pid;
    FILE *to;
    FILE *from;
    char *payload; /* behind the message heard last, NUL-terminated; owned */
    size_t payload_len;
};

/* The child's side: standard input and output are the pipes. */
static inline void driver_become(int in_fd, int out_fd)
{
    if (dup2(in_fd, STDIN_FILENO) < 0 || dup2(out_fd, STDOUT_FILENO) < 0)
        _exit(99);
    signal(SIGPIPE, SIG_DFL);
    alarm(DRIVER_TIMEOUT_S);
}

/* Forks: 0 in the child. */
static inline pid_t driver_fork(struct driver *driver)
{
    int to[2];
    int from[2];
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    signal(SIGPIPE, SIG_IGN);
    alarm(DRIVER_TIMEOUT_S);
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        driver_become(to[0], from[1]);
        close(to[1]);
        close(from[0]);
        return 0;
    }
    close(to[0]);
    close(from[1]);
    *driver = (struct driver){.pid = pid, .to = fdopen(to[1], "w"), .from = fdopen(from[0], "r")};
    assert_non_null(driver->to);
    assert_non_null(driver->from);
    return pid;
}

static inline void driver_say(struct driver *driver, const char *line)
{
    assert_true(fputs(line, driver->to) >= 0);
    assert_true(fputc('\n', driver->to) >= 0);
    assert_int_equal(fflush(driver->to), 0);
}

/* The next message, a new reference; NULL at the end. */
static inline json_t *driver_hear(struct driver *driver)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len = getline(&line, &cap, driver->from);
    free(driver->payload);
    driver->payload = NULL;
    driver->payload_len = 0;
    if (len < 0) {
        free(line);
        return NULL;
    }
    assert_true(len <= 131072);
    json_t *message = json_loadb(line, (size_t)len, JSON_REJECT_DUPLICATES, NULL);
    if (!message)
        fail_msg("not JSON: %s", line);
    free(line);
    const json_t *bytes = json_object_get(message, "bytes");
    if (bytes) {
        driver->payload_len = (size_t)json_integer_value(bytes);
        driver->payload = calloc(1, driver->payload_len + 1);
        assert_non_null(driver->payload);
        assert_int_equal(fread(driver->payload, 1, driver->payload_len, driver->from), driver->payload_len);
    }
    return message;
}

static inline const char *driver_text(const json_t *message, const char *key)
{
    const char *text = json_string_value(json_object_get(message, key));
    return text ? text : "";
}

/* Hears one message and compares it whole, without its payload's length. */
static inline void driver_expect(struct driver *driver, const char *expected_json)
{
    json_t *heard = driver_hear(driver);
    json_t *expected = json_loads(expected_json, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(expected);
    if (!heard)
        fail_msg("expected %s, found the end", expected_json);
    if (!json_object_get(expected, "bytes"))
        json_object_del(heard, "bytes");
    if (!json_equal(heard, expected)) {
        char *found = json_dumps(heard, JSON_COMPACT);
        fail_msg("expected %s, found %s", expected_json, found);
    }
    json_decref(heard);
    json_decref(expected);
}

/* Hears one message of `type`, with `code` where that is not NULL. */
static inline void driver_expect_code(struct driver *driver, const char *type, const char *code)
{
    json_t *heard = driver_hear(driver);
    assert_non_null(heard);
    assert_string_equal(driver_text(heard, "type"), type);
    if (code)
        assert_string_equal(driver_text(heard, "code"), code);
    json_decref(heard);
}

/* Waits for the connector and returns its exit status. */
static inline int driver_wait(struct driver *driver)
{
    int status;
    assert_int_equal(waitpid(driver->pid, &status, 0), driver->pid);
    if (driver->to)
        fclose(driver->to);
    fclose(driver->from);
    free(driver->payload);
    if (WIFSIGNALED(status))
        fail_msg("the connector was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

/* Closes its input; what it still says is passed over. */
static inline int driver_leave(struct driver *driver)
{
    fclose(driver->to);
    driver->to = NULL;
    json_t *message;
    while ((message = driver_hear(driver)))
        json_decref(message);
    return driver_wait(driver);
}

#endif
