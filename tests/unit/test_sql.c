/* Runs the sql engine, as it was built beside this test, on databases that Python's sqlite3 makes. */
#include "test_sdk_driver.h"

#include <limits.h>
#include <sys/stat.h>

static char build_folder[PATH_MAX - 200];
static char folder[64];

#define PAYLOADS_MAX ((size_t)4 << 20)

/* All that one fetch brought, for a test to look into. */
struct outcome {
    char *payloads; /* one after the other, NUL-terminated */
    size_t len;
    json_t *ends;     /* collection -> end message */
    json_t *withheld; /* array */
    json_t *done;
};

static int set_up(void **state)
{
    ssize_t len = readlink("/proc/self/exe", build_folder, sizeof build_folder - 1);
    if (len <= 0)
        return -1;
    build_folder[len] = '\0';
    *strrchr(build_folder, '/') = '\0';
    *strrchr(build_folder, '/') = '\0';
    strcpy(folder, "/tmp/test_sql.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static char *path_of(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file = fopen(path_of(name, path), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Runs SQL, and before it the DDL of phpBB where `is_phpbb` says so. */
static void make_database(const char *name, bool is_phpbb, const char *sql)
{
    static const char script[] = "import sqlite3, sys\n"
                                 "db = sqlite3.connect(sys.argv[1], timeout=20)\n"
                                 "for path in sys.argv[2:]:\n"
                                 "    db.executescript(open(path, encoding='utf-8').read())\n"
                                 "db.close()\n";
    write_file("script.py", script);
    write_file("script.sql", sql);
    char command[3 * PATH_MAX];
    snprintf(command, sizeof command, "python3 %s/script.py %s/%s %s%s %s/script.sql", folder, folder, name,
             is_phpbb ? build_folder : "", is_phpbb ? "/share/dsard/example/phpbb.sql" : "", folder);
    assert_int_equal(system(command), 0);
}

static void start(struct driver *driver, const char *profile)
{
    char program[PATH_MAX];
    char path[PATH_MAX];
    snprintf(program, sizeof program, "%s/libexec/dsard/dsar-sql", build_folder);
    if (profile)
        path_of(profile, path);
    else
        snprintf(path, sizeof path, "%s/share/dsard/profiles/forum/phpbb.json", build_folder);
    if (driver_fork(driver) == 0) {
        char *argv[] = {program, (char[]){"--profile"}, path, NULL};
        char *envp[] = {NULL};
        execve(program, argv, envp);
        _exit(98);
    }
}

/* Past the handshake. `more` are further settings, with a leading comma. */
static void start_ready(struct driver *driver, const char *profile, const char *database, const char *more)
{
    start(driver, profile);
    driver_expect_code(driver, "hello", NULL);
    char line[PATH_MAX + 256];
    snprintf(line, sizeof line, "{\"type\":\"configure\",\"settings\":{\"path\":\"%s/%s\"%s},\"secrets\":{}}",
             folder, database, more);
    driver_say(driver, line);
    driver_expect(driver, "{\"type\":\"ready\"}");
}

static void say_fetch(struct driver *driver, const char *collections, const char *identities)
{
    char line[2048];
    snprintf(line, sizeof line,
             "{\"type\":\"fetch\",\"request\":\"r\",\"deadline_ms\":60000,\"collections\":[%s],"
             "\"identities\":[%s]}",
             collections, identities);
    driver_say(driver, line);
}

static struct outcome hear_fetch(struct driver *driver)
{
    struct outcome outcome = {
        .payloads = calloc(1, PAYLOADS_MAX), .ends = json_object(), .withheld = json_array()};
    assert_non_null(outcome.payloads);
    while (!outcome.done) {
        json_t *message = driver_hear(driver);
        assert_non_null(message);
        const char *type = driver_text(message, "type");
        if (driver->payload_len) {
            assert_true(outcome.len + driver->payload_len + 2 < PAYLOADS_MAX);
            memcpy(outcome.payloads + outcome.len, driver->payload, driver->payload_len);
            outcome.len += driver->payload_len;
            outcome.payloads[outcome.len++] = '\n';
        }
        if (strcmp(type, "done") == 0)
            outcome.done = json_incref(message);
        else if (strcmp(type, "end") == 0)
            json_object_set(outcome.ends, driver_text(message, "collection"), message);
        else if (strcmp(type, "withheld") == 0)
            json_array_append(outcome.withheld, message);
        json_decref(message);
    }
    return outcome;
}

static struct outcome fetch(struct driver *driver, const char *collections, const char *identities)
{
    say_fetch(driver, collections, identities);
    return hear_fetch(driver);
}

static void outcome_wipe(struct outcome *outcome)
{
    free(outcome->payloads);
    json_decref(outcome->ends);
    json_decref(outcome->withheld);
    json_decref(outcome->done);
}

/* `code` NULL: it is complete. */
static void expect_end(const struct outcome *outcome, const char *collection, const char *code, int count)
{
    const json_t *end = json_object_get(outcome->ends, collection);
    assert_non_null(end);
    if (strcmp(driver_text(end, "code"), code ? code : "") != 0)
        fail_msg("%s: expected the code '%s', found '%s': %s", collection, code ? code : "",
                 driver_text(end, "code"), driver_text(end, "text"));
    if (!code)
        assert_string_equal(driver_text(end, "status"), "complete");
    assert_int_equal(json_integer_value(json_object_get(end, "count")), count);
}

#define ID(kind, value) "{\"kind\":\"" kind "\",\"value\":\"" value "\"}"

/* A profile of one collection "things" on a table of that name. */
static void make_profile(const char *sql, const char *more)
{
    char text[4096];
    snprintf(text, sizeof text,
             "{\"profile\":1,\"name\":\"test/things\",\"title\":\"T\",\"engine\":\"sql\",\"version\":\"1\","
             "\"settings\":[{\"name\":\"table_prefix\",\"kind\":\"text\",\"required\":false,\"help\":\"h\"}],"
             "\"collections\":[{\"name\":\"things\",\"title\":\"T\",\"category\":\"c\",\"needs\":{\"id\":"
             "\"uint>1\"},"
             "\"sql\":\"%s\",\"assert\":[{\"column\":\"owner\",\"equals_identity\":\"id\"}]%s}]}",
             sql, more);
    write_file("things.json", text);
}

static const char phpbb_rows[] =
    "INSERT INTO phpbb_users (user_id, username, username_clean, user_email, user_password, user_form_salt, "
    "user_actkey, user_lastpage) VALUES "
    "(1, 'Anonymous', 'anonymous', '', '', '', '', ''), "
    "(2, 'alice', 'alice', 'Alice@Example.Test', 'canary-secret', 'canary-secret', 'canary-secret', "
    "'app.php/user/reset_password?u=2&token=canary-secret'), "
    "(3, 'malice', 'malice', 'malice@example.test', 'canary-secret', '', '', ''), "
    "(4, 'alice2', 'alice2', 'alice@example.test', '', '', '', '');"
    "INSERT INTO phpbb_posts (post_id, poster_id, poster_ip, post_text, post_delete_user) VALUES "
    "(10, 2, '192.0.2.2', '<t>alice-post</t>', 77), (11, 3, '192.0.2.3', '<t>canary-malice</t>', 0), "
    "(12, 1, '192.0.2.1', '<t>canary-guest</t>', 0), (13, 2, '192.0.2.2', '<t>alice-post-2</t>', 0);"
    "INSERT INTO phpbb_privmsgs (msg_id, author_id, author_ip, message_text, to_address, bcc_address) VALUES "
    "(20, 3, 'canary-ip', '<t>malice-to-alice</t>', 'u_2', 'canary-bcc'), "
    "(21, 2, '192.0.2.2', '<t>alice-to-malice</t>', 'u_3', 'u_1'), "
    "(22, 2, '192.0.2.2', '<t>alice-deleted-from-sentbox</t>', 'u_3', ''), "
    "(23, 3, 'canary-ip', '<t>canary-malice-to-guest</t>', 'u_1', '');"
    "INSERT INTO phpbb_privmsgs_to (msg_id, user_id, author_id) VALUES (20, 2, 3), (20, 3, 3), (21, 2, 2), "
    "(21, 3, 2), "
    "(22, 3, 2), (23, 1, 3), (23, 3, 3);"
    "INSERT INTO phpbb_sessions (session_id, session_user_id, session_ip, session_page) VALUES "
    "('canary-secret-sid', 2, '192.0.2.2', 'viewtopic.php?t=1'), ('canary-secret-sid2', 1, "
    "'canary-guest-ip', '');"
    "INSERT INTO phpbb_sessions_keys (key_id, user_id, last_ip) VALUES ('canary-secret-key', 2, '192.0.2.2');"
    "INSERT INTO phpbb_log (log_id, user_id, reportee_id, log_ip, log_data) VALUES (30, 2, 2, '192.0.2.2', "
    "'alice-log'), "
    "(31, 77, 2, 'canary-moderator-ip', 'alice-note'), (32, 77, 3, 'canary-x', 'canary-y'), "
    "(33, 2, 0, '192.0.2.2', 'post-by-somebody');"
    "INSERT INTO phpbb_profile_fields_data (user_id, pf_phpbb_location) VALUES (2, 'alice-town'), (3, "
    "'canary-town');"
    "INSERT INTO phpbb_attachments (attach_id, poster_id, physical_filename, real_filename) VALUES "
    "(40, 2, 'canary-physical', 'alice.png'), (41, 3, 'x', 'canary.png');"
    "INSERT INTO phpbb_oauth_tokens (user_id, oauth_token) VALUES (2, 'canary-secret');"
    "INSERT INTO phpbb_reports (report_id, user_id, report_text, reported_post_text) VALUES "
    "(50, 2, 'alice-report', 'canary-reported');"
    "INSERT INTO phpbb_poll_votes (topic_id, poll_option_id, vote_user_id) VALUES (5, 1, 2), (5, 2, 2), (5, "
    "1, 1);";

static void an_address_finds_all_its_accounts_and_no_look_alike(void **state)
{
    struct driver driver;
    make_database("phpbb", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb", "");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "aLICE@example.test") "]}");
    driver_expect(&driver, "{\"type\":\"identity\",\"kind\":\"phpbb_user_id\",\"value\":\"2\","
                           "\"evidence\":\"exact match of the e-mail address\"}");
    driver_expect(&driver, "{\"type\":\"identity\",\"kind\":\"phpbb_user_id\",\"value\":\"4\","
                           "\"evidence\":\"exact match of the e-mail address\"}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "%@example.test") "]}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID("email", "") "]}");
    driver_expect_code(&driver, "done", "empty_bind");
    assert_int_equal(driver_leave(&driver), 0);
}

