#include "test_sdk_driver.h"

#include <poll.h>
#include <time.h>

#define IDS       "\"identities\":[{\"kind\":\"email\",\"value\":\"alice@example.test\"}]"
#define CONFIGURE "{\"type\":\"configure\",\"settings\":{\"a\":\"b\"},\"secrets\":{\"token\":\"t\"}}"
#define RESOLVE   "{\"type\":\"resolve\",\"request\":\"r\",\"deadline_ms\":60000," IDS "}"
#define FETCH(collections)                                                                                   \
    "{\"type\":\"fetch\",\"request\":\"r\",\"deadline_ms\":60000,\"collections\":[" collections "]," IDS "}"

/* What the connector under test is to do is the first character of its collection's name. */
static json_t *hello_cb(int argc, char **argv, void **state, struct dsar_error *error)
{
    if (argc > 1) {
        dsar_error_set(error, "bad_arguments", false, "no arguments are expected, found %s", argv[1]);
        return NULL;
    }
    *state = NULL;
    const char *const names[] = {"three",    "absent",   "partial", "failed",  "unreachable", "refused",
                                 "wait",     "progress", "many",    "limited", "busy",        "papers",
                                 "cut.file", "large",    "chatty",  "lying"};
    json_t *collections = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_array_append_new(collections, json_pack("{s:s, s:s, s:s, s:[s]}", "name", names[i], "title",
                                                     names[i], "category", "test", "needs", "email"));
    return json_pack("{s:s, s:s, s:[], s:{s:[s], s:[s]}, s:o}", "name", "test", "version", "1", "settings",
                     "resolve", "needs", "email", "yields", "id", "collections", collections);
}

static int configure_cb(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    if (!json_object_get(settings, "a") || !json_object_get(secrets, "token"))
        return dsar_error_set(error, "bad_settings", false, "a: expected\nsomething");
    return 0;
}

static int resolve_cb(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                      bool *found, struct dsar_error *error)
{
    const char *email = dsar_identity_first(identities, "email");
    if (strcmp(email, "nobody@example.test") == 0) {
        *found = false;
        return 0;
    }
    if (strcmp(email, "down@example.test") == 0) {
        error->retry_after_ms = 0;
        dsar_error_set(error, "source_unreachable", true, "no answer");
        error->retry_after_ms = 1500;
        return -1;
    }
    if (strcmp(email, "undeclared@example.test") == 0)
        return dsar_yield(session, "other", "1", "x", error);
    *found = true;
    printf("what a library prints does not enter the conversation\n");
    return dsar_yield(session, "id", "4711", "exact match of e-mail", error);
}

static int send_number(struct dsar_session *session, int i, struct dsar_error *error)
{
    char record[64];
    int len = snprintf(record, sizeof record, "{\"i\":%d}", i);
    return dsar_record(session, record, (size_t)len, error);
}

static int send_files(struct dsar_session *session, size_t size, struct dsar_error *error)
{
    char *data = malloc(size ? size : 1);
    memset(data, 'x', size ? size : 1);
    int result = dsar_file_begin(session, "9", "näme.bin", "application/x", error) ||
                         dsar_file_write(session, data, size / 2, error) ||
                         dsar_file_write(session, data, size - size / 2, error) ||
                         dsar_file_end(session, error)
                     ? -1
                     : 0;
    free(data);
    return result;
}

static int wait_for_the_end(struct dsar_session *session, struct dsar_error *error)
{
    for (uint64_t i = 1;; i++) {
        if (dsar_progress(session, i, 0, error))
            return -1;
        const struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
    }
}

static int send_many(struct dsar_session *session, struct dsar_error *error)
{
    char record[1000];
    memset(record, 'x', sizeof record);
    memcpy(record, "{\"a\":\"", 6);
    memcpy(record + sizeof record - 2, "\"}", 2);
    for (int i = 0; i < 1000; i++)
        if (dsar_record(session, record, sizeof record, error))
            return -1;
    return 0;
}

static int send_large(struct dsar_session *session, enum dsar_status *status, struct dsar_error *error)
{
    static char record[262145];
    memset(record, 'x', sizeof record);
    memcpy(record, "{\"a\":\"", 6);
    memcpy(record + sizeof record - 3, "\"}", 2);
    if (send_number(session, 1, error) || dsar_record(session, record, sizeof record - 1, error) ||
        send_number(session, 2, error))
        return -1;
    if (dsar_record(session, record, sizeof record, error) != -1 ||
        strcmp(error->code, "record_too_large") != 0)
        return dsar_error_set(error, "too_large_was_taken", false, "x");
    *status = DSAR_PARTIAL;
    return dsar_withheld(session, 1, "record_too_large", error);
}

