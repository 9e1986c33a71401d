#include "../../connectors/files/log_line.c"
#include "../../connectors/files/log_match.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define TIME "[10/Oct/2000:13:55:36 -0700]"

static bool reads(enum log_format format, const char *text)
{
    struct log_line line;
    return log_line_read(&line, format, text, strlen(text));
}

static void assert_text(const struct log_text *text, const char *expected)
{
    assert_int_equal(text->len, strlen(expected));
    assert_memory_equal(text->data, expected, text->len);
}

static void fields_are_what_stands_between(void **state)
{
    static const char text[] = "host.test:80 2001:db8::1 - a b " TIME
                               " \"GET /\\\"x\\\\\" 200 2326 \"http://r/?a=[1]\" \"Agent (\\x16) é\"";
    struct log_line line;
    assert_true(log_line_read(&line, LOG_VHOST_COMBINED, text, strlen(text)));
    assert_text(&line.host, "host.test:80");
    assert_text(&line.address, "2001:db8::1");
    assert_text(&line.ident, "-");
    assert_text(&line.user, "a b");
    assert_text(&line.time, "10/Oct/2000:13:55:36 -0700");
    assert_text(&line.request, "GET /\\\"x\\\\");
    assert_text(&line.status, "200");
    assert_text(&line.bytes, "2326");
    assert_text(&line.referer, "http://r/?a=[1]");
    assert_text(&line.user_agent, "Agent (\\x16) é");
}

