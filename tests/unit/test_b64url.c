#include "base/b64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void bytes_and_text_belong_together(void **state)
{
    /* RFC 4648, section 10, without padding, and bytes that need '-' and '_' */
    static const struct {
        const char *bytes, *text;
    } cases[] = {{"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
                 {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
    struct fault fault;
    struct buf buf;
    buf_init(&buf, 64);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(b64url_encode(&buf, cases[i].bytes, strlen(cases[i].bytes), &fault), 0);
        assert_string_equal(buf.data, cases[i].text);
        buf_clear(&buf);
        assert_int_equal(b64url_decode(&buf, cases[i].text, strlen(cases[i].text), &fault), 0);
        assert_string_equal(buf.data, cases[i].bytes);
        assert_int_equal(buf.len, strlen(cases[i].bytes));
        buf_clear(&buf);
    }
    buf_wipe(&buf);
}

static void one_text_alone_stands_for_the_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {{"Zg==", 4},    {"Zm8=", 4},  {"Z", 1},    {"Zm9vY", 5},  {"Zh", 2},      {"Zm9", 3},
               {"+/+/", 4},    {" Zg", 3},   {"Zg\n", 3}, {"Zm\n9v", 5}, {"Z\0g", 3},    {"Zm9v\0", 5},
               {"Zm9\x80", 4}, {"Zm9v=", 5}, {"=", 1},    {"====", 4},   {"Zm9vYmF=", 8}};
    struct fault fault;
    struct buf buf;
    buf_init(&buf, 64);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (b64url_decode(&buf, bad[i].text, bad[i].len, &fault) == 0)
            fail_msg("accepted: %s", bad[i].text);
        assert_string_equal(fault.code, "bad_base64");
        assert_int_equal(buf.len, 0);
    }
    buf_wipe(&buf);
}

static void a_buffers_maximum_holds(void **state)
{
    struct fault fault;
    struct buf buf;
    buf_init(&buf, 3);
    assert_int_equal(b64url_decode(&buf, "Zm9v", 4, &fault), 0);
    assert_int_equal(b64url_decode(&buf, "Zg", 2, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    buf_clear(&buf);
    assert_int_equal(b64url_encode(&buf, "foo", 3, &fault), -1);
    assert_int_equal(b64url_encode(&buf, "fo", 2, &fault), 0);
    buf_wipe(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_and_text_belong_together),
        cmocka_unit_test(one_text_alone_stands_for_the_bytes),
        cmocka_unit_test(a_buffers_maximum_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
