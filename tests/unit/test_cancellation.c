#include "base/hex.h"
#include "intake/cancellation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID     "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define SHA256 "00ff10a59b86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15"

static void every_member_is_read(void **state)
{
    static const char *const good[] = {
        "{\"api_version\":\"2.0\",\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\"}",
        "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\"}",
        " {\"why\":[1],\"body_sha256\":\"" SHA256 "\",\"subject_request_id\":\"" ID "\",\"property_id\":7}\n",
    };
    static const unsigned char begin[] = {0x00, 0xff, 0x10, 0xa5};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct fault fault;
        struct cancellation cancellation;
        char sha256[HEX_SHA256_MAX];
        assert_int_equal(cancellation_parse(&cancellation, good[i], strlen(good[i]), &fault), 0);
        assert_string_equal(cancellation.id, ID);
        assert_memory_equal(cancellation.sha256, begin, sizeof begin);
        hex_encode(cancellation.sha256, sizeof cancellation.sha256, sha256);
        assert_string_equal(sha256, SHA256);
    }
}

static void assert_bad(const char *text)
{
    struct fault fault;
    struct cancellation cancellation;
    if (cancellation_parse(&cancellation, text, strlen(text), &fault) == 0)
        fail_msg("accepted: %s", text);
    assert_string_equal(fault.code, "bad_cancel");
    assert_false(fault.retryable);
    /* whoever reads the dead letter's reason learns nothing of what was sent */
    assert_null(strstr(fault.text, "alice"));
}

static void what_is_no_object_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "null",
        "[]",
        "\"alice\"",
        "{",
        "{}x",
        "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\"",
        "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\",\"alice\":1,\"alice\":2}",
        "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\",\"x\":\"\xff\"}",
        "{\"subject_request_id\":\"" ID "\",\"body_sha256\":\"" SHA256 "\",\"x\":\"\\u0000\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_bad(bad[i]);
}

static void members_that_are_missing_or_malformed_are_refused(void **state)
{
    static const char *const bad[][3] = {
        /* api_version, subject_request_id, body_sha256 */
        {"\"1.0\"", "\"" ID "\"", "\"" SHA256 "\""},
        {"\"alice\"", "\"" ID "\"", "\"" SHA256 "\""},
        {"2.0", "\"" ID "\"", "\"" SHA256 "\""},
        {"null", "\"" ID "\"", "\"" SHA256 "\""},
        {"\"2.0\"", "null", "\"" SHA256 "\""},
        {"\"2.0\"", "7", "\"" SHA256 "\""},
        {"\"2.0\"", "\"\"", "\"" SHA256 "\""},
        {"\"2.0\"", "\"alice@example.test\"", "\"" SHA256 "\""},
        {"\"2.0\"", "\"2C0E8F0A-6A58-4B0C-9D7E-0A1B2C3D4E5F\"", "\"" SHA256 "\""},
        {"\"2.0\"", "\"2c0e8f0a-6a58-1b0c-9d7e-0a1b2c3d4e5f\"", "\"" SHA256 "\""},
        {"\"2.0\"", "\"" ID "0\"", "\"" SHA256 "\""},
        {"\"2.0\"", "\"" ID "\"", "null"},
        {"\"2.0\"", "\"" ID "\"", "[]"},
        {"\"2.0\"", "\"" ID "\"", "\"\""},
        {"\"2.0\"", "\"" ID "\"", "\"alice\""},
        {"\"2.0\"", "\"" ID "\"", "\"" SHA256 "0\""},
        {"\"2.0\"", "\"" ID "\"", "\"" SHA256 "00\""},
        {"\"2.0\"", "\"" ID "\"", "\" " SHA256 "\""},
        {"\"2.0\"", "\"" ID "\"", "\"00FF10A59B86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15\""},
        {"\"2.0\"", "\"" ID "\"", "\"g0ff10a59b86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15\""},
        {"\"2.0\"", "\"" ID "\"", "\"00ff10a59b86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c1\""},
        {"\"2.0\"", "\"" ID "\"", "\"00ff10a59b86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c1é\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[512];
        snprintf(text, sizeof text, "{\"api_version\":%s,\"subject_request_id\":%s,\"body_sha256\":%s}",
                 bad[i][0], bad[i][1], bad[i][2]);
        assert_bad(text);
    }
    assert_bad("{\"body_sha256\":\"" SHA256 "\"}");
    assert_bad("{\"subject_request_id\":\"" ID "\"}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_read),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(members_that_are_missing_or_malformed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