static void what_is_not_exactly_a_line_is_none(void **state)
{
    static const char *const good[] = {
        "1.2.3.4 - - " TIME " \"GET / HTTP/1.0\" 200 1",
        "1.2.3.4 - \"\" " TIME " \"\" - -",
        "1.2.3.4 i u [x] " TIME " \"-\" 408 0",
        "h - u " TIME " \"\\x16\\x03\" 400 226",
        "1.2.3.4 - - [31/Dec/1999:23:59:60 +1400] \"GET /\" 304 -",
    };
    static const char *const bad[] = {
        "",
        "1.2.3.4",
        "1.2.3.4 - - " TIME " \"GET /\" 200",
        "1.2.3.4 - - " TIME " \"GET /\" 200 ",
        "1.2.3.4 - - " TIME " \"GET /\" 200 1 ",
        "1.2.3.4 - - " TIME " \"GET /\" 200 1 \"-\" \"-\"",
        " 1.2.3.4 - - " TIME " \"GET /\" 200 1",
        "1.2.3.4  - - " TIME " \"GET /\" 200 1",
        "1.2.3.4 - " TIME " \"GET /\" 200 1",
        "1.2.3.4 - -  " TIME " \"GET /\" 200",
        "1.2.3.4 - - " TIME " \"GET \"/\" 200 1",
        "1.2.3.4 - - " TIME " \"GET /\\\" 200 1",
        "1.2.3.4 - - " TIME " \"GET /\n\" 200 1",
        "1.2.3.4 - - " TIME " \"GET /\" 20 1",
        "1.2.3.4 - - " TIME " \"GET /\" 2000 1",
        "1.2.3.4 - - " TIME " \"GET /\" 200 1x",
        "1.2.3.4 - - " TIME " \"GET /\" 200 -1",
        "1.2.3.4 - - " TIME " \"GET /\" 200 1234567890123456789",
        "1.2.3.4 - - [10/Oct/2000:13:55:36 0700] \"GET /\" 200 1",
        "1.2.3.4 - - [10/Okt/2000:13:55:36 -0700] \"GET /\" 200 1",
        "1.2.3.4 - - [00/Oct/2000:13:55:36 -0700] \"GET /\" 200 1",
        "1.2.3.4 - - [10/Oct/2000:24:55:36 -0700] \"GET /\" 200 1",
        "1.2.3.4 - - [10/Oct/2000:13:60:36 -0700] \"GET /\" 200 1",
        "1.2.3.4 - a\"b " TIME " \"GET /\" 200 1",
        "1.2.3.4 - a\tb " TIME " \"GET /\" 200 1",
        "\"1.2.3.4\" - - " TIME " \"GET /\" 200 1",
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!reads(LOG_COMMON, good[i]))
            fail_msg("not taken: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (reads(LOG_COMMON, bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_false(reads(LOG_COMBINED, good[0]));
    assert_false(reads(LOG_COMBINED, "1.2.3.4 - - " TIME " \"GET /\" 200 1 \"-\" \"-"));
    assert_false(reads(LOG_COMBINED, "1.2.3.4 - - " TIME " \"GET /\" 200 1 \"-\" \"-\" \"more\""));
    assert_false(reads(LOG_VHOST_COMBINED, "1.2.3.4 - - " TIME " \"GET /\" 200 1 \"-\" \"-\""));
}

/* A user name in which a visitor writes the rest of a line; the server escapes its quotes. */
static void a_forged_user_is_no_other_user(void **state)
{
    static const char text[] =
        "6.6.6.6 - alice " TIME " \\\"GET / HTTP/1.1\\\" 200 1 " TIME " \"GET /login HTTP/1.1\" 200 1";
    struct log_line line;
    assert_true(log_line_read(&line, LOG_COMMON, text, strlen(text)) == false);
    static const char plain[] = "6.6.6.6 - alice " TIME " " TIME " \"GET /login HTTP/1.1\" 200 1";
    assert_true(log_line_read(&line, LOG_COMMON, plain, strlen(plain)));
    assert_text(&line.user, "alice " TIME);
}

static bool matches(bool is_by_user, const char *value, const char *text)
{
    const struct dsar_identity items[] = {{"other", "9.9.9.9"}, {"kind", "192.0.2.200"}, {"kind", value}};
    const struct dsar_identities identities = {.items = items, .n_items = 3};
    struct log_match match;
    struct dsar_error error;
    struct log_line line;
    assert_int_equal(log_match_init(&match, is_by_user, "kind", "text", &identities, &error), 0);
    assert_int_equal(match.n_values, 2);
    assert_true(log_line_read(&line, LOG_COMMON, text, strlen(text)));
    return log_match_has(&match, &line);
}

#define LINE(address, user, status)                                                                          \
    address " - " user " " TIME " \"GET /?1.2.3.4=alice HTTP/1.0\" " status " 1"

static void an_address_is_the_whole_address(void **state)
{
    assert_true(matches(false, "1.2.3.4", LINE("1.2.3.4", "-", "200")));
    assert_true(matches(false, "1.2.3.4", LINE("::ffff:1.2.3.4", "-", "200")));
    assert_true(matches(false, "::ffff:1.2.3.4", LINE("1.2.3.4", "-", "200")));
    assert_true(matches(false, "2001:db8::1", LINE("2001:0DB8:0:0::1", "-", "200")));
    static const char *const others[] = {
        LINE("1.2.3.40", "-", "200"),
        LINE("11.2.3.4", "-", "200"),
        LINE("1.2.3", "-", "200"),
        LINE("1.2.3.4.test", "-",
             "2"
             "00"),
        LINE("::1.2.3.4", "-", "200"),
        LINE("9.9.9.9", "-", "200"),
        LINE("5.6.7.8", "1.2.3.4", "200"),
        LINE("1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4.1.2.3.4", "-", "200")};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(matches(false, "1.2.3.4", others[i]));
}

static void a_user_is_the_whole_user_and_let_in(void **state)
{
    assert_true(matches(true, "alice", LINE("1.2.3.4", "alice", "200")));
    assert_true(matches(true, "alice", LINE("1.2.3.4", "alice", "404")));
    assert_false(matches(true, "alice", LINE("1.2.3.4", "alice", "401")));
    assert_false(matches(true, "alice", LINE("1.2.3.4", "alice2", "200")));
    assert_false(matches(true, "alice", LINE("1.2.3.4", "Alice", "200")));
    assert_false(matches(true, "alice", LINE("1.2.3.4", "x alice", "200")));
    assert_false(matches(true, "alice", LINE("alice", "-", "200")));
}

static void assert_refused(bool is_by_user, const char *value, const char *code)
{
    const struct dsar_identity item = {"kind", value};
    const struct dsar_identities identities = {.items = &item, .n_items = value ? 1 : 0};
    struct log_match match;
    struct dsar_error error;
    assert_int_equal(log_match_init(&match, is_by_user, "kind", "text", &identities, &error), -1);
    assert_string_equal(error.code, code);
    if (value && *value)
        assert_null(strstr(error.text, value));
}

static void values_that_would_match_all_or_none_are_refused(void **state)
{
    static const char *const users[] = {"-", "a b", "a\"", "a\\x", "\xc3\xa9"};
    static const char *const addresses[] = {"-", "alice", "1.2.3", "1.2.3.4/8", "*", "01.2.3.4x"};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++)
        if (strcmp(users[i], "-") != 0)
            assert_refused(true, users[i], "bad_identity");
    for (size_t i = 1; i < sizeof addresses / sizeof *addresses; i++)
        assert_refused(false, addresses[i], "bad_identity");
    assert_refused(true, "", "empty_bind");
    assert_refused(false, "", "empty_bind");
    assert_refused(true, NULL, "empty_bind");
    const struct dsar_identity nobody = {"kind", "-"};
    const struct dsar_identities identities = {.items = &nobody, .n_items = 1};
    struct log_match match;
    struct dsar_error error;
    assert_int_equal(log_match_init(&match, true, "kind", "text", &identities, &error), -1);
    assert_string_equal(error.code, "bad_identity");
}

static void more_values_than_fit_are_refused(void **state)
{
    struct dsar_identity items[LOG_VALUES_MAX + 1];
    for (size_t i = 0; i <= LOG_VALUES_MAX; i++)
        items[i] = (struct dsar_identity){"kind", "alice"};
    const struct dsar_identities identities = {.items = items, .n_items = LOG_VALUES_MAX + 1};
    struct log_match match;
    struct dsar_error error;
    assert_int_equal(log_match_init(&match, true, "kind", "text", &identities, &error), -1);
    assert_string_equal(error.code, "too_many_identities");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_what_stands_between),
        cmocka_unit_test(what_is_not_exactly_a_line_is_none),
        cmocka_unit_test(a_forged_user_is_no_other_user),
        cmocka_unit_test(an_address_is_the_whole_address),
        cmocka_unit_test(a_user_is_the_whole_user_and_let_in),
        cmocka_unit_test(values_that_would_match_all_or_none_are_refused),
        cmocka_unit_test(more_values_than_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
