#include "test_screen.h"

#include <stdio.h>

struct example {
    const char *fields;
    const char *in;
    const char *out;    /* NULL: the same */
    const char *counts; /* NULL: {} */
};

static void expect_all(const struct example *examples, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expect_screened(examples[i].fields, examples[i].in,
                        examples[i].out ? examples[i].out : examples[i].in,
                        examples[i].counts ? examples[i].counts : "{}");
}

#define EXPECT_ALL(examples) expect_all(examples, sizeof(examples) / sizeof *(examples))

static void records_become_parts_of_an_array(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } examples[] = {
        {"", ""},
        {"{}", ",\n{}"},
        {"{}\n", ",\n{}"},
        {"{\"a\":1}\n{\"b\":2}", ",\n{\"a\":1},\n{\"b\":2}"},
        {"{\"a\":1}\n{\"b\":2}\n", ",\n{\"a\":1},\n{\"b\":2}"},
        {" { \"a\" :\t[ 1 , true ] , \"b\":{ } }\r\n{}", ",\n{\"a\":[1,true],\"b\":{}},\n{}"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct rig rig;
        struct fault fault;
        rig_make(&rig, NULL);
        char *got = rig_screen(&rig, examples[i].in, strlen(examples[i].in), &fault);
        assert_non_null(got);
        assert_string_equal(got, examples[i].out);
        free(got);
        rig_free(&rig);
    }
}

static void numbers_leave_digit_for_digit(void **state)
{
    static const char *const numbers[] = {"0",
                                          "-0",
                                          "-0.0",
                                          "1.10",
                                          "12345678901234567890",
                                          "1e400",
                                          "1E+2",
                                          "1e-02",
                                          "0.000",
                                          "9.99E0",
                                          "-12345678901234567890.0123456789",
                                          "0.30000000000000004",
                                          "18446744073709551616",
                                          "1.7976931348623157e309"};
    static const char *const fields[] = {NULL, "{\"/n\":\"own\"}"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t k = 0; k < sizeof fields / sizeof *fields; k++) {
            char record[200];
            snprintf(record, sizeof record, "{\"n\":[%s,{\"m\":%s}],\"o\":%s}", numbers[i], numbers[i],
                     numbers[i]);
            expect_screened(fields[k], record, record, "{}");
        }
}

static void strings_leave_as_the_same_text(void **state)
{
    static const struct example examples[] = {
        {NULL, "{\"a\":\"\"}", NULL, NULL},
        {NULL, "{\"a\":\"plain äöü 漢字 😀\"}", NULL, NULL},
        {NULL, "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}", NULL, NULL},
        {NULL, "{\"a\":\"\\/\\u002f/\"}", "{\"a\":\"///\"}", NULL},
        {NULL, "{\"a\":\"\\u0022\\u005C\\u0008\\u000c\\u000A\\u000d\\u0009\"}",
         "{\"a\":\"\\\"\\\\\\b\\f\\n\\r\\t\"}", NULL},
        {NULL, "{\"a\":\"\\u0000\\u0001\\u001F\\u007f\"}", "{\"a\":\"\\u0000\\u0001\\u001f\x7f\"}", NULL},
        {NULL, "{\"a\":\"x\\u0000y\"}", NULL, NULL},
        {NULL, "{\"a\":\"\\u00e4\\u6F22\\ud83d\\ude00\"}", "{\"a\":\"ä漢😀\"}", NULL},
        /* half a pair is no character, but it is what the source holds */
        {NULL, "{\"a\":\"x\\ud83dy\"}", NULL, NULL},
        {NULL, "{\"a\":\"\\ude00\\ud83d\"}", NULL, NULL},
        {NULL, "{\"a\":\"\\ud83d\\u0041\\uDBFF\"}", "{\"a\":\"\\ud83dA\\udbff\"}", NULL},
        {NULL, "{\"a\":\"\\ud7ff\\ue000\\n\"}", "{\"a\":\"\xED\x9F\xBF\xEE\x80\x80\\n\"}", NULL},
        {NULL, "{\"a\\u0041\\n\":\"b\\\\\",\"c\":\"\\\\\\\"\"}", "{\"aA\\n\":\"b\\\\\",\"c\":\"\\\\\\\"\"}",
         NULL},
        {"{\"\":\"own\"}", "{\"a\":\"\\u0041\\/bob@example.org\"}", "{\"a\":\"A/bob@example.org\"}", NULL},
        {"{\"\":\"own\"}", "{\"a\":\"\\ud83d\"}", NULL, NULL},
    };
    EXPECT_ALL(examples);
}

