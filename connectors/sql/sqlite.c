#include "driver.h"

#include "../sdk/error.h"

#include <math.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_WAIT_MS   5000
#define LOOK_EVERY_OPS 10000 /* virtual machine instructions between two looks: below a millisecond */
#define VALUE_MAX      (32 * 1024 * 1024) /* of one text or blob: bounds our memory */
#define DIGITS_MAX     40

struct sqlite_database {
    sqlite3 *handle;
    struct sql_watch *watch;
    struct dsar_error stopped; /* why `watch` stopped the work; no code when it did not */
};

struct sqlite_statement {
    struct sqlite_database *database;
    sqlite3_stmt *handle;
    bool is_stepped;         /* since it was last bound */
    char digits[DIGITS_MAX]; /* of the number that was asked for last */
};

/* Only SQLite's word for the code: its message may quote a value. */
static int failed(struct sqlite_database *database, int code, const char *doing, struct dsar_error *error)
{
    if (database->stopped.code[0]) {
        *error = database->stopped;
        database->stopped.code[0] = '\0';
        return -1;
    }
    switch (code & 0xff) {
    case SQLITE_NOMEM: return error_no_memory(error);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return dsar_error_set(error, "source_unreachable", true,
                              "%s: the database is locked by someone who writes", doing);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return dsar_error_set(error, "source_refused", false, "%s: %s", doing, sqlite3_errstr(code));
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        return dsar_error_set(error, "source_unreachable", true, "%s: %s", doing, sqlite3_errstr(code));
    default: return dsar_error_set(error, "source_answer", false, "%s: %s", doing, sqlite3_errstr(code));
    }
}

static int look(void *ctx)
{
    struct sqlite_database *database = ctx;
    return database->watch->look(database->watch->ctx, &database->stopped);
}

/* What a SELECT does, and the transaction round it; no pragma, no attaching, nothing that writes. */
static int authorize(void *ctx, int action, const char *arg1, const char *arg2, const char *schema,
                     const char *trigger)
{
    (void)ctx;
    (void)arg1;
    (void)schema;
    (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
    case SQLITE_TRANSACTION: return SQLITE_OK;
    case SQLITE_FUNCTION: return arg2 && strcmp(arg2, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_DENY;
    }
}

static int harden(struct sqlite_database *database, struct dsar_error *error)
{
    sqlite3 *handle = database->handle;
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    int code = sqlite3_busy_timeout(handle, BUSY_WAIT_MS);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* temporary files would be plaintext on disk */
    if (code == SQLITE_OK)
        code = sqlite3_exec(handle, "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY;", NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_set_authorizer(handle, authorize, NULL);
    return code == SQLITE_OK ? 0 : failed(database, code, "opening the database", error);
}

/* A transaction of SQLite begins with its first read. Where nobody has a database with a write-ahead log open, SQLite would have
 * to make the index of that log beside it, and to write back what an application that broke off has left half done; neither
 * may we. */
static int begin_snapshot(struct sqlite_database *database, struct dsar_error *error)
{
    int code = sqlite3_exec(database->handle, "BEGIN; SELECT COUNT(*) FROM sqlite_master;", NULL, NULL, NULL);
    if (sqlite3_extended_errcode(database->handle) == SQLITE_READONLY_ROLLBACK)
        return dsar_error_set(error, "source_unreachable", true,
                              "reading the database: its application broke off while it wrote: start that, "
                              "which takes back what it had half done");
    if (code == SQLITE_CANTOPEN || code == SQLITE_READONLY)
        return dsar_error_set(error, "source_unreachable", true,
                              "reading the database: its write-ahead log (journal_mode=WAL) can be read only "
                              "while its application has it open: start that, or set another journal_mode");
    return code == SQLITE_OK ? 0 : failed(database, code, "reading the database", error);
}

static void sqlite_close(void *database)
{
    struct sqlite_database *sqlite = database;
    if (!sqlite)
        return;
    sqlite3_close(sqlite->handle);
    free(sqlite);
}

static int sqlite_check(const struct sql_options *options, struct dsar_error *error)
{
    const char *path = json_string_value(json_object_get(options->settings, "path"));
    return path && *path ? 0
                         : dsar_error_set(error, "bad_settings", false, "path: expected the database file");
}

static int sqlite_open(void **database, const struct sql_options *options, struct dsar_error *error)
{
    const char *path = json_string_value(json_object_get(options->settings, "path"));
    /* SQLite gives names such as ":memory:" and "file:…" a meaning of their own */
    char *plain = path ? sqlite3_mprintf("%s%s", *path == '/' ? "" : "./", path) : NULL;
    struct sqlite_database *made = calloc(1, sizeof *made);
    if (!plain || !made) {
        error_no_memory(error);
        goto failed;
    }
    made->watch = options->watch;
    int code = sqlite3_open_v2(plain, &made->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        failed(made, code, "opening the database", error);
        goto failed;
    }
    if (harden(made, error) || begin_snapshot(made, error))
        goto failed;
    sqlite3_progress_handler(made->handle, LOOK_EVERY_OPS, look, made);
    sqlite3_free(plain);
    *database = made;
    return 0;
failed:
    sqlite3_free(plain);
    sqlite_close(made);
    return -1;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n;")] == '\0';
}

static int sqlite_prepare(void *database, const char *sql, const enum sql_parameter *parameters,
                          int n_parameters, void **statement, struct dsar_error *error)
{
    struct sqlite_database *sqlite = database;
    sqlite3_stmt *handle = NULL;
    const char *tail = "";
    (void)parameters;
    int code = sqlite3_prepare_v3(sqlite->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, &tail);
    if (code == SQLITE_ERROR) /* here the message speaks of the statement alone, which is the profile's */
        return dsar_error_set(error, "source_answer", false, "a statement of the profile: %s",
                              sqlite3_errmsg(sqlite->handle));
    if (code != SQLITE_OK)
        return failed(sqlite, code, "a statement of the profile", error);
    struct sqlite_statement *made = calloc(1, sizeof *made);
    if (!made) {
        sqlite3_finalize(handle);
        return error_no_memory(error);
    }
    if (!handle || !is_blank(tail) || !sqlite3_stmt_readonly(handle) || sqlite3_column_count(handle) == 0 ||
        sqlite3_bind_parameter_count(handle) != n_parameters) {
        sqlite3_finalize(handle);
        free(made);
        return dsar_error_set(error, "bad_profile", false,
                              "expected one SELECT, found another statement, or several");
    }
    *made = (struct sqlite_statement){.database = sqlite, .handle = handle};
    *statement = made;
    return 0;
}

static void sqlite_finish(void *statement)
{
    struct sqlite_statement *sqlite = statement;
    sqlite3_finalize(sqlite->handle);
    OPENSSL_cleanse(sqlite->digits, sizeof sqlite->digits);
    free(sqlite);
}

/* SQLite binds only before the first step. */
static sqlite3_stmt *rewound(struct sqlite_statement *sqlite)
{
    if (sqlite->is_stepped)
        sqlite3_reset(sqlite->handle);
    sqlite->is_stepped = false;
    return sqlite->handle;
}

static int sqlite_bind_text(void *statement, int index, const char *text, struct dsar_error *error)
{
    struct sqlite_statement *sqlite = statement;
    int code = sqlite3_bind_text(rewound(sqlite), index + 1, text, -1, SQLITE_STATIC);
    return code == SQLITE_OK ? 0 : failed(sqlite->database, code, "binding a value", error);
}

static int sqlite_bind_integer(void *statement, int index, int64_t integer, struct dsar_error *error)
{
    struct sqlite_statement *sqlite = statement;
    int code = sqlite3_bind_int64(rewound(sqlite), index + 1, integer);
    return code == SQLITE_OK ? 0 : failed(sqlite->database, code, "binding a value", error);
}

static int sqlite_step(void *statement, bool *has_row, struct dsar_error *error)
{
    struct sqlite_statement *sqlite = statement;
    sqlite->is_stepped = true;
    int code = sqlite3_step(sqlite->handle);
    *has_row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? 0
                                                     : failed(sqlite->database, code, "reading rows", error);
}

static int sqlite_n_columns(const void *statement)
{
    const struct sqlite_statement *sqlite = statement;
    return sqlite3_column_count(sqlite->handle);
}

static const char *sqlite_column_name(void *statement, int column)
{
    const struct sqlite_statement *sqlite = statement;
    return sqlite3_column_name(sqlite->handle, column);
}

/* The shortest decimal that reads back as the same double, with a point or an exponent. */
static void write_real(double real, char digits[DIGITS_MAX])
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, DIGITS_MAX, "%.*g", precision, real);
        if (!(strtod(digits, NULL) < real || strtod(digits, NULL) > real))
            break;
    }
    if (!strpbrk(digits, ".e"))
        memcpy(digits + strlen(digits), ".0", sizeof ".0");
}

