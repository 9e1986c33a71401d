#include "ops/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const struct exposition_family requests = {"dsard_requests", EXPOSITION_GAUGE, "In hand.", NULL};
static const struct exposition_family asked = {"dsard_asked_total", EXPOSITION_COUNTER, "Asked.", "source"};

static void show(void *ctx, struct exposition *exposition)
{
    exposition_begin(exposition, &requests);
    exposition_add(exposition, &requests, NULL, 3);
    exposition_begin(exposition, &asked);
    exposition_add(exposition, &asked, "bill\"ing\\\n", 9007199254740991.0);
    exposition_add(exposition, &asked, "forum", 0.5);
}

static const char expected[] =
    "# HELP dsard_requests In hand.\n# TYPE dsard_requests gauge\ndsard_requests 3\n"
    "# HELP dsard_asked_total Asked.\n# TYPE dsard_asked_total counter\n"
    "dsard_asked_total{source=\"bill\\\"ing\\\\\\n\"} 9007199254740991\n"
    "dsard_asked_total{source=\"forum\"} 0.5\n";

static int open_listener(void **state)
{
    struct fault fault;
    struct listener *listener = NULL;
    const struct listener_options options = {.address = "127.0.0.1:0", .show_cb = show};
    int result = listener_open(&listener, &options, &fault);
    *state = listener;
    return result;
}

static int close_listener(void **state)
{
    listener_close(*state);
    return 0;
}

/* Sends the lines and reads all that comes. */
static void ask(const struct listener *listener, const char *lines, char *answer, size_t size)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)listener_port(listener)),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t len = 0;
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
    for (ssize_t n; (n = read(fd, answer + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    answer[len] = '\0';
    close(fd);
}

static void the_figures_are_shown(void **state)
{
    char answer[4096];
    ask(*state, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    assert_non_null(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, expected);
}

static void all_else_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
        {"GET /metrics/../etc HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 "},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
         "HTTP/1.1 405 "}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char answer[4096];
        ask(*state, bad[i][0], answer, sizeof answer);
        answer[strlen(bad[i][1])] = 0;
        assert_string_equal(answer, bad[i][1]);
    }
}

static void garbage_harms_nothing(void **state)
{
    char answer[4096];
    ask(*state, "\x16\x03\x01\r\n\r\n", answer, sizeof answer);
    the_figures_are_shown(state);
}

static void an_address_that_cannot_be_used_is_told(void **state)
{
    char taken[32];
    snprintf(taken, sizeof taken, "127.0.0.1:%u", listener_port(*state));
    const char *const bad[] = {taken, "127.0.0.1", "nowhere:80", "", ":80", "[]:80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        struct listener *listener;
        const struct listener_options options = {.address = bad[i], .show_cb = show};
        assert_int_equal(listener_open(&listener, &options, &fault), -1);
        assert_string_equal(fault.code, "address_unusable");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_figures_are_shown),
        cmocka_unit_test(all_else_is_refused),
        cmocka_unit_test(garbage_harms_nothing),
        cmocka_unit_test(an_address_that_cannot_be_used_is_told),
    };
    return cmocka_run_group_tests(tests, open_listener, close_listener);
}
