/* What a connector on the SDK says. */
#include "test_sdk_connector.h"

static void hello_comes_first_and_unasked(void **state)
{
    struct driver driver;
    start(&driver);
    json_t *hello = driver_hear(&driver);
    assert_non_null(hello);
    assert_string_equal(driver_text(hello, "type"), "hello");
    assert_int_equal(json_integer_value(json_object_get(hello, "protocol")), 1);
    assert_string_equal(driver_text(hello, "name"), "test");
    json_decref(hello);
    assert_int_equal(driver_leave(&driver), 0);
}

static void wrong_arguments_leave_with_two(void **state)
{
    struct driver driver;
    if (driver_fork(&driver) == 0) {
        char *argv[] = {(char[]){"test"}, (char[]){"--what"}, NULL};
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        exit(dsar_connector_main(2, argv, &connector));
    }
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 2);
}

static void settings_that_do_not_work_are_an_error_of_one_line(void **state)
{
    struct driver driver;
    start(&driver);
    driver_expect_code(&driver, "hello", NULL);
    driver_say(&driver, "{\"type\":\"configure\",\"settings\":{},\"secrets\":{}}");
    driver_expect(&driver, "{\"type\":\"error\",\"code\":\"bad_settings\",\"text\":\"a: expected?something\","
                           "\"retryable\":false}");
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 0);
}

static void a_lookup_ends_as_ok_not_found_or_failed(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, RESOLVE);
    driver_expect(&driver, "{\"type\":\"identity\",\"kind\":\"id\",\"value\":\"4711\","
                           "\"evidence\":\"exact match of e-mail\"}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":1000,\"identities\":"
                        "[{\"kind\":\"email\",\"value\":\"nobody@example.test\"}]}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":1000,\"identities\":"
                        "[{\"kind\":\"email\",\"value\":\"down@example.test\"}]}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"failed\",\"code\":\"source_unreachable\","
                           "\"text\":\"no answer\",\"retryable\":true,\"retry_after_ms\":1500}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":1000,\"identities\":"
                        "[{\"kind\":\"email\",\"value\":\"undeclared@example.test\"}]}");
    driver_expect_code(&driver, "done", "internal");
    assert_int_equal(driver_leave(&driver), 0);
}

static void records_of_a_collection_go_in_one_message(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"three\",\"absent\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"three\",\"count\":3,\"bytes\":23}");
    assert_string_equal(driver.payload, "{\"i\":1}\n{\"i\":2}\n{\"i\":3}");
    driver_expect(&driver, "{\"type\":\"end\",\"collection\":\"three\",\"status\":\"complete\",\"count\":3}");
    driver_expect(&driver, "{\"type\":\"end\",\"collection\":\"absent\",\"status\":\"absent\",\"count\":0}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void nothing_but_absent_is_not_found(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"absent\""));
    driver_expect(&driver, "{\"type\":\"end\",\"collection\":\"absent\",\"status\":\"absent\",\"count\":0}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void many_records_keep_to_the_payload_limit_and_are_counted(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"many\""));
    json_int_t n_records = 0;
    int n_messages = 0;
    for (;;) {
        json_t *message = driver_hear(&driver);
        assert_non_null(message);
        bool is_end = strcmp(driver_text(message, "type"), "end") == 0;
        json_int_t count = json_integer_value(json_object_get(message, "count"));
        if (is_end)
            assert_int_equal(count, n_records);
        else
            n_records += count;
        assert_true(driver.payload_len <= 262144);
        json_decref(message);
        if (is_end)
            break;
        assert_int_equal((size_t)count * 1001, driver.payload_len + 1);
        n_messages++;
    }
    assert_int_equal(n_records, 1000);
    assert_int_equal(n_messages, 4);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void the_largest_record_passes_and_a_larger_one_is_refused(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"large\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"large\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"large\",\"count\":1,\"bytes\":262144}");
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"large\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"withheld\",\"collection\":\"large\",\"count\":1,"
                           "\"reason\":\"record_too_large\"}");
    json_t *end = driver_hear(&driver);
    assert_string_equal(driver_text(end, "status"), "partial");
    assert_string_equal(driver_text(end, "code"), "record_too_large");
    assert_int_equal(json_integer_value(json_object_get(end, "count")), 3);
    json_decref(end);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_failed_collection_leaves_the_others_alone(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"failed\",\"partial\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"partial\",\"count\":1}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"partial\",\"status\":\"partial\",\"count\":1,"
                  "\"code\":\"page_limit\",\"text\":\"more pages than are read\",\"retryable\":true}");
    driver_expect(&driver, "{\"type\":\"end\",\"collection\":\"failed\",\"status\":\"failed\",\"count\":0,"
                           "\"code\":\"ownership\",\"text\":\"not theirs\",\"retryable\":false}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_source_out_of_reach_gives_up_the_rest(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"three\",\"unreachable\",\"many\",\"chatty\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"three\",\"count\":3}");
    driver_expect(&driver, "{\"type\":\"end\",\"collection\":\"three\",\"status\":\"complete\",\"count\":3}");
    const char *const rest[] = {"unreachable", "many", "chatty"};
    for (size_t i = 0; i < 3; i++) {
        json_t *end = driver_hear(&driver);
        assert_string_equal(driver_text(end, "collection"), rest[i]);
        assert_string_equal(driver_text(end, "status"), "failed");
        assert_string_equal(driver_text(end, "code"), "source_unreachable");
        assert_true(json_is_true(json_object_get(end, "retryable")));
        json_decref(end);
    }
    /* what ended complete is kept */
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    /* the next fetch asks anew */
    driver_say(&driver, FETCH("\"refused\",\"three\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"three\",\"count\":3}");
    driver_expect_code(&driver, "end", NULL);
    driver_expect_code(&driver, "end", "source_refused");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_busy_source_is_left_alone_for_the_longest_wait_that_it_asked_for(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"three\",\"limited\",\"busy\",\"papers\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"three\",\"count\":3}");
    driver_expect_code(&driver, "end", NULL);
    driver_expect_code(&driver, "end", "source_error");
    driver_expect_code(&driver, "end", "source_busy");
    driver_expect_code(&driver, "end", "source_busy");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\",\"retry_after_ms\":9000}");
    driver_say(&driver, FETCH("\"busy\""));
    driver_expect_code(&driver, "end", "source_busy");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\",\"retry_after_ms\":7000}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_collection_that_hello_does_not_have_is_failed(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"three\",\"unheard.of\""));
    json_t *end = driver_hear(&driver);
    assert_string_equal(driver_text(end, "collection"), "unheard.of");
    assert_string_equal(driver_text(end, "status"), "failed");
    assert_string_equal(driver_text(end, "code"), "unknown_collection");
    json_decref(end);
    driver_expect_code(&driver, "record", NULL);
    driver_expect_code(&driver, "end", NULL);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void files_go_in_pieces(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"papers\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"papers\",\"count\":1}");