static int send_chatty(struct dsar_session *session, struct dsar_error *error)
{
    if (dsar_record(session, "{\n}", 3, error) != -1)
        return dsar_error_set(error, "newline_was_taken", false, "x");
    for (int i = 0; i < 100000; i++)
        if (dsar_progress(session, (uint64_t)i, 100000, error))
            return -1;
    dsar_warning(session, "odd", "line one\nline two \xff");
    char name[1026] = "";
    memset(name, 'x', 1025);
    if (dsar_file_begin(session, "1", name, "b/c", error) != -1)
        return dsar_error_set(error, "long_name_was_taken", false, "x");
    if (dsar_withheld(session, 0, "trade_secret", error))
        return -1;
    return send_number(session, 1, error) || dsar_withheld(session, 3, "trade_secret", error) ||
                   send_number(session, 2, error)
               ? -1
               : 0;
}

/* How long work goes on that says progress. */
static time_t progress_s = 3;

static int send_progress(struct dsar_session *session, struct dsar_error *error)
{
    struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (send_number(session, 1, error))
        return -1;
    do {
        if (dsar_progress(session, 7, 9, error))
            return -1;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < progress_s);
    return 0;
}

static int fetch_cb(void *state, struct dsar_session *session, const char *collection,
                    const struct dsar_identities *identities, enum dsar_status *status,
                    struct dsar_error *error)
{
    *status = DSAR_COMPLETE;
    if (strcmp(collection, "three") == 0)
        return send_number(session, 1, error) || send_number(session, 2, error) ||
                       send_number(session, 3, error)
                   ? -1
                   : 0;
    if (strcmp(collection, "absent") == 0) {
        *status = DSAR_ABSENT;
        return 0;
    }
    if (strcmp(collection, "partial") == 0) {
        *status = DSAR_PARTIAL;
        dsar_error_set(error, "page_limit", true, "more pages than are read");
        struct dsar_error ignored;
        return send_number(session, 1, &ignored);
    }
    if (strcmp(collection, "failed") == 0)
        return send_number(session, 1, error) ? -1 : dsar_error_set(error, "ownership", false, "not theirs");
    if (strcmp(collection, "unreachable") == 0)
        return dsar_error_set(error, "source_unreachable", true, "no answer");
    if (strcmp(collection, "refused") == 0)
        return dsar_error_set(error, "source_refused", false, "401");
    if (strcmp(collection, "busy") == 0 || strcmp(collection, "limited") == 0) {
        dsar_error_set(error, *collection == 'b' ? "source_busy" : "source_error", true, "429");
        error->retry_after_ms = *collection == 'b' ? 7000 : 9000;
        return -1;
    }
    if (strcmp(collection, "wait") == 0)
        return wait_for_the_end(session, error);
    if (strcmp(collection, "progress") == 0)
        return send_progress(session, error);
    if (strcmp(collection, "many") == 0)
        return send_many(session, error);
    if (strcmp(collection, "papers") == 0)
        return send_number(session, 1, error) || send_files(session, 0, error) ||
                       send_files(session, 262144, error) || send_files(session, 600000, error)
                   ? -1
                   : 0;
    if (strcmp(collection, "cut.file") == 0)
        return dsar_file_begin(session, "1", "a", "b/c", error);
    if (strcmp(collection, "large") == 0)
        return send_large(session, status, error);
    if (strcmp(collection, "chatty") == 0)
        return send_chatty(session, error);
    *status = DSAR_ABSENT;
    return send_number(session, 1, error);
}

static const struct dsar_connector connector = {
    .hello = hello_cb,
    .configure = configure_cb,
    .resolve = resolve_cb,
    .fetch = fetch_cb,
};

static void start(struct driver *driver)
{
    if (driver_fork(driver) == 0) {
        char *argv[] = {(char[]){"test"}, NULL};
        exit(dsar_connector_main(1, argv, &connector));
    }
}

/* Past the handshake. */
static void start_ready(struct driver *driver)
{
    start(driver);
    driver_expect_code(driver, "hello", NULL);
    driver_say(driver, CONFIGURE);
    driver_expect(driver, "{\"type\":\"ready\"}");
}

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
