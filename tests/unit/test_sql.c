/* What the sql engine fetches, and what it does not. */
#include "test_sql_engine.h"

static void values_leave_as_they_are_stored(void **state)
{
    struct driver driver;
    make_database(
        "things", false,
        "CREATE TABLE things (owner, a, b, c, d, e, f, g, h, i);"
        "INSERT INTO things VALUES (2, 9223372036854775807, -9223372036854775808, 0.1, 5.0, 1e300, 9e999, "
        "NULL, x'00ff10', CAST(x'6122ff5c0a01c3a9c328007f' AS TEXT));"
        "INSERT INTO things VALUES ('2', 1.1, 100.0, 123456789.123456789, -0.0, 1e-7, '1.10', "
        "'12345678901234567890', x'', '');");
    make_profile("SELECT *, rowid AS h2 FROM {prefix}things WHERE owner = :id OR owner = CAST(:id AS TEXT)",
                 ",\"omit\":[\"owner\",\"h2\"]");
    start_ready(&driver, "things.json", "things", "");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", NULL, 2);
    assert_string_equal(
        outcome.payloads,
        "{\"a\":9223372036854775807,\"b\":-9223372036854775808,\"c\":0.1,\"d\":5.0,\"e\":1e+300,\"f\":null,"
        "\"g\":null,"
        "\"h\":\"AP8Q\",\"i\":\"a\\\"\xef\xbf\xbd\\\\\\n\\u0001é\xef\xbf\xbd(\xef\xbf\xbd\x7f\"}\n"
        "{\"a\":1.1,\"b\":100.0,\"c\":123456789.12345679,\"d\":-0.0,\"e\":1e-07,\"f\":\"1.10\","
        "\"g\":\"12345678901234567890\",\"h\":\"\",\"i\":\"\"}\n");
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void pages_bring_every_row_once(void **state)
{
    struct driver driver;
    make_database("pages", false, MANY_THINGS);
    static const char *const sizes[] = {
        ",\"page\":{\"after\":\"id\",\"n\":1}", ",\"page\":{\"after\":\"id\",\"n\":125}",
        ",\"page\":{\"after\":\"id\",\"n\":499}", ",\"page\":{\"after\":\"id\",\"n\":10000}"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        make_profile("SELECT * FROM {prefix}things WHERE owner = :id AND id > :after ORDER BY id LIMIT :n",
                     sizes[i]);
        start_ready(&driver, "things.json", "pages", "");
        struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
        expect_end(&outcome, "things", NULL, 1250);
        const char *at = outcome.payloads;
        for (int id = 2; id <= 2500; id += 2) {
            char text[32];
            snprintf(text, sizeof text, "\"thing-%d.\"", id);
            at = strstr(at, text);
            if (!at)
                fail_msg("%s is missing", text);
        }
        outcome_wipe(&outcome);
        assert_int_equal(driver_leave(&driver), 0);
    }
}

static void a_page_that_does_not_advance_is_failed(void **state)
{
    static const char *const statements[] = {
        "SELECT * FROM things WHERE owner = :id AND id >= :after ORDER BY id LIMIT :n",
        "SELECT * FROM things WHERE owner = :id AND id > :after ORDER BY id DESC LIMIT :n",
        "SELECT *, text AS x FROM things WHERE owner = :id AND id > :after + :n ORDER BY id",
    };
    struct driver driver;
    make_database("stuck", false, MANY_THINGS);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        make_profile(statements[i], ",\"page\":{\"after\":\"id\",\"n\":50}");
        start_ready(&driver, "things.json", "stuck", "");
        struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
        assert_string_equal(driver_text(json_object_get(outcome.ends, "things"), "code"), "source_answer");
        outcome_wipe(&outcome);
        assert_int_equal(driver_leave(&driver), 0);
    }
}

