#include "base/strict_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void an_object_is_read(void **state)
{
    struct fault fault;
    json_t *object;
    assert_int_equal(strict_json_read(&object, " {\"a\":[1,{\"a\":2}]}\n", 19, &fault), 0);
    assert_int_equal(json_object_size(object), 1);
    json_decref(object);
}

static void everything_else_is_refused_without_being_quoted(void **state)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "line 1"},
        {"{", "line 1"},
        {"[\"canary\"]", "found a list"},
        {"\"canary\"", "line 1"},
        {"{\"canary\":canary}", "line 1"},
        {"{\n\"a\":1,\n\"canary\"}", "line 3"},
        {"{\"canary\":1,\"canary\":1}", "twice"},
        {"{\"a\":{\"canary\":1,\"canary\":2}}", "twice"},
        {"{\"a\":1}canary", "line 1"},
        {"{\"a\":\"canary\xff\"}", "line 1"},
        {"{\"a\":\"canary\\u0000\"}", "line 1"},
        {"{\"canary\\u0000\":1}", "line 1"},
        {"{\"a\":\"canary\n\"}", "line 1"},
        {"{\"a\":\"\\ud800canary\"}", "line 1"},
        {"{\"a\":99999999999999999999}", "line 1"},
        {"{\"a\":1e999}", "line 1"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        json_t *object;
        if (strict_json_read(&object, bad[i].text, strlen(bad[i].text), &fault) == 0)
            fail_msg("accepted: %s", bad[i].text);
        assert_null(object);
        assert_string_equal(fault.code, "bad_json");
        assert_false(fault.retryable);
        assert_non_null(strstr(fault.text, bad[i].says));
        assert_null(strstr(fault.text, "canary"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_read),
        cmocka_unit_test(everything_else_is_refused_without_being_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
