/* The rows of a statement come one by one (libpq's single-row mode): none waits in our memory. A statement that fails
 * would end the transaction, and with it the snapshot, were it not for a savepoint. */
#include "../sdk/error.h"
#include "base/buf.h"
#include "postgresql_link.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 24

/* Types of PostgreSQL: their numbers in its catalog never change. */
enum {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_OID = 26,
    TYPE_JSON = 114,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_NUMERIC = 1700,
    TYPE_JSONB = 3802
};

struct postgresql_statement {
    struct postgresql_link *link;
    PGresult *columns;          /* the statement's description */
    PGresult *row;              /* NULL without one */
    const char **bound;         /* of each parameter */
    char (*digits)[DIGITS_MAX]; /* where the integers among them stand */
    int n_parameters;
    bool is_running;   /* rows are left to be fetched */
    struct buf binary; /* the value that was asked for last, when it is bytes */
};

static int send_prepare(struct postgresql_statement *statement, const char *sql,
                        const enum sql_parameter *parameters, struct dsar_error *error)
{
    Oid *types = calloc((size_t)statement->n_parameters + 1, sizeof *types);
    if (!types)
        return error_no_memory(error);
    /* what a text is compared with says its type */
    for (int i = 0; i < statement->n_parameters; i++)
        types[i] = parameters[i] == SQL_TAKES_INTEGER ? TYPE_INT8 : 0;
    PGconn *handle = statement->link->handle;
    PGresult *last = NULL;
    int result =
        postgresql_settle(statement->link, PQsendPrepare(handle, "", sql, statement->n_parameters, types),
                          PGRES_COMMAND_OK, "a statement of the profile", &last, error);
    /* here the server's message speaks of the statement alone, which is the profile's */
    const char *message = last ? PQresultErrorField(last, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    if (result && message && strcmp(error->code, "source_answer") == 0)
        dsar_error_set(error, "source_answer", false, "a statement of the profile: %s", message);
    PQclear(last);
    free(types);
    return result;
}

static int describe(struct postgresql_statement *statement, struct dsar_error *error)
{
    if (postgresql_settle(statement->link, PQsendDescribePrepared(statement->link->handle, ""),
                          PGRES_COMMAND_OK, "a statement of the profile", &statement->columns, error))
        return -1;
    if (PQnfields(statement->columns) == 0 || PQnparams(statement->columns) != statement->n_parameters)
        return dsar_error_set(error, "bad_profile", false, "expected a SELECT, found another statement");
    return 0;
}

/* Takes the rows that nobody wants any more, so that another statement may follow. */
static void drain(struct postgresql_statement *statement)
{
    struct dsar_error unheard;
    PGresult *next = NULL;
    do {
        PQclear(next);
        if (postgresql_result(statement->link, &next, &unheard))
            return;
    } while (next);
}

static void postgresql_finish(void *statement)
{
    struct postgresql_statement *postgresql = statement;
    struct dsar_error unheard;
    if (postgresql->is_running && !postgresql->link->is_gone)
        drain(postgresql);
    /* whether it failed or not: the next one finds the transaction as it was */
    if (!postgresql->link->is_gone &&
        postgresql_run(postgresql->link, "ROLLBACK TO SAVEPOINT snapshot", "ending a statement", &unheard))
        postgresql->link->is_gone = true;
    PQclear(postgresql->columns);
    PQclear(postgresql->row);
    buf_wipe(&postgresql->binary);
    free(postgresql->digits);
    free(postgresql->bound);
    free(postgresql);
}

static int postgresql_prepare(void *database, const char *sql, const enum sql_parameter *parameters,
                              int n_parameters, void **statement, struct dsar_error *error)
{
    struct postgresql_link *link = database;
    if (link->is_gone)
        return dsar_error_set(error, "source_unreachable", true, "the connection broke");
    struct postgresql_statement *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(error);
    *made = (struct postgresql_statement){.link = link, .n_parameters = n_parameters};
    buf_init(&made->binary, SQL_VALUE_MAX);
    made->bound = calloc((size_t)n_parameters + 1, sizeof *made->bound);
    made->digits = calloc((size_t)n_parameters + 1, sizeof *made->digits);
    int result = made->bound && made->digits ? 0 : error_no_memory(error);
    if (result || send_prepare(made, sql, parameters, error) || describe(made, error)) {
        postgresql_finish(made);
        return -1;
    }
    *statement = made;
    return 0;
}

static int postgresql_bind_text(void *statement, int index, const char *text, struct dsar_error *error)
{
    struct postgresql_statement *postgresql = statement;
    (void)error;
    postgresql->bound[index] = text;
    return 0;
}

static int postgresql_bind_integer(void *statement, int index, int64_t integer, struct dsar_error *error)
{
    struct postgresql_statement *postgresql = statement;
    (void)error;
    snprintf(postgresql->digits[index], DIGITS_MAX, "%lld", (long long)integer);
    postgresql->bound[index] = postgresql->digits[index];
    return 0;
}

static int execute(struct postgresql_statement *statement, struct dsar_error *error)
{
    PGconn *handle = statement->link->handle;
    if (!PQsendQueryPrepared(handle, "", statement->n_parameters, statement->bound, NULL, NULL, 0) ||
        !PQsetSingleRowMode(handle))
        return postgresql_failed(statement->link, NULL, "running a statement", error);
    statement->is_running = true;
    return 0;
}

static int postgresql_step(void *statement, bool *has_row, struct dsar_error *error)
{
    struct postgresql_statement *postgresql = statement;
    if (!postgresql->is_running && execute(postgresql, error))
        return -1;
    PQclear(postgresql->row);
    postgresql->row = NULL;
    if (postgresql_result(postgresql->link, &postgresql->row, error))
        return -1;
    ExecStatusType status = PQresultStatus(postgresql->row);
    *has_row = status == PGRES_SINGLE_TUPLE;
    if (*has_row)
        return 0;
    if (status != PGRES_TUPLES_OK)
        return postgresql_failed(postgresql->link, postgresql->row, "reading rows", error);
    drain(postgresql); /* nothing but the end comes behind the last row */
    postgresql->is_running = false;
    return 0;
}

static int postgresql_n_columns(const void *statement)
{
    const struct postgresql_statement *postgresql = statement;
    return PQnfields(postgresql->columns);
}

static const char *postgresql_column_name(void *statement, int column)
{
    struct postgresql_statement *postgresql = statement;
    return PQfname(postgresql->columns, column);
}

static enum sql_type type_of(Oid type)
{
    switch (type) {
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC: return SQL_NUMBER;
    case TYPE_BOOL:
    case TYPE_JSON:
    case TYPE_JSONB: return SQL_JSON;
    case TYPE_BYTEA: return SQL_BLOB;
    default: return SQL_TEXT;
    }
}

static unsigned nibble(char digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* "\x00ff" */
static int read_hex(struct buf *buf, struct sql_value *value, struct dsar_error *error)
{
    const char *digits = value->data + 2;
    struct fault fault;
    value->len = value->len < 2 ? 0 : value->len / 2 - 1;
    value->data = NULL;
    if (value->len > SQL_VALUE_MAX)
        return 0;
    buf_clear(buf);
    if (buf_reserve(buf, value->len, &fault))
        return error_from_fault(error, &fault);
    for (size_t i = 0; i < value->len; i++)
        buf->data[i] = (char)(nibble(digits[2 * i]) << 4 | nibble(digits[2 * i + 1]));
    buf->len = value->len;
    value->data = buf->data;
    return 0;
}

static int postgresql_column(void *statement, int column, struct sql_value *value, struct dsar_error *error)
{
    struct postgresql_statement *postgresql = statement;
    Oid type = PQftype(postgresql->row, column);
    *value = (struct sql_value){.type = SQL_NULL};
    if (PQgetisnull(postgresql->row, 0, column))
        return 0;
    *value = (struct sql_value){.type = type_of(type),
                                .data = PQgetvalue(postgresql->row, 0, column),
                                .len = (size_t)PQgetlength(postgresql->row, 0, column)};
    if (type == TYPE_BYTEA)
        return read_hex(&postgresql->binary, value, error);
    if (type == TYPE_BOOL) {
        value->data = *value->data == 't' ? "true" : "false";
        value->len = strlen(value->data);
    }
    if (value->len > SQL_VALUE_MAX)
        value->data = NULL;
    return 0;
}

static const char *const postgresql_names[] = {"postgresql", "postgres", NULL};

const struct sql_driver sql_driver_postgresql = {
    .names = postgresql_names,
    .settings = server_settings,
    .has_dollar_parameters = true,
    .ends_statements = true,
    .check = server_check,
    .open = postgresql_open,
    .close = postgresql_close,
    .prepare = postgresql_prepare,
    .finish = postgresql_finish,
    .bind_text = postgresql_bind_text,
    .bind_integer = postgresql_bind_integer,
    .step = postgresql_step,
    .n_columns = postgresql_n_columns,
    .column_name = postgresql_column_name,
    .column = postgresql_column,
};
