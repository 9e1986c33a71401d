/* postgresql_link: the connection of the PostgreSQL driver: how it begins, waits, and fails. */
#ifndef DSAR_SQL_POSTGRESQL_LINK_H
#define DSAR_SQL_POSTGRESQL_LINK_H

#include "driver.h"

#include <libpq-fe.h>

struct postgresql_link {
    PGconn *handle;
    struct sql_watch *watch;
    bool is_gone; /* it broke, or was broken off */
};

/* The driver's `open` and `close`; the database is a struct postgresql_link. */
int postgresql_open(void **database, const struct sql_options *options, struct dsar_error *error);
void postgresql_close(void *database);

/* The next result of what was sent; *result is NULL behind the last, and otherwise the caller's to clear. -1 when
 * the watch wants the work stopped: then the connection is gone. */
int postgresql_result(struct postgresql_link *link, PGresult **result, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Takes all results of what was sent; *last is the last of them, the caller's to clear also after a failure, and
 * has the status `expected` otherwise. */
int postgresql_settle(struct postgresql_link *link, bool is_sent, ExecStatusType expected, const char *doing,
                      PGresult **last, struct dsar_error *error) __attribute__((warn_unused_result));

/* Runs statements of our own, whose rows do not matter. */
int postgresql_run(struct postgresql_link *link, const char *sql, const char *doing, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Fills `error` for a result that is a failure, or NULL for a broken connection, and returns -1. What the server
 * says of it may quote data, and is left out. */
int postgresql_failed(struct postgresql_link *link, const PGresult *result, const char *doing,
                      struct dsar_error *error);

#endif
