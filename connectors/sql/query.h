/* query: one SELECT of a profile, run for one set of identities, page by page, each row checked to be the
 * person's.
 *
 * Keys of a resolve step and of a collection:
 *   "sql": the SELECT (template.h). Every identity kind in `needs` must be bound in it, and nothing else but
 * `after` and `n`. "page": {"after": COLUMN, "n": ROWS}: keyset paging: the statement is run again with
 * :after, at first the least number of 64 bits, then the value of COLUMN in the last row, and :n, how
 * many rows to give at most, until it gives fewer. COLUMN must be a whole number that grows from row to row.
 * Without `page` the statement is run once.
 *   "assert": [{"column": COLUMN, "equals_identity": KIND, "ignore_case": true}]: what must hold of every
 * row; `ignore_case` (of ASCII letters) may be left out. Required.
 */
#ifndef DSAR_SQL_QUERY_H
#define DSAR_SQL_QUERY_H

#include "driver.h"
#include "template.h"

/* Checks these keys, before there is a database. `path` is the JSON Pointer of `spec`. */
int query_check(const json_t *spec, const char *path, struct dsar_error *error)
    __attribute__((warn_unused_result));

struct query;

struct query_options {
    const struct sql_driver *driver;
    void *database;
    const json_t *spec;                  /* that query_check has passed; borrowed until query_close */
    const char *path;                    /* its place, for texts; borrowed */
    const char *prefix;                  /* of the tables */
    const struct dsar_identities *bound; /* from binding_each; borrowed until query_close */
};

int query_open(struct query **query, const struct query_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));
void query_close(struct query *query);

/* Goes to the next row; *has_row is false behind the last of the last page. Fails with "ownership" when the
 * row is not the person's, with "source_answer" when paging goes wrong. */
int query_next(struct query *query, bool *has_row, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* The columns, and the present row. */
int query_n_columns(const struct query *query);
const char *query_column_name(const struct query *query, int column);
int query_value(const struct query *query, int column, struct sql_value *value, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Which column has this name; -1 when there is none. */
int query_find(const struct query *query, const char *name);

#endif