static void free_text_is_scanned(void **state)
{
    static const struct example examples[] = {
        {NULL, "{\"a\":\"from bob@example.org to " OWN "\"}", "{\"a\":\"from ***@*** to " OWN "\"}",
         "{\"third_party_email\":1}"},
        {NULL, "{\"a\":\"bob\\u0040example.org\\n\\\"carol@example.org\\\"\"}",
         "{\"a\":\"***@***\\n\\\"***@***\\\"\"}", "{\"third_party_email\":2}"},
        {NULL, "{\"a\":\"\\u0061lice@example.test\\n\"}", "{\"a\":\"alice@example.test\\n\"}", NULL},
        {NULL, "{\"a\":\"\\ud83dbob@example.org\"}", "{\"a\":\"***@***\"}", "{\"third_party_email\":1}"},
        {NULL, "{\"a\":\"4111 1111\\u00201111 1111\"}", "{\"a\":\"**** **** **** 1111\"}",
         "{\"card_number\":1}"},
        {NULL, "{\"a\":[\"DE89370400440532013000\"]}", "{\"a\":[\"DE********************\"]}",
         "{\"iban\":1}"},
        {NULL, "{\"a\":4111111111111111}", "{\"a\":\"************1111\"}", "{\"card_number\":1}"},
        {NULL, "{\"a\":[-4111111111111111,4111111111111111.0]}",
         "{\"a\":[\"-************1111\",\"************1111.0\"]}", "{\"card_number\":2}"},
        {NULL, "{\"a\":4111111111111112}", NULL, NULL},
        {"{\"/a\":\"own\"}", "{\"a\":[\"bob@example.org\",4111111111111111]}", NULL, NULL},
        {"{\"/a\":\"own\"}", "{\"b\":\"bob@example.org\"}", "{\"b\":\"***@***\"}",
         "{\"third_party_email\":1}"},
    };
    EXPECT_ALL(examples);
}

static void third_parties_are_masked(void **state)
{
    static const char *const fields =
        "{\"/a\":\"third_party\",\"/a/mine\":\"own\",\"/l/*/name\":\"third_party\"}";
    const struct example examples[] = {
        {fields, "{\"a\":\"Bob\"}", "{\"a\":\"***\"}", "{\"third_party\":1}"},
        {fields, "{\"a\":\"\\n\"}", "{\"a\":\"***\"}", "{\"third_party\":1}"},
        {fields, "{\"a\":\"\"}", NULL, NULL},
        {fields, "{\"a\":null}", NULL, NULL},
        {fields, "{\"a\":1.5}", "{\"a\":null}", "{\"third_party\":1}"},
        {fields, "{\"a\":[true,false,null,[\"x\",{\"y\":7}]]}",
         "{\"a\":[null,null,null,[\"***\",{\"y\":null}]]}", "{\"third_party\":4}"},
        {fields, "{\"a\":{\"mine\":\"bob@example.org\",\"other\":\"x\"}}",
         "{\"a\":{\"mine\":\"bob@example.org\",\"other\":\"***\"}}", "{\"third_party\":1}"},
        {fields, "{\"l\":[{\"name\":\"Bob\",\"n\":1},{\"name\":\"\"}]}",
         "{\"l\":[{\"name\":\"***\",\"n\":1},{\"name\":\"\"}]}", "{\"third_party\":1}"},
    };
    EXPECT_ALL(examples);
}

static void what_must_not_leave_is_dropped(void **state)
{
    static const char *const fields =
        "{\"/s\":\"secret\",\"/s/mine\":\"own\",\"/v\":\"cvv\",\"/w\":\"withhold:trade_secret\",\"/l/"
        "*\":\"secret\","
        "\"/m/*/k\":\"cvv\",\"/t\":\"withhold:third_party\",\"/u\":\"third_party\"}";
    const struct example examples[] = {
        {fields, "{\"s\":\"x\"}", "{}", "{\"secret\":1}"},
        {fields, "{\"s\":null}", "{}", "{\"secret\":1}"},
        {fields, "{\"s\":{\"mine\":\"bob@example.org\",\"s\":[1,{\"t\":2}]},\"a\":1}", "{\"a\":1}",
         "{\"secret\":1}"},
        {fields, "{\"a\":1,\"s\":[[[]]],\"b\":2}", "{\"a\":1,\"b\":2}", "{\"secret\":1}"},
        {fields, "{\"v\":123,\"w\":true,\"a\":1}", "{\"a\":1}", "{\"cvv\":1,\"trade_secret\":1}"},
        {fields, "{\"l\":[1,\"x\",{\"a\":[1]},[2],null],\"a\":1}", "{\"l\":[],\"a\":1}", "{\"secret\":5}"},
        {fields, "{\"l\":{\"a\":1,\"b\":{}}}", "{\"l\":{}}", "{\"secret\":2}"},
        {fields, "{\"m\":[{\"k\":1,\"n\":2},{\"n\":3,\"k\":4}]}", "{\"m\":[{\"n\":2},{\"n\":3}]}",
         "{\"cvv\":2}"},
        {fields, "{\"t\":1,\"u\":1}", "{\"u\":null}", "{\"third_party\":2}"},
        {fields, "{\"\\u0073\":1}", "{}", "{\"secret\":1}"},
    };
    EXPECT_ALL(examples);
}

