/* driver: what the engine needs of a database system. One constant of struct sql_driver for each; databases
 * and statements are the driver's own structures.
 *
 * A driver lets nothing be written, reads everything between begin and close from one snapshot, and never
 * shows data in an error's text. Error codes: "source_unreachable" (not there, locked, or the connection broke:
 * try again), "source_refused" (it lets us not in), "source_answer" (the database is not what the profile
 * expects).
 */
#ifndef DSAR_SQL_DRIVER_H
#define DSAR_SQL_DRIVER_H

#include <dsar/connector.h>

enum sql_type { SQL_NULL, SQL_INTEGER, SQL_REAL, SQL_TEXT, SQL_BLOB };

/* One value, to bind or of a row. `data` is borrowed: of a row until the next step. */
struct sql_value {
    enum sql_type type;
    int64_t integer;
    double real;
    const char *data; /* of text (in UTF-8, but as the database has it) and blobs; `len` bytes */
    size_t len;
};

/* Called every now and then while the database works: -1 with an error makes it stop. */
struct sql_watch {
    int (*look)(void *ctx, struct dsar_error *error);
    void *ctx;
};

struct sql_driver {
    const char *name;
    const char *version_sql; /* a SELECT of one text: what it is, and its version */

    /* Connects, and begins a read-only transaction. `settings` as profile_settle gives them; `watch` is
     * borrowed until close. */
    int (*open)(void **database, const json_t *settings, const struct sql_watch *watch,
                struct dsar_error *error);
    void (*close)(void *database);

    /* Makes a statement of one SELECT. Its parameters are ?1, ?2, … */
    int (*prepare)(void *database, const char *sql, void **statement, struct dsar_error *error);
    void (*finish)(void *statement);

    /* Binds parameter `index`, from 1 on, and forgets rows that were not stepped to. Text is copied. */
    int (*bind)(void *statement, int index, const struct sql_value *value, struct dsar_error *error);

    /* Goes to the next row; *has_row is false behind the last, and the statement may be bound and stepped
     * again. */
    int (*step)(void *statement, bool *has_row, struct dsar_error *error);

    int (*n_columns)(const void *statement);
    const char *(*column_name)(void *statement, int column);              /* borrowed; NULL without memory */
    void (*column)(void *statement, int column, struct sql_value *value); /* of the present row */
};

/* By the name that the setting `driver` says; NULL when there is none. */
const struct sql_driver *sql_driver_find(const char *name);

extern const struct sql_driver sql_driver_sqlite;

#endif
