#include "test_sdk_driver.h"

#include <time.h>

/* What the system says, and whether hello offers to ask it, is the argument. */
static json_t *hello_cb(int argc, char **argv, void **state, struct dsar_error *error)
{
    (void)argc;
    (void)error;
    *state = argv[1];
    json_t *hello =
        json_pack("{s:s, s:s, s:[], s:[{s:s, s:s, s:s, s:[]}]}", "name", "test", "version", "1", "settings",
                  "collections", "name", "papers", "title", "Papers", "category", "test", "needs");
    if (strcmp(argv[1], "unasked") != 0)
        json_object_set_new(hello, "check", json_true());
    return hello;
}

static int go_on(struct dsar_session *session, struct dsar_error *error)
{
    while (dsar_progress(session, 1, 0, error) == 0) {
        const struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
    }
    return -1;
}

static int check_cb(void *state, struct dsar_session *session, struct dsar_about *about,
                    struct dsar_error *error)
{
    if (strcmp(state, "wait") == 0)
        return go_on(session, error);
    if (strcmp(state, "refused") == 0)
        return dsar_error_set(error, "source_refused", false, "the token is not accepted");
    snprintf(about->system, sizeof about->system, "%s", (const char *)state);
    return 0;
}

/* The first file is never ended, but by a cancel. */
static int fetch_cb(void *state, struct dsar_session *session, const char *collection,
                    const struct dsar_identities *identities, enum dsar_status *status,
                    struct dsar_error *error)
{
    (void)state;
    (void)collection;
    *status = DSAR_COMPLETE;
    if (identities->n_items)
        return dsar_file_begin(session, "1", "a", "b/c", error) || dsar_file_write(session, "half", 4, error)
                   ? -1
                   : go_on(session, error);
    return dsar_record(session, "{}", 2, error);
}

static const struct dsar_connector connector = {.hello = hello_cb, .check = check_cb, .fetch = fetch_cb};

static void start_ready(struct driver *driver, const char *what)
{
    if (driver_fork(driver) == 0) {
        char word[300];
        snprintf(word, sizeof word, "%s", what);
        char *argv[] = {(char[]){"test"}, word, NULL};
        exit(dsar_connector_main(2, argv, &connector));
    }
    driver_expect_code(driver, "hello", NULL);
    driver_say(driver, "{\"type\":\"configure\",\"settings\":{},\"secrets\":{}}");
    driver_expect(driver, "{\"type\":\"ready\"}");
}

#define CHECK "{\"type\":\"check\",\"deadline_ms\":60000}"

static void the_system_says_what_it_is(void **state)
{
    struct driver driver;
    start_ready(&driver, "Shop\n2.1 \xff");
    driver_say(&driver, CHECK);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\",\"system\":\"Shop?2.1 ?\"}");
    driver_say(&driver, CHECK);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\",\"system\":\"Shop?2.1 ?\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void it_may_keep_that_to_itself(void **state)
{
    struct driver driver;
    start_ready(&driver, "");
    driver_say(&driver, CHECK);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_refusal_is_a_failure(void **state)
{
    struct driver driver;
    start_ready(&driver, "refused");
    driver_say(&driver, CHECK);
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"failed\",\"code\":\"source_refused\","
                           "\"text\":\"the token is not accepted\",\"retryable\":false}");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_check_can_be_cancelled(void **state)
{
    struct driver driver;
    start_ready(&driver, "wait");
    driver_say(&driver, CHECK);
    driver_say(&driver, "{\"type\":\"cancel\"}");
    driver_expect_code(&driver, "done", "cancelled");
    assert_int_equal(driver_leave(&driver), 0);
}

static void what_hello_does_not_offer_is_not_answered(void **state)
{
    struct driver driver;
    start_ready(&driver, "unasked");
    driver_say(&driver, CHECK);
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 1);
}

#define FETCH(identities)                                                                                    \
    "{\"type\":\"fetch\",\"deadline_ms\":60000,\"collections\":[\"papers\"],\"identities\":[" identities "]" \
    "}"

static void a_cancel_within_a_file_leaves_nothing_behind(void **state)
{
    struct driver driver;
    start_ready(&driver, "");
    driver_say(&driver, FETCH("{\"kind\":\"id\",\"value\":\"1\"}"));
    driver_say(&driver, "{\"type\":\"cancel\"}");
    driver_expect_code(&driver, "done", "cancelled");
    driver_say(&driver, FETCH(""));
    driver_expect(&driver, "{\"type\":\"record\",\"collection\":\"papers\",\"count\":1,\"bytes\":2}");
    driver_expect(&driver,
                  "{\"type\":\"end\",\"collection\":\"papers\",\"status\":\"complete\",\"count\":1}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    assert_int_equal(driver_leave(&driver), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_system_says_what_it_is),
        cmocka_unit_test(it_may_keep_that_to_itself),
        cmocka_unit_test(a_refusal_is_a_failure),
        cmocka_unit_test(a_check_can_be_cancelled),
        cmocka_unit_test(what_hello_does_not_offer_is_not_answered),
        cmocka_unit_test(a_cancel_within_a_file_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