#define PHPBB_COLLECTIONS                                                                                    \
    "\"account\",\"profile\",\"posts\",\"topics\",\"private_messages\",\"drafts\",\"attachments\",\"poll_"   \
    "votes\","                                                                                               \
    "\"bookmarks\",\"topics_watch\",\"forums_watch\",\"zebra\",\"sessions\",\"session_keys\",\"login_"       \
    "attempts\","                                                                                            \
    "\"log\",\"oauth_accounts\",\"reports\",\"warnings\",\"bans\""

static void phpbb_gives_what_is_the_persons_and_nothing_else(void **state)
{
    struct driver driver;
    make_database("phpbb2", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb2", "");
    struct outcome outcome = fetch(&driver, PHPBB_COLLECTIONS, ID("phpbb_user_id", "2"));
    assert_string_equal(driver_text(outcome.done, "status"), "ok");
    assert_int_equal(json_object_size(outcome.ends), 20);
    static const struct {
        const char *collection;
        int count;
    } expected[] = {{"account", 1},      {"profile", 1},      {"posts", 2},          {"topics", 0},
                    {"drafts", 0},       {"attachments", 1},  {"poll_votes", 2},     {"bookmarks", 0},
                    {"topics_watch", 0}, {"forums_watch", 0}, {"zebra", 0},          {"sessions", 1},
                    {"session_keys", 1}, {"log", 3},          {"login_attempts", 0}, {"private_messages", 3},
                    {"reports", 1},      {"warnings", 0},     {"bans", 0},           {"oauth_accounts", 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_end(&outcome, expected[i].collection, NULL, expected[i].count);
    static const char *const own[] = {"Alice@Example.Test", "alice-post",      "alice-post-2",
                                      "malice-to-alice",    "alice-to-malice", "alice-deleted-from-sentbox",
                                      "alice-log",          "alice-note",      "alice-town",
                                      "alice.png",          "alice-report",    "viewtopic.php?t=1"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strstr(outcome.payloads, own[i]))
            fail_msg("%s is missing", own[i]);
    if (strstr(outcome.payloads, "canary"))
        fail_msg("leaked: %.60s", strstr(outcome.payloads, "canary"));
    assert_null(strstr(outcome.payloads, "malice@"));
    assert_non_null(strstr(outcome.payloads, "\"direction\":\"received\",\"sender\":\"malice\""));
    assert_non_null(strstr(outcome.payloads, "\"direction\":\"sent\",\"sender\":null"));
    /* text about nobody in particular may be about anybody */
    assert_non_null(strstr(outcome.payloads, "\"log_data\":\"alice-note\""));
    assert_non_null(
        strstr(outcome.payloads, "\"log_data\":null,\"log_data_of_others\":\"post-by-somebody\""));
    assert_int_equal(json_array_size(outcome.withheld), 1);
    assert_string_equal(driver_text(json_array_get(outcome.withheld, 0), "collection"), "attachments");
    assert_string_equal(driver_text(json_array_get(outcome.withheld, 0), "reason"), "not_fetched");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(outcome.withheld, 0), "count")), 1);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void the_guest_and_empty_identities_are_refused(void **state)
{
    static const struct {
        const char *identity;
        const char *code;
    } cases[] = {
        {ID("phpbb_user_id", "1"), "bad_identity"},    {ID("phpbb_user_id", "0"), "bad_identity"},
        {ID("phpbb_user_id", ""), "empty_bind"},       {ID("phpbb_user_id", "2 OR 1=1"), "bad_identity"},
        {ID("email", "a@example.test"), "empty_bind"},
    };
    struct driver driver;
    make_database("phpbb3", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb3", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = fetch(&driver, "\"posts\",\"sessions\"", cases[i].identity);
        expect_end(&outcome, "posts", cases[i].code, 0);
        expect_end(&outcome, "sessions", cases[i].code, 0);
        assert_int_equal(outcome.len, 0);
        outcome_wipe(&outcome);
    }
    assert_int_equal(driver_leave(&driver), 0);
}

static void two_accounts_are_both_fetched(void **state)
{
    struct driver driver;
    make_database("phpbb4", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb4", "");
    struct outcome outcome =
        fetch(&driver, "\"account\"", ID("phpbb_user_id", "2") "," ID("phpbb_user_id", "4"));
    expect_end(&outcome, "account", NULL, 2);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

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

#define MANY_THINGS                                                                                          \
    "CREATE TABLE things (id INTEGER PRIMARY KEY, owner, text);"                                             \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "                        \
    "INSERT INTO things SELECT i, 2 + (i & 1), 'thing-' || i || '.' FROM n;"

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
        cmocka_unit_test(an_address_finds_all_its_accounts_and_no_look_alike),
        cmocka_unit_test(phpbb_gives_what_is_the_persons_and_nothing_else),
        cmocka_unit_test(the_guest_and_empty_identities_are_refused),
        cmocka_unit_test(two_accounts_are_both_fetched),
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
        cmocka_unit_test(wrong_statements_are_refused_at_the_start),
        cmocka_unit_test(a_lookup_without_assert_is_refused),
        cmocka_unit_test(a_lookup_of_which_a_need_is_unknown_finds_nobody),
        cmocka_unit_test(a_prefix_names_the_tables_and_nothing_more),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