static void a_row_of_someone_else_fails_the_collection_and_is_never_sent(void **state)
{
    struct driver driver;
    make_database("owners", false, MANY_THINGS);
    make_profile("SELECT * FROM things WHERE :id > 0 AND id < 9 ORDER BY id DESC", "");
    start_ready(&driver, "things.json", "owners", "");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", "ownership", 0);
    assert_string_equal(driver_text(json_object_get(outcome.ends, "things"), "status"), "failed");
    assert_null(strstr(outcome.payloads, "thing-7."));
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_row_that_is_too_large_is_withheld_and_the_rest_comes(void **state)
{
    struct driver driver;
    make_database("large", false,
                  "CREATE TABLE things (id INTEGER PRIMARY KEY, owner, text);"
                  "INSERT INTO things VALUES (1, 2, 'first.'), (2, 2, zeroblob(200000)), "
                  "(3, 2, printf('%300000d', 1)), (4, 2, 'last.');");
    make_profile("SELECT * FROM things WHERE owner = :id AND id > :after ORDER BY id LIMIT :n",
                 ",\"page\":{\"after\":\"id\",\"n\":2}");
    start_ready(&driver, "things.json", "large", "");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", "record_too_large", 2);
    assert_string_equal(driver_text(json_object_get(outcome.ends, "things"), "status"), "partial");
    const json_t *withheld = json_array_get(outcome.withheld, 0);
    assert_int_equal(json_integer_value(json_object_get(withheld, "count")), 2);
    assert_string_equal(driver_text(withheld, "reason"), "record_too_large");
    assert_non_null(strstr(outcome.payloads, "first."));
    assert_non_null(strstr(outcome.payloads, "last."));
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void nothing_but_one_select_is_run(void **state)
{
    static const char *const statements[] = {
        "SELECT name AS owner FROM pragma_table_info(:id)",
        "WITH x AS (SELECT :id AS i) DELETE FROM things WHERE owner = (SELECT i FROM x) RETURNING *",
        "WITH x(i) AS (SELECT :id) INSERT INTO things (owner) SELECT i FROM x RETURNING *",
        "SELECT load_extension(:id) AS owner",
        "SELECT 1 AS owner, 2 AS owner FROM things WHERE owner = :id",
        "SELECT text FROM things WHERE owner = :id",
        "SELECT nothing AS owner FROM things WHERE owner = :id",
    };
    struct driver driver;
    make_database("written", false, MANY_THINGS);
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        make_profile(statements[i], "");
        start_ready(&driver, "things.json", "written", "");
        struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
        const json_t *end = json_object_get(outcome.ends, "things");
        if (strcmp(driver_text(end, "status"), "failed") != 0 || outcome.len)
            fail_msg("run: %s", statements[i]);
        outcome_wipe(&outcome);
        assert_int_equal(driver_leave(&driver), 0);
    }
    make_profile("SELECT * FROM things WHERE owner = :id", "");
    start_ready(&driver, "things.json", "written", "");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", NULL, 1250);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_fetch_sees_one_snapshot_and_the_next_a_new_one(void **state)
{
    struct driver driver;
    make_database("moving", false,
                  "PRAGMA journal_mode=WAL; CREATE TABLE things (id INTEGER PRIMARY KEY, owner, text);"
                  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30) "
                  "INSERT INTO things SELECT i, 2, printf('%100000d', i) FROM n;");
    write_file("things.json",
               "{\"profile\":1,\"name\":\"test/things\",\"title\":\"T\",\"engine\":\"sql\",\"version\":\"1\","
               "\"collections\":["
               "{\"name\":\"first\",\"title\":\"T\",\"category\":\"c\",\"needs\":{\"id\":\"uint>1\"},"
               "\"sql\":\"SELECT * FROM things WHERE owner = :id\","
               "\"assert\":[{\"column\":\"owner\",\"equals_identity\":\"id\"}]},"
               "{\"name\":\"second\",\"title\":\"T\",\"category\":\"c\",\"needs\":{\"id\":\"uint>1\"},"
               "\"sql\":\"SELECT id, owner FROM things WHERE owner = :id\","
               "\"assert\":[{\"column\":\"owner\",\"equals_identity\":\"id\"}]}]}");
    start_ready(&driver, "things.json", "moving", "");
    say_fetch(&driver, "\"first\",\"second\"", ID("id", "2"));
    /* 3 MB do not fit into a pipe: the first collection is on its way, the second not yet begun */
    driver_expect_code(&driver, "record", NULL);
    make_database("moving", false, "INSERT INTO things VALUES (99, 2, 'late.');");
    struct outcome outcome = hear_fetch(&driver);
    expect_end(&outcome, "first", NULL, 30);
    expect_end(&outcome, "second", NULL, 30);
    outcome_wipe(&outcome);
    outcome = fetch(&driver, "\"second\"", ID("id", "2"));
    expect_end(&outcome, "second", NULL, 31);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

#define ENDLESS                                                                                              \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS owner FROM n WHERE "        \
    "i + :id < 0"

static void a_statement_that_gives_no_row_is_stopped(void **state)
{
    struct driver driver;
    make_database("slow", false, MANY_THINGS);
    make_profile(ENDLESS, "");
    start_ready(&driver, "things.json", "slow", ",\"timeout_ms\":100");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", "source_timeout", 0);
    assert_true(json_is_true(json_object_get(json_object_get(outcome.ends, "things"), "retryable")));
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void cancel_reaches_a_statement_at_work(void **state)
{
    struct driver driver;
    make_database("slow2", false, MANY_THINGS);
    make_profile(ENDLESS, "");
    start_ready(&driver, "things.json", "slow2", "");
    say_fetch(&driver, "\"things\"", ID("id", "2"));
    driver_expect_code(&driver, "progress", NULL); /* it is at work, and says so */
    driver_say(&driver, "{\"type\":\"cancel\"}");
    struct outcome outcome = hear_fetch(&driver);
    assert_string_equal(driver_text(outcome.done, "code"), "cancelled");
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_database_that_is_not_there_is_unreachable(void **state)
{
    struct driver driver;
    start_ready(&driver, NULL, "nowhere", "");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID("email", "a") "]}");
    driver_expect_code(&driver, "done", "source_unreachable");
    struct outcome outcome = fetch(&driver, "\"account\",\"posts\"", ID("phpbb_user_id", "2"));
    expect_end(&outcome, "account", "source_unreachable", 0);
    expect_end(&outcome, "posts", "source_unreachable", 0);
    assert_string_equal(driver_text(outcome.done, "status"), "ok");
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
    char path[PATH_MAX];
    assert_int_equal(access(path_of("nowhere", path), F_OK), -1);

    write_file("garbage",
               "this is no database, but a text that is longer than the header that one would have: "
               "a hundred bytes at the least");
    start_ready(&driver, NULL, "garbage", "");
    outcome = fetch(&driver, "\"account\"", ID("phpbb_user_id", "2"));
    expect_end(&outcome, "account", "source_answer", 0);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_database_that_is_locked_is_unreachable_for_now(void **state)
{
    struct driver driver;
    make_database("busy", false, MANY_THINGS);
    char path[PATH_MAX];
    char command[2 * PATH_MAX];
    /* holds an exclusive lock until its input ends */
    snprintf(command, sizeof command,
             "python3 -c \"import sqlite3, sys; db = sqlite3.connect('%s', isolation_level=None); "
             "db.execute('BEGIN EXCLUSIVE'); open('%s/locked', 'w').close(); sys.stdin.read()\"",
             path_of("busy", path), folder);
    FILE *writer = popen(command, "we");
    assert_non_null(writer);
    while (access(path_of("locked", path), F_OK))
        usleep(1000);
    make_profile("SELECT * FROM things WHERE owner = :id", "");
    start_ready(&driver, "things.json", "busy", "");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", "source_unreachable", 0);
    assert_true(json_is_true(json_object_get(json_object_get(outcome.ends, "things"), "retryable")));
    outcome_wipe(&outcome);
    pclose(writer);
    outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    expect_end(&outcome, "things", NULL, 1250);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_leave_as_they_are_stored),
        cmocka_unit_test(pages_bring_every_row_once),
        cmocka_unit_test(a_page_that_does_not_advance_is_failed),
        cmocka_unit_test(a_row_of_someone_else_fails_the_collection_and_is_never_sent),
        cmocka_unit_test(a_row_that_is_too_large_is_withheld_and_the_rest_comes),
        cmocka_unit_test(nothing_but_one_select_is_run),
        cmocka_unit_test(a_fetch_sees_one_snapshot_and_the_next_a_new_one),
        cmocka_unit_test(a_statement_that_gives_no_row_is_stopped),
        cmocka_unit_test(cancel_reaches_a_statement_at_work),
        cmocka_unit_test(a_database_that_is_not_there_is_unreachable),
        cmocka_unit_test(a_database_that_is_locked_is_unreachable_for_now),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
