/* What a profile of the sql engine may say. */
#include "test_sql_engine.h"

static void wrong_statements_are_refused_at_the_start(void **state)
{
    static const struct {
        const char *sql;
        const char *more;
    } wrong[] = {
        {"SELECT * FROM things", ""},                                            /* everybody's */
        {"SELECT * FROM things WHERE owner = ':id'", ""},                        /* a text, no parameter */
        {"SELECT * FROM things WHERE owner = :id AND x = :other", ""},           /* nobody binds it */
        {"SELECT * FROM things WHERE owner = :id AND id > :after LIMIT :n", ""}, /* without page */
        {"SELECT * FROM things WHERE owner = :id", ",\"page\":{\"after\":\"id\",\"n\":5}"},
        {"SELECT * FROM things WHERE owner = :id AND id > :after LIMIT :n",
         ",\"page\":{\"after\":\"id\",\"n\":0}"},
        {"DELETE FROM things WHERE owner = :id RETURNING *", ""},
        {"UPDATE things SET text = 'x' WHERE owner = :id RETURNING *", ""},
        {"INSERT INTO things (owner) VALUES (:id) RETURNING *", ""},
        {"ATTACH :id AS owner", ""},
        {"PRAGMA user_version = :id", ""},
        {"SELECTED * FROM things WHERE owner = :id", ""},
        {"SELECT * FROM things WHERE owner = :id;", ""},
        {"SELECT * FROM things WHERE owner = :id; DELETE FROM things", ""},
        {"SELECT * FROM things WHERE owner = :id # AND", ""},
        {"SELECT * FROM things WHERE owner = :id AND x = $1", ""},
        {"SELECT * FROM things WHERE owner = :id -- AND", ""},
        {"SELECT * FROM things WHERE owner = :id /* AND */", ""},
        {"SELECT * FROM things WHERE owner = :id AND x = ?", ""},
        {"SELECT * FROM things WHERE owner = :id AND x = @x", ""},
        {"SELECT * FROM {table} WHERE owner = :id", ""},
        {"SELECT * FROM things WHERE owner = :id AND x = 'open", ""},
        {"", ""},
        {"SELECT * FROM things WHERE owner = :id", ",\"omit\":\"owner\""},
        {"SELECT * FROM things WHERE owner = :id", ",\"limit\":7"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct driver driver;
        make_profile(wrong[i].sql, wrong[i].more);
        int log_fd = dup(STDERR_FILENO);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        start(&driver, "things.json");
        dup2(log_fd, STDERR_FILENO);
        close(log_fd);
        if (driver_hear(&driver))
            fail_msg("taken: %s", wrong[i].sql);
        assert_int_equal(driver_wait(&driver), 2);
    }
}

#define LOOKUP(more)                                                                                         \
    "{\"profile\":1,\"name\":\"test/"                                                                        \
    "things\",\"title\":\"T\",\"engine\":\"sql\",\"version\":\"1\",\"resolve\":["                            \
    "{\"needs\":{\"email\":\"text\",\"number\":\"text\"},\"evidence\":\"e\"," more                           \
    "\"sql\":\"SELECT owner, text FROM things WHERE text = :email AND id = :number\","                       \
    "\"yields\":{\"id\":{\"column\":\"owner\",\"type\":\"uint>1\"}}}],"                                      \
    "\"collections\":[{\"name\":\"things\",\"title\":\"T\",\"category\":\"c\",\"needs\":{\"id\":\"uint>1\"}" \
    ","                                                                                                      \
    "\"sql\":\"SELECT owner FROM things WHERE owner = :id\","                                                \
    "\"assert\":[{\"column\":\"owner\",\"equals_identity\":\"id\"}]}]}"

static void a_lookup_without_assert_is_refused(void **state)
{
    struct driver driver;
    write_file("things.json", LOOKUP(""));
    int log_fd = dup(STDERR_FILENO);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    start(&driver, "things.json");
    dup2(log_fd, STDERR_FILENO);
    close(log_fd);
    assert_null(driver_hear(&driver));
    assert_int_equal(driver_wait(&driver), 2);
}

static void a_lookup_of_which_a_need_is_unknown_finds_nobody(void **state)
{
    struct driver driver;
    make_database("lookup", false, MANY_THINGS);
    write_file("things.json", LOOKUP("\"assert\":[{\"column\":\"text\",\"equals_identity\":\"email\"}],"));
    start_ready(&driver, "things.json", "lookup", "");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "a@example.test") "]}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "a@example.test") "," ID("number", "") "]}");
    driver_expect_code(&driver, "done", "empty_bind");
    assert_int_equal(driver_leave(&driver), 0);
}

static void a_prefix_names_the_tables_and_nothing_more(void **state)
{
    static const char *const wrong[] = {",\"table_prefix\":\"x; DROP TABLE y; --\"",
                                        ",\"table_prefix\":\"a.b\"",
                                        ",\"table_prefix\":\"\\\"\"",
                                        ",\"table_prefix\":7",
                                        ",\"timeout_ms\":0",
                                        ",\"driver\":\"oracle\"",
                                        ",\"colour\":\"red\""};
    struct driver driver;
    make_database("prefixed", false,
                  "CREATE TABLE My_things (owner, a); INSERT INTO My_things VALUES (2, '{prefix}:x');");
    make_profile("SELECT *, '{prefix}:id' AS quoted FROM {prefix}things WHERE owner = :id", "");
    start_ready(&driver, "things.json", "prefixed", ",\"table_prefix\":\"My_\"");
    struct outcome outcome = fetch(&driver, "\"things\"", ID("id", "2"));
    assert_string_equal(outcome.payloads, "{\"owner\":2,\"a\":\"{prefix}:x\",\"quoted\":\"{prefix}:id\"}\n");
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        start(&driver, "things.json");
        driver_expect_code(&driver, "hello", NULL);
        char line[512];
        snprintf(line, sizeof line,
                 "{\"type\":\"configure\",\"settings\":{\"path\":\"/x\"%s},\"secrets\":{}}", wrong[i]);
        driver_say(&driver, line);
        driver_expect_code(&driver, "error", "bad_settings");
        assert_int_equal(driver_leave(&driver), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_statements_are_refused_at_the_start),
        cmocka_unit_test(a_lookup_without_assert_is_refused),
        cmocka_unit_test(a_lookup_of_which_a_need_is_unknown_finds_nobody),
        cmocka_unit_test(a_prefix_names_the_tables_and_nothing_more),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
