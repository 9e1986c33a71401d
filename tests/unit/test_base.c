#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_fault_is_one_clean_line(void **state)
{
    struct fault fault;
    assert_int_equal(fault_set(&fault, "code", "a\nb\x7f%d", 1), -1);
    assert_string_equal(fault.text, "a?b?1");
    assert_false(fault.retryable);
    assert_int_equal(fault_prefix(&fault, "x"), -1);
    assert_string_equal(fault.text, "x: a?b?1");
    assert_int_equal(fault_errno(&fault, "io", 28, "spool"), -1);
    assert_string_equal(fault.text, "spool: No space left on device");
    assert_true(fault.retryable);
}

static void a_fault_that_is_too_long_is_cut(void **state)
{
    struct fault fault;
    char text[2 * FAULT_TEXT_MAX];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    fault_set(&fault, "code", "%s", text);
    assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
    fault_prefix(&fault, "%s", text);
    assert_int_equal(strlen(fault.text), FAULT_TEXT_MAX - 1);
}

static void a_fault_is_cut_between_characters(void **state)
{
    static const char *const characters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    struct fault fault;
    for (size_t i = 0; i < sizeof characters / sizeof *characters; i++) {
        size_t size = strlen(characters[i]);
        char text[2 * FAULT_TEXT_MAX] = "";
        for (size_t at = 0; at + size < sizeof text; at += size)
            memcpy(text + at, characters[i], size + 1);
        for (size_t shift = 0; shift < size; shift++) {
            fault_set(&fault, "code", "%.*s%s", (int)shift, "xxx", text);
            assert_int_equal(strlen(fault.text), shift + (FAULT_TEXT_MAX - 1 - shift) / size * size);
            fault_prefix(&fault, "p");
            assert_int_equal((strlen(fault.text) - 3 - shift) % size, 0);
        }
    }
    fault_set(&fault, "code", "\xe2\x82\xac");
    assert_string_equal(fault.text, "\xe2\x82\xac");
}

static void a_buffer_keeps_to_its_maximum(void **state)
{
    struct fault fault;
    struct buf buf;
    buf_init(&buf, 10);
    assert_int_equal(buf_append(&buf, "0123456789", 10, &fault), 0);
    assert_int_equal(buf_append(&buf, "x", 1, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_string_equal(buf.data, "0123456789");
    buf_shift(&buf, 4);
    assert_string_equal(buf.data, "456789");
    assert_int_equal(buf_printf(&buf, &fault, "%s", "abcd"), 0);
    assert_string_equal(buf.data, "456789abcd");
    buf_wipe(&buf);
    assert_null(buf.data);
    assert_int_equal(buf_append(&buf, "again", 5, &fault), 0);
    buf_wipe(&buf);
}

static void times_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        int64_t unix_s;
    } good[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T08:00:00Z", 1795420800},
        {"2026-11-23T09:00:00+01:00", 1795420800},
        {"2026-11-23T08:00:00.123456Z", 1795420800},
        {"2024-02-29T00:00:00Z", 1709164800},
    };
    static const char *const bad[] = {"",
                                      "2026-11-23",
                                      "2026-11-23T08:00:00",
                                      "2023-02-29T00:00:00Z",
                                      "2026-13-01T00:00:00Z",
                                      "2026-11-23T24:00:00Z",
                                      "2026-11-23T08:00:00Zx",
                                      "2026-11-23 08:00:00Z",
                                      "2026-11-23T08:00:00.Z",
                                      "2026-11-23T08:00:00+1:00"};
    struct fault fault;
    int64_t unix_s;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(clock_parse(good[i].text, &unix_s, &fault), 0);
        assert_int_equal(unix_s, good[i].unix_s);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(clock_parse(bad[i], &unix_s, &fault), -1);
    char text[CLOCK_TEXT_MAX];
    clock_format(1795420800, text);
    assert_string_equal(text, "2026-11-23T08:00:00Z");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_one_clean_line),
        cmocka_unit_test(a_fault_that_is_too_long_is_cut),
        cmocka_unit_test(a_fault_is_cut_between_characters),
        cmocka_unit_test(a_buffer_keeps_to_its_maximum),
        cmocka_unit_test(times_are_read_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