static void cards_keep_four_digits(void **state)
{
    static const char *const fields = "{\"/c\":\"card\"}";
    const struct example examples[] = {
        {fields, "{\"c\":\"4111 1111 1111 1111\"}", "{\"c\":\"**** **** **** 1111\"}", "{\"card\":1}"},
        {fields, "{\"c\":\"1234567\"}", "{\"c\":\"***4567\"}", "{\"card\":1}"},
        {fields, "{\"c\":\"12\\u00345\\n678\"}", "{\"c\":\"***5\\n678\"}", "{\"card\":1}"},
        {fields, "{\"c\":\"1111\"}", NULL, NULL},
        {fields, "{\"c\":\"\"}", NULL, NULL},
        {fields, "{\"c\":4111111111111111}", "{\"c\":\"************1111\"}", "{\"card\":1}"},
        {fields, "{\"c\":1234}", "{\"c\":\"1234\"}", NULL},
        {fields, "{\"c\":[true,null,{\"n\":12345}]}", "{\"c\":[true,null,{\"n\":\"*2345\"}]}",
         "{\"card\":1}"},
    };
    EXPECT_ALL(examples);
}

static void keys_are_scanned_and_stay_apart(void **state)
{
    static const struct example examples[] = {
        {NULL, "{\"bob@example.org\":1}", "{\"***@***\":1}", "{\"third_party_email\":1}"},
        {NULL, "{\"" OWN "\":1}", NULL, NULL},
        {NULL, "{\"a@x\":1,\"b@x\":2,\"c@x\":3}", "{\"***@***\":1,\"***@***-2\":2,\"***@***-3\":3}",
         "{\"third_party_email\":3}"},
        {NULL, "{\"a@x\":1,\"***@***\":2,\"***@***-2\":3}",
         "{\"***@***\":1,\"***@***-2\":2,\"***@***-2-3\":3}", NULL},
        {NULL, "{\"***@***-2\":0,\"a@x\":1,\"b@x\":2}", "{\"***@***-2\":0,\"***@***\":1,\"***@***-3\":2}",
         NULL},
        {NULL, "{\"x\":{\"a@x\":1},\"y\":{\"b@x\":2}}", "{\"x\":{\"***@***\":1},\"y\":{\"***@***\":2}}",
         NULL},
        {NULL, "{\"4111111111111111\":1,\"a\\n4111111111111111\":2}",
         "{\"************1111\":1,\"a\\n************1111\":2}", "{\"card_number\":2}"},
        {NULL, "{\"\\u0062@x\":1,\"c@x\":2}", "{\"***@***\":1,\"***@***-2\":2}", NULL},
        {"{\"/o\":\"own\"}", "{\"o\":{\"bob@example.org\":1}}", NULL, "{}"},
        {"{\"/o/*\":\"own\"}", "{\"o\":{\"bob@example.org\":\"x@y\"}}", "{\"o\":{\"***@***\":\"x@y\"}}",
         "{\"third_party_email\":1}"},
        {"{\"/o/*\":\"third_party\"}", "{\"o\":{\"bob@example.org\":\"x\"}}", "{\"o\":{\"***@***\":\"***\"}}",
         "{\"third_party\":1,\"third_party_email\":1}"},
        {"{\"/bob@x\":\"secret\"}", "{\"bob@x\":1,\"c@x\":2}", "{\"***@***\":2}", NULL},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++)
        expect_screened(examples[i].fields, examples[i].in,
                        examples[i].out ? examples[i].out : examples[i].in, examples[i].counts);
}

static void only_what_left_is_counted(void **state)
{
    static const char good[] = "{\"a\":\"bob@example.org\"}\n{\"a\":\"bob@example.org\"}";
    static const char bad[] = "{\"a\":\"bob@example.org\"}\n{";
    struct rig rig;
    struct fault fault;
    rig_make(&rig, NULL);
    free(rig_screen(&rig, good, sizeof good - 1, &fault));
    assert_null(rig_screen(&rig, bad, sizeof bad - 1, &fault));
    free(rig_screen(&rig, good, sizeof good - 1, &fault));
    char *counts = rig_counts(&rig);
    assert_string_equal(counts, "{\"third_party_email\":4}");
    free(counts);
    rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_become_parts_of_an_array), cmocka_unit_test(numbers_leave_digit_for_digit),
        cmocka_unit_test(strings_leave_as_the_same_text),   cmocka_unit_test(free_text_is_scanned),
        cmocka_unit_test(third_parties_are_masked),         cmocka_unit_test(what_must_not_leave_is_dropped),
        cmocka_unit_test(cards_keep_four_digits),           cmocka_unit_test(keys_are_scanned_and_stay_apart),
        cmocka_unit_test(only_what_left_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
