/* How a connector on the SDK keeps in touch: progress, cancels, deadlines, and what is not the protocol. */
#include "test_sdk_connector.h"

static void progress_is_seldom_and_records_go_before_what_follows(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"chatty\""));
    driver_expect(&driver, "{\"type\":\"warning\",\"code\":\"odd\",\"text\":\"line one?line two ?\"}");
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"chatty\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"withheld\",\"collection\":\"chatty\",\"count\":3,"
                           "\"reason\":\"trade_secret\"}");
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"chatty\",\"count\":1}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"chatty\",\"status\":\"complete\",\"count\":2}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void long_work_says_progress(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"progress\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"progress\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"progress\",\"collection\":\"progress\",\"done\":7,\"total\":9}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"progress\",\"status\":\"complete\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void progress_keeps_pace_with_what_dsard_waits_for(void **state)
{
    struct driver driver;
    progress_s = 1;
    start(&driver);
    driver_expect_code(&driver, "hello", NULL);
    driver_say(&driver, "{\"type\":\"configure\",\"settings\":{\"a\":\"b\"},\"secrets\":{\"token\":\"t\"},"
                        "\"keep_alive_ms\":400}");
    driver_expect(&driver, "{\"type\":\"ready\"}");
    driver_say(&driver, FETCH("\"progress\""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"progress\",\"count\":1}");
    driver_expect_code(&driver, "progress", NULL);
    driver_say(&driver, "{\"type\":\"cancel\"}");
    json_t *message = NULL;
    do {
        json_decref(message);
        message = driver_hear(&driver);
    } while (message && strcmp(driver_text(message, "type"), "done") != 0);
    json_decref(message);
    progress_s = 3;
    assert_int_equal(driver_leave(&driver), 0);
}

static void cancel_stops_the_work_and_the_next_fetch_works(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"wait\",\"many\""));
    driver_say(&driver, "{\"type\":\"cancel\"}");
    json_t *done = driver_hear(&driver);
    assert_string_equal(driver_text(done, "status"), "failed");
    assert_string_equal(driver_text(done, "code"), "cancelled");
    assert_true(json_is_false(json_object_get(done, "retryable")));
    json_decref(done);
    driver_say(&driver, "{\"type\":\"cancel\"}"); /* one that comes too late */
    driver_say(&driver, FETCH("\"absent\""));
    driver_expect_code(&driver, "end", NULL);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void the_deadline_stops_the_work(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, "{\"type\":\"fetch\",\"deadline_ms\":50,\"collections\":[\"wait\"]," IDS "}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"wait\",\"status\":\"failed\",\"count\":0,"
                  "\"code\":\"source_timeout\",\"text\":\"the deadline is over\",\"retryable\":true}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void the_end_of_input_stops_the_work_with_status_zero(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"wait\""));
    fclose(driver.to);
    driver.to = NULL;
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 0);
}

static void a_daemon_that_does_not_listen_ends_it_with_status_one(void **state)
{
    struct driver driver;
    start_ready(&driver);
    close(fileno(driver.from));
    driver_say(&driver, FETCH("\"many\""));
    int status;
    assert_int_equal(waitpid(driver.pid, &status, 0), driver.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    fclose(driver.to);
    fclose(driver.from);
}

static void what_is_not_the_protocol_ends_it_with_status_one(void **state)
{
    char *long_line = malloc(140001);
    memset(long_line, ' ', 140000);
    long_line[140000] = '\0';
    const char *const bad[] = {
        "{",
        "[]",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"cancel\",\"type\":\"cancel\"}",
        "{\"type\":\"surprise\"}",
        CONFIGURE,
        "{\"type\":\"fetch\",\"deadline_ms\":1,\"collections\":[]," IDS "}",
        "{\"type\":\"fetch\",\"deadline_ms\":1,\"collections\":[\"A b\"]," IDS "}",
        "{\"type\":\"fetch\",\"deadline_ms\":-1,\"collections\":[\"three\"]," IDS "}",
        "{\"type\":\"fetch\",\"collections\":[\"three\"]," IDS "}",
        "{\"type\":\"fetch\",\"deadline_ms\":1,\"collections\":[\"three\"]}",
        "{\"type\":\"fetch\",\"deadline_ms\":1,\"collections\":[\"three\"],\"identities\":[{\"kind\":\"a\"}]"
        "}",
        "{\"type\":\"resolve\",\"deadline_ms\":1,\"identities\":[7]}",
        "{\"type\":\"resolve\",\"deadline_ms\":\"1\"," IDS "}",
        long_line,
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct driver driver;
        int log_fd = dup(STDERR_FILENO);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        start_ready(&driver);
        dup2(log_fd, STDERR_FILENO);
        close(log_fd);
        driver_say(&driver, bad[i]);
        assert_null(driver_hear(&driver));
        assert_int_equal(driver_wait(&driver), 1);
    }
    free(long_line);
}

static void another_message_than_cancel_during_work_ends_it(void **state)
{
    struct driver driver;
    start_ready(&driver);
    driver_say(&driver, FETCH("\"wait\""));
    driver_say(&driver, FETCH("\"three\""));
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 1);
}

static void nothing_is_asked_before_configure(void **state)
{
    struct driver driver;
    start(&driver);
    driver_expect_code(&driver, "hello", NULL);
    driver_say(&driver, FETCH("\"three\""));
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress_is_seldom_and_records_go_before_what_follows),
        cmocka_unit_test(long_work_says_progress),
        cmocka_unit_test(progress_keeps_pace_with_what_dsard_waits_for),
        cmocka_unit_test(cancel_stops_the_work_and_the_next_fetch_works),
        cmocka_unit_test(the_deadline_stops_the_work),
        cmocka_unit_test(the_end_of_input_stops_the_work_with_status_zero),
        cmocka_unit_test(a_daemon_that_does_not_listen_ends_it_with_status_one),
        cmocka_unit_test(what_is_not_the_protocol_ends_it_with_status_one),
        cmocka_unit_test(another_message_than_cancel_during_work_ends_it),
        cmocka_unit_test(nothing_is_asked_before_configure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
