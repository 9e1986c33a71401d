/* Runs the sql engine, as it was built beside this test, on databases that Python's sqlite3 makes. */
#ifndef DSAR_TEST_SQL_ENGINE_H
#define DSAR_TEST_SQL_ENGINE_H

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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static inline char *path_of(const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

static inline void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *file = fopen(path_of(name, path), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Runs SQL, and before it the DDL of phpBB where `is_phpbb` says so. */
static inline void make_database(const char *name, bool is_phpbb, const char *sql)
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

static inline void start(struct driver *driver, const char *profile)
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
static inline void start_ready(struct driver *driver, const char *profile, const char *database,
                               const char *more)
{
    start(driver, profile);
    driver_expect_code(driver, "hello", NULL);
    char line[PATH_MAX + 256];
    snprintf(line, sizeof line, "{\"type\":\"configure\",\"settings\":{\"path\":\"%s/%s\"%s},\"secrets\":{}}",
             folder, database, more);
    driver_say(driver, line);
    driver_expect(driver, "{\"type\":\"ready\"}");
}

static inline void say_fetch(struct driver *driver, const char *collections, const char *identities)
{
    char line[2048];
    snprintf(line, sizeof line,
             "{\"type\":\"fetch\",\"request\":\"r\",\"deadline_ms\":60000,\"collections\":[%s],"
             "\"identities\":[%s]}",
             collections, identities);
    driver_say(driver, line);
}

static inline struct outcome hear_fetch(struct driver *driver)
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

static inline struct outcome fetch(struct driver *driver, const char *collections, const char *identities)
{
    say_fetch(driver, collections, identities);
    return hear_fetch(driver);
}

static inline void outcome_wipe(struct outcome *outcome)
{
    free(outcome->payloads);
    json_decref(outcome->ends);
    json_decref(outcome->withheld);
    json_decref(outcome->done);
}

/* `code` NULL: it is complete. */
static inline void expect_end(const struct outcome *outcome, const char *collection, const char *code,
                              int count)
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
static inline void make_profile(const char *sql, const char *more)
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

#define MANY_THINGS                                                                                          \
    "CREATE TABLE things (id INTEGER PRIMARY KEY, owner, text);"                                             \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "                        \
    "INSERT INTO things SELECT i, 2 + (i & 1), 'thing-' || i || '.' FROM n;"

#endif
