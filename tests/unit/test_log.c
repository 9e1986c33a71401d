#include "base/log.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What one line in the log looks like. */
struct written {
    char text[8192];
    size_t len;
};

static int ends[2];

static int open_pipe(void **state)
{
    return pipe(ends);
}

static void collect(struct written *written)
{
    close(ends[1]);
    ssize_t n;
    written->len = 0;
    while ((n = read(ends[0], written->text + written->len, sizeof written->text - 1 - written->len)) > 0)
        written->len += (size_t)n;
    written->text[written->len] = '\0';
    close(ends[0]);
}

static const char hostile[] = "a\nb\"c\\d\033[2J\xc3\xa9\xff";

static void a_line_of_text_stays_one_line(void **state)
{
    struct written written;
    struct log *log = log_new(ends[1], LOG_LEVEL_INFO, false);
    log_line(log, LOG_LEVEL_WARNING, "2c0e", "%s", hostile);
    log_free(log);
    collect(&written);
    assert_int_equal(written.text[written.len - 1], '\n');
    assert_ptr_equal(strchr(written.text, '\n'), written.text + written.len - 1);
    assert_non_null(strstr(written.text, " warning 2c0e: a?b\"c\\d?[2J"));
    for (size_t i = 0; i + 1 < written.len; i++)
        assert_in_range(written.text[i], 0x20, 0x7e);
}

static void a_line_of_json_is_json(void **state)
{
    struct written written;
    struct log *log = log_new(ends[1], LOG_LEVEL_INFO, true);
    log_line(log, LOG_LEVEL_ERROR, "2c0e", "%s", hostile);
    log_free(log);
    collect(&written);
    assert_ptr_equal(strchr(written.text, '\n'), written.text + written.len - 1);
    json_t *line = json_loads(written.text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(line);
    assert_string_equal(json_string_value(json_object_get(line, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(line, "request")), "2c0e");
    assert_string_equal(json_string_value(json_object_get(line, "message")), "a?b\"c\\d?[2J???");
    assert_int_equal(json_string_length(json_object_get(line, "time")), 20);
    json_decref(line);
}

static void a_line_that_is_too_long_is_cut_and_still_json(void **state)
{
    struct written written;
    char text[4000];
    memset(text, '"', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct log *log = log_new(ends[1], LOG_LEVEL_INFO, true);
    log_line(log, LOG_LEVEL_ERROR, NULL, "%s", text);
    log_free(log);
    collect(&written);
    json_t *line = json_loads(written.text, 0, NULL);
    assert_non_null(line);
    assert_null(json_object_get(line, "request"));
    json_decref(line);
}

static void lines_below_the_level_are_not_written(void **state)
{
    struct written written;
    struct fault fault;
    struct log *log = log_new(ends[1], LOG_LEVEL_WARNING, false);
    log_line(log, LOG_LEVEL_INFO, NULL, "low");
    log_line(NULL, LOG_LEVEL_ERROR, NULL, "nowhere");
    fault_set(&fault, "source_failed", "no answer");
    log_fault(log, LOG_LEVEL_WARNING, NULL, "fetching", &fault);
    log_free(log);
    collect(&written);
    assert_null(strstr(written.text, "low"));
    assert_non_null(strstr(written.text, "fetching: no answer (source_failed)\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_of_text_stays_one_line, open_pipe),
        cmocka_unit_test_setup(a_line_of_json_is_json, open_pipe),
        cmocka_unit_test_setup(a_line_that_is_too_long_is_cut_and_still_json, open_pipe),
        cmocka_unit_test_setup(lines_below_the_level_are_not_written, open_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