#define FILE_MESSAGE "\"type\":\"file\",\"collection\":\"papers\",\"file\":\"9\""
#define FIRST_PIECE  FILE_MESSAGE ",\"name\":\"näme.bin\",\"media_type\":\"application/x\""
    driver_expect(&driver, "{" FIRST_PIECE ",\"more\":false,\"bytes\":0}");
    driver_expect(&driver, "{" FIRST_PIECE ",\"more\":false,\"bytes\":262144}");
    driver_expect(&driver, "{" FIRST_PIECE ",\"more\":true,\"bytes\":262144}");
    driver_expect(&driver, "{" FILE_MESSAGE ",\"more\":true,\"bytes\":262144}");
    driver_expect(&driver, "{" FILE_MESSAGE ",\"more\":false,\"bytes\":75712}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"papers\",\"status\":\"complete\",\"count\":4}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void what_a_callback_leaves_wrong_is_failed(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"cut.file\",\"lying\""));
    driver_expect(&driver, "{\"type\":\"file\",\"collection\":\"cut.file\",\"file\":\"1\",\"name\":\"a\","
                           "\"media_type\":\"b/c\",\"more\":false,\"bytes\":0}");
    driver_expect_code(&driver, "end", "internal");
    driver_expect_code(&driver, "end", "internal");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_comes_first_and_unasked),
        cmocka_unit_test(wrong_arguments_leave_with_two),
        cmocka_unit_test(settings_that_do_not_work_are_an_error_of_one_line),
        cmocka_unit_test(a_lookup_ends_as_ok_not_found_or_failed),
        cmocka_unit_test(records_of_a_collection_go_in_one_message),
        cmocka_unit_test(nothing_but_absent_is_not_found),
        cmocka_unit_test(many_records_keep_to_the_payload_limit_and_are_counted),
        cmocka_unit_test(the_largest_record_passes_and_a_larger_one_is_refused),
        cmocka_unit_test(a_failed_collection_leaves_the_others_alone),
        cmocka_unit_test(a_source_out_of_reach_gives_up_the_rest),
        cmocka_unit_test(a_busy_source_is_left_alone_for_the_longest_wait_that_it_asked_for),
        cmocka_unit_test(a_collection_that_hello_does_not_have_is_failed),
        cmocka_unit_test(files_go_in_pieces),
        cmocka_unit_test(what_a_callback_leaves_wrong_is_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
