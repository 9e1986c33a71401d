#include "test_screen.h"

#include <stdio.h>

static void expect_refused(const char *data, size_t len, size_t record, const char *why)
{
    struct rig rig;
    struct fault fault = {0};
    rig_make(&rig, "{\"/dropped\":\"secret\"}");
    char *got = rig_screen(&rig, data, len, &fault);
    if (got)
        fail_msg("%s was taken as %s", data, got);
    char text[100];
    snprintf(text, sizeof text, "record %zu: %s", record, why);
    assert_string_equal(fault.code, "bad_record");
    assert_string_equal(fault.text, text);
    assert_false(fault.retryable);
    /* and the same screen works on */
    got = rig_screen(&rig, "{}", 2, &fault);
    assert_string_equal(got, ",\n{}");
    free(got);
    rig_free(&rig);
}

static void what_is_no_record_is_refused(void **state)
{
    static const char more[] = "more than one value in a line", not_json[] = "not JSON",
                      not_object[] = "not an object", unended[] = "the object does not end on its line",
                      empty[] = "an empty line", twice[] = "an object with the same key twice";
    static const struct {
        const char *data;
        size_t record;
        const char *why;
    } examples[] = {
        {"{}{}", 1, more},
        {"{} {}", 1, more},
        {"{}\n{}\t{}\n", 2, more},
        {"\n", 1, empty},
        {"{}\n\n", 2, empty},
        {"{}\n\n{}", 2, empty},
        {"\n{}", 1, empty},
        {" ", 1, empty},
        {"{}\n \t\r\n{}", 2, empty},
        {"[]", 1, not_object},
        {"[{}]", 1, not_object},
        {"1", 1, not_object},
        {"1\n", 1, not_object},
        {"\"x\"", 1, not_object},
        {"\"\\u0041\"", 1, not_object},
        {"null", 1, not_object},
        {"true", 1, not_object},
        {"{}1", 1, not_object},
        {"{} 1", 1, not_object},
        {"{}\n{} 12\n34 {}", 2, not_object},
        {"{}null", 1, not_object},
        {"{} nul", 1, not_json},
        {"{}\n{} nul\nl", 2, not_json},
        {"{} \"x", 1, not_json},
        {"{}]", 1, not_json},
        {"{}}", 1, not_json},
        {"{},", 1, not_json},
        {"{},{}", 1, not_json},
        {"{", 1, unended},
        {"{\n}", 1, unended},
        {"{\"a\":\n1}", 1, unended},
        {"{\"a\":1", 1, unended},
        {"{\"a\":[1,2]", 1, unended},
        {"{\"a\":1,\n\"b\":2}", 1, unended},
        {"{\"a\":\"x\ny\"}", 1, not_json},
        {"{\"a\":\"x", 1, not_json},
        {"{\"a\":\"x\\", 1, not_json},
        {"{\"a\":\"\\u00", 1, not_json},
        {"{a:1}", 1, not_json},
        {"{'a':1}", 1, not_json},
        {"{\"a\":1,}", 1, not_json},
        {"{\"a\":[1,]}", 1, not_json},
        {"{\"a\"}", 1, not_json},
        {"{\"a\":}", 1, not_json},
        {"{\"a\":01}", 1, not_json},
        {"{\"a\":+1}", 1, not_json},
        {"{\"a\":.5}", 1, not_json},
        {"{\"a\":1.}", 1, not_json},
        {"{\"a\":1e}", 1, not_json},
        {"{\"a\":-}", 1, not_json},
        {"{\"a\":0x10}", 1, not_json},
        {"{\"a\":NaN}", 1, not_json},
        {"{\"a\":Infinity}", 1, not_json},
        {"{\"a\":True}", 1, not_json},
        {"{\"a\":\"\t\"}", 1, not_json},
        {"{\"a\":\"\x01\"}", 1, not_json},
        {"{\"a\":\"\\x41\"}", 1, not_json},
        {"{\"a\":\"\\u12G4\"}", 1, not_json},
        {"{\"a\":1]", 1, not_json},
        {"{\"a\":[1}", 1, not_json},
        {"{/* */}", 1, not_json},
        {"{} // end", 1, not_json},
        {"# comment\n{}", 1, not_json},
        {"\xEF\xBB\xBF{}", 1, not_json},
        {"{\"a\":1,\"a\":2}", 1, twice},
        {"{\"a\":1,\"\\u0061\":2}", 1, twice},
        {"{\"\":1,\"\":2}", 1, twice},
        {"{\"a\":{\"b\":1,\"c\":2,\"b\":3}}", 1, twice},
        {"{\"a\":[{\"b\":1},{\"b\":1,\"b\":1}]}", 1, twice},
        {"{\"dropped\":{\"b\":1,\"b\":1}}", 1, twice},
        {"{\"dropped\":1,\"dropped\":1}", 1, twice},
        {"{\"a\":{\"a\":1},\"a\":1}", 1, twice},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect_refused(examples[i].data, strlen(examples[i].data), examples[i].record, examples[i].why);
    expect_refused("{}\0", 3, 1, not_json);
    expect_refused("{\"a\":\"\0\"}", 9, 1, not_json);
}

static void what_is_not_utf8_is_refused(void **state)
{
    static const char *const bad[] = {"\x80",
                                      "\xC3",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xE0\x80\x80",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xE2\x82",
                                      "\xF0\x80\x80\x80",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xE2\x28\xA1",
                                      "\xF0\x9F\x98"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t pad = 0; pad < 20; pad++) {
            char record[80];
            int len = snprintf(record, sizeof record, "{}\n{}\n{\"a\":\"%.*s%s\"}", (int)pad,
                               "aaaaaaaaaaaaaaaaaaaa", bad[i]);
            expect_refused(record, (size_t)len, 3, "not UTF-8");
        }
}

static void the_edges_of_utf8_are_taken(void **state)
{
    expect_screened(NULL,
                    "{\"a\":"
                    "\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
                    "\xF4\x8F\xBF\xBF\"}",
                    "{\"a\":"
                    "\"\x7F\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF\xF0\x90\x80\x80"
                    "\xF4\x8F\xBF\xBF\"}",
                    "{}");
}

static size_t nested(char *record, size_t depth, char open, char close)
{
    size_t n = 0;
    memcpy(record, "{\"a\":", 5);
    n = 5;
    for (size_t i = 1; i < depth; i++) {
        record[n++] = open;
        if (open == '{') {
            memcpy(record + n, "\"a\":", 4);
            n += 4;
        }
    }
    record[n++] = '1';
    for (size_t i = 1; i < depth; i++)
        record[n++] = close;
    record[n++] = '}';
    record[n] = '\0';
    return n;
}

static void depth_has_a_bound(void **state)
{
    static const char brackets[][2] = {{'[', ']'}, {'{', '}'}};
    char record[10000];
    for (size_t i = 0; i < 2; i++) {
        nested(record, 64, brackets[i][0], brackets[i][1]);
        expect_screened(NULL, record, record, "{}");
        size_t len = nested(record, 65, brackets[i][0], brackets[i][1]);
        expect_refused(record, len, 1, "nested deeper than 64");
        len = nested(record, 1500, brackets[i][0], brackets[i][1]);
        expect_refused(record, len, 1, "nested deeper than 64");
        memcpy(record, "{\"dropped\":", 11);
        size_t rest = nested(record + 11, 64, brackets[i][0], brackets[i][1]);
        record[11 + rest] = '}';
        expect_refused(record, rest + 12, 1, "nested deeper than 64");
    }
}

static void members_have_a_bound(void **state)
{
    char *record = malloc(80000);
    assert_non_null(record);
    for (size_t n_members = 4096; n_members <= 4097; n_members++) {
        size_t len = 0;
        for (size_t i = 0; i < n_members; i++)
            len += (size_t)sprintf(record + len, "%c\"%zu@x\":1", i ? ',' : '{', i);
        record[len++] = '}';
        record[len] = '\0';
        if (n_members == 4097) {
            expect_refused(record, len, 1, "an object with more than 4096 members");
            continue;
        }
        struct rig rig;
        struct fault fault;
        rig_make(&rig, NULL);
        char *got = rig_screen(&rig, record, len, &fault);
        assert_non_null(strstr(got, "\"***@***-4096\":1}"));
        free(got);
        rig_free(&rig);
    }
    free(record);
}

static void too_little_room_is_a_fault(void **state)
{
    static const char record[] = "{\"a\":\"b@c\",\"d\":[1,2],\"4111111111111111\":\"\\n\"}";
    struct rig rig;
    struct fault fault;
    char out[200];
    size_t out_len;
    rig_make(&rig, NULL);
    size_t need = 0;
    assert_int_equal(screen_records(rig.screen, record, sizeof record - 1, out, sizeof out, &need, &fault),
                     0);
    for (size_t cap = 0; cap < need; cap++) {
        char *exact = malloc(cap ? cap : 1);
        assert_int_equal(screen_records(rig.screen, record, sizeof record - 1, exact, cap, &out_len, &fault),
                         -1);
        assert_string_equal(fault.code, "too_large");
        assert_int_equal(out_len, 0);
        free(exact);
    }
    char *counts = rig_counts(&rig);
    assert_string_equal(counts, "{\"card_number\":1,\"third_party_email\":1}");
    free(counts);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_record_is_refused), cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(the_edges_of_utf8_are_taken),  cmocka_unit_test(depth_has_a_bound),
        cmocka_unit_test(members_have_a_bound),         cmocka_unit_test(too_little_room_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
