/* driver: what the engine needs of a database system. One constant of struct sql_driver for each; databases
 * and statements are the driver's own structures.
 *
 * A driver lets nothing be written, reads everything between open and close from one snapshot, and never
 * shows data in an error's text. Not thread-safe. Error codes:
 *   "source_unreachable"  not there, locked, not what its certificate says, or the connection broke; retryable
 *   "source_refused"      credentials or rights are wrong
 *   "source_busy"         too many connections; retryable
 *   "source_timeout"      a statement took too long; retryable
 *   "source_error"        a fault of the database that passes: a deadlock, a full disk; retryable
 *   "source_answer"       the database is not what the profile expects
 *   "bad_profile"         the statement is no SELECT, or writes
 */
#ifndef DSAR_SQL_DRIVER_H
#define DSAR_SQL_DRIVER_H

#include <dsar/connector.h>
#include <dsar/protocol.h>

/* The largest value that is given out, in bytes: a record cannot hold more. */
#define SQL_VALUE_MAX DSAR_PAYLOAD_MAX

enum sql_type {
    SQL_NULL,
    SQL_NUMBER, /* the digits of a JSON number, as the database writes them */
    SQL_TEXT,   /* UTF-8, but as the database has it */
    SQL_JSON,   /* what the database takes for JSON */
    SQL_BLOB,   /* bytes */
};

/* One value of a row. */
struct sql_value {
    enum sql_type type;
    const char
        *data;  /* borrowed until the next call on the statement; NULL when `len` is beyond SQL_VALUE_MAX */
    size_t len; /* bytes, without a NUL */
};

/* What a parameter of a statement takes. */
enum sql_parameter { SQL_TAKES_TEXT, SQL_TAKES_INTEGER };

/* Called every now and then while the database works: -1 with an error makes it stop. */
struct sql_watch {
    int (*look)(void *ctx, struct dsar_error *error);
    void *ctx;
    int64_t looked_ms; /* when `look` was called last, on the clock of clock_now_ms */
};

/* What a database is opened with; borrowed until it is closed. */
struct sql_options {
    const json_t *settings; /* as profile_settle gives them */
    const char *password;   /* NULL without */
    int64_t timeout_ms;     /* how long one statement may take */
    struct sql_watch *watch;
};

struct sql_driver {
    const char *const *names; /* that the setting `driver` may say; NULL at its end */
    const char *const
        *settings; /* of the engine's, which this driver has: others are refused; NULL at its end */
    bool has_dollar_parameters; /* a statement's parameters are $1, $2, …; otherwise each is a ? */
    bool ends_statements;       /* the database itself ends a statement at timeout_ms */

    /* Checks settings and password, before there is a database ("bad_settings"). */
    int (*check)(const struct sql_options *options, struct dsar_error *error);

    /* Connects, and begins a read-only transaction. */
    int (*open)(void **database, const struct sql_options *options, struct dsar_error *error);
    void (*close)(void *database);

    /* Makes a statement of one SELECT with `n_parameters` of the kinds `parameters`. One statement at a time is
     * possible: it is finished before the next one is prepared. What fails here or later leaves the snapshot
     * as it is, so that another statement may be prepared, unless the connection broke. */
    int (*prepare)(void *database, const char *sql, const enum sql_parameter *parameters, int n_parameters,
                   void **statement, struct dsar_error *error);
    void (*finish)(void *statement);

    /* Bind parameter `index`, from 0 on, while no row is left to be stepped to. Text is borrowed until finish. */
    int (*bind_text)(void *statement, int index, const char *text, struct dsar_error *error);
    int (*bind_integer)(void *statement, int index, int64_t integer, struct dsar_error *error);

    /* Goes to the next row; *has_row is false behind the last, and the statement may be bound and stepped
     * again. */
    int (*step)(void *statement, bool *has_row, struct dsar_error *error);

    int (*n_columns)(const void *statement);
    const char *(*column_name)(void *statement, int column); /* borrowed; NULL without memory */

    /* A value of the present row. */
    int (*column)(void *statement, int column, struct sql_value *value, struct dsar_error *error);
};

/* By one of its names; NULL when there is none. */
const struct sql_driver *sql_driver_find(const char *name);

/* Refuses settings that only other drivers have ("bad_settings"), and what the driver's own `check` refuses. */
int sql_driver_check(const struct sql_driver *driver, const struct sql_options *options,
                     struct dsar_error *error) __attribute__((warn_unused_result));

extern const struct sql_driver sql_driver_sqlite;
extern const struct sql_driver sql_driver_mariadb;
extern const struct sql_driver sql_driver_postgresql;

#endif
