/* mariadb_link: the connection of the MariaDB driver, for MySQL too: how it begins, waits, and fails.
 *
 * The library's calls are begun and gone on with (its non-blocking API), so that the watch is heard meanwhile.
 */
#ifndef DSAR_SQL_MARIADB_LINK_H
#define DSAR_SQL_MARIADB_LINK_H

#include "driver.h"

#include <mysql.h>

struct mariadb_link {
    MYSQL *handle;
    struct sql_watch *watch;
    bool is_gone; /* it broke, or was broken off */
};

/* The driver's `open` and `close`; the database is a struct mariadb_link. */
int mariadb_open(void **database, const struct sql_options *options, struct dsar_error *error);
void mariadb_close(void *database);

/* One of the library's calls on a statement, as it goes on: mysql_stmt_fetch_cont and its like. */
typedef int (*mariadb_go_on)(int *result, MYSQL_STMT *statement, int ready);

/* Goes on with a call that was begun with `status`, until it is done: then *result is what the call returned. -1
 * when the watch wanted it stopped: then the connection is gone. */
int mariadb_settle(struct mariadb_link *link, int status, int *result, mariadb_go_on go_on,
                   MYSQL_STMT *statement, struct dsar_error *error) __attribute__((warn_unused_result));

/* Fills `error` for an error number of client or server, and returns -1. What the server says of it may quote
 * data, and is left out. */
int mariadb_failed(struct mariadb_link *link, unsigned code, const char *doing, struct dsar_error *error);

#endif