static void write_number(sqlite3_stmt *handle, int column, struct sql_value *value, char digits[DIGITS_MAX])
{
    bool is_integer = sqlite3_column_type(handle, column) == SQLITE_INTEGER;
    double real = is_integer ? 0 : sqlite3_column_double(handle, column);
    if (!isfinite(real)) /* no number of JSON: null */
        return;
    if (is_integer)
        snprintf(digits, DIGITS_MAX, "%lld", (long long)sqlite3_column_int64(handle, column));
    else
        write_real(real, digits);
    *value = (struct sql_value){.type = SQL_NUMBER, .data = digits, .len = strlen(digits)};
}

static int sqlite_column(void *statement, int column, struct sql_value *value, struct dsar_error *error)
{
    struct sqlite_statement *sqlite = statement;
    sqlite3_stmt *handle = sqlite->handle;
    (void)error;
    *value = (struct sql_value){.type = SQL_NULL};
    switch (sqlite3_column_type(handle, column)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT: write_number(handle, column, value, sqlite->digits); break;
    case SQLITE_TEXT:
        value->type = SQL_TEXT;
        value->data = (const char *)sqlite3_column_text(handle, column);
        break;
    case SQLITE_BLOB:
        value->type = SQL_BLOB;
        value->data = sqlite3_column_blob(handle, column);
        break;
    default: break;
    }
    if (value->type == SQL_TEXT || value->type == SQL_BLOB)
        value->len = (size_t)sqlite3_column_bytes(handle, column);
    if (value->len > SQL_VALUE_MAX)
        value->data = NULL;
    return 0;
}

static const char *const sqlite_names[] = {"sqlite", NULL};
static const char *const sqlite_settings[] = {"path", NULL};

const struct sql_driver sql_driver_sqlite = {
    .version_sql = "SELECT 'SQLite ' || sqlite_version()",
    .names = sqlite_names,
    .settings = sqlite_settings,
    .check = sqlite_check,
    .open = sqlite_open,
    .close = sqlite_close,
    .prepare = sqlite_prepare,
    .finish = sqlite_finish,
    .bind_text = sqlite_bind_text,
    .bind_integer = sqlite_bind_integer,
    .step = sqlite_step,
    .n_columns = sqlite_n_columns,
    .column_name = sqlite_column_name,
    .column = sqlite_column,
};
