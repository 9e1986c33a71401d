/* The rows of a statement come as they are fetched, one message of the server each: none waits in our memory. */
#include "../sdk/error.h"
#include "base/buf.h"
#include "mariadb_link.h"
#include "server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BINARY_CHARSET 63
#define FIRST_BYTES    ((size_t)4096) /* most values are smaller, and copied once */
#define BIT_BYTES_MAX  8

/* What a parameter is bound to. */
struct binding {
    int64_t integer;
    unsigned long len; /* of a text */
};

struct mariadb_statement {
    struct mariadb_link *link;
    MYSQL_STMT *handle;
    MYSQL_RES *columns;
    MYSQL_BIND *bound;
    struct binding *bindings;
    int n_parameters;
    bool is_running;  /* rows are left to be fetched */
    struct buf value; /* that was asked for last */
};

static int failed(struct mariadb_statement *statement, const char *doing, struct dsar_error *error)
{
    /* an error among the rows is the connection's alone */
    unsigned code = mysql_stmt_errno(statement->handle);
    return mariadb_failed(statement->link, code ? code : mysql_errno(statement->link->handle), doing, error);
}

/* Here the server's message speaks of the statement alone, which is the profile's. */
static int refused(struct mariadb_statement *statement, struct dsar_error *error)
{
    failed(statement, "a statement of the profile", error);
    if (strcmp(error->code, "source_answer") != 0)
        return -1;
    return dsar_error_set(error, "source_answer", false, "a statement of the profile: %s",
                          mysql_stmt_error(statement->handle));
}

static int prepare(struct mariadb_statement *statement, const char *sql, struct dsar_error *error)
{
    int result = 0;
    int status = mysql_stmt_prepare_start(&result, statement->handle, sql, strlen(sql));
    if (mariadb_settle(statement->link, status, &result, mysql_stmt_prepare_cont, statement->handle, error))
        return -1;
    if (result)
        return refused(statement, error);
    statement->columns = mysql_stmt_result_metadata(statement->handle);
    if (!statement->columns || mysql_stmt_param_count(statement->handle) != (unsigned)statement->n_parameters)
        return dsar_error_set(error, "bad_profile", false, "expected a SELECT, found another statement");
    return 0;
}

/* Steps over the rows that nobody wants any more, so that another statement may follow. */
static void drain(struct mariadb_statement *statement)
{
    struct dsar_error unheard;
    int result = 0;
    while (result == 0 && !statement->link->is_gone) {
        int status = mysql_stmt_fetch_start(&result, statement->handle);
        if (mariadb_settle(statement->link, status, &result, mysql_stmt_fetch_cont, statement->handle,
                           &unheard))
            return;
    }
}

static void mariadb_finish(void *statement)
{
    struct mariadb_statement *mariadb = statement;
    if (mariadb->is_running)
        drain(mariadb);
    mysql_free_result(mariadb->columns);
    mysql_stmt_close(mariadb->handle);
    buf_wipe(&mariadb->value);
    free(mariadb->bound);
    free(mariadb->bindings);
    free(mariadb);
}

static int mariadb_prepare(void *database, const char *sql, const enum sql_parameter *parameters,
                           int n_parameters, void **statement, struct dsar_error *error)
{
    struct mariadb_link *link = database;
    (void)parameters;
    if (link->is_gone)
        return dsar_error_set(error, "source_unreachable", true, "the connection broke");
    struct mariadb_statement *made = calloc(1, sizeof *made);
    if (!made || !(made->handle = mysql_stmt_init(link->handle))) {
        free(made);
        return error_no_memory(error);
    }
    made->link = link;
    made->n_parameters = n_parameters;
    buf_init(&made->value, SQL_VALUE_MAX);
    made->bound = calloc((size_t)n_parameters + 1, sizeof *made->bound);
    made->bindings = calloc((size_t)n_parameters + 1, sizeof *made->bindings);
    int result = made->bound && made->bindings ? prepare(made, sql, error) : error_no_memory(error);
    if (result)
        mariadb_finish(made);
    else
        *statement = made;
    return result;
}

static int mariadb_bind_text(void *statement, int index, const char *text, struct dsar_error *error)
{
    struct mariadb_statement *mariadb = statement;
    struct binding *binding = &mariadb->bindings[index];
    (void)error;
    binding->len = strlen(text);
    mariadb->bound[index] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
                                         .buffer = (void *)(uintptr_t)text, /* only read */
                                         .buffer_length = binding->len,
                                         .length = &binding->len};
    return 0;
}

static int mariadb_bind_integer(void *statement, int index, int64_t integer, struct dsar_error *error)
{
    struct mariadb_statement *mariadb = statement;
    struct binding *binding = &mariadb->bindings[index];
    (void)error;
    binding->integer = integer;
    mariadb->bound[index] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &binding->integer};
    return 0;
}

static int execute(struct mariadb_statement *statement, struct dsar_error *error)
{
    int result = 0;
    if (statement->n_parameters && mysql_stmt_bind_param(statement->handle, statement->bound))
        return failed(statement, "binding values", error);
    int status = mysql_stmt_execute_start(&result, statement->handle);
    if (mariadb_settle(statement->link, status, &result, mysql_stmt_execute_cont, statement->handle, error))
        return -1;
    if (result)
        return failed(statement, "running a statement", error);
    statement->is_running = true;
    return 0;
}

static int mariadb_step(void *statement, bool *has_row, struct dsar_error *error)
{
    struct mariadb_statement *mariadb = statement;
    int result = 0;
    if (!mariadb->is_running && execute(mariadb, error))
        return -1;
    int status = mysql_stmt_fetch_start(&result, mariadb->handle);
    if (mariadb_settle(mariadb->link, status, &result, mysql_stmt_fetch_cont, mariadb->handle, error))
        return -1;
    *has_row = result == 0;
    mariadb->is_running = result == 0;
    return result == 0 || result == MYSQL_NO_DATA ? 0 : failed(mariadb, "reading rows", error);
}

static int mariadb_n_columns(const void *statement)
{
    const struct mariadb_statement *mariadb = statement;
    return (int)mysql_num_fields(mariadb->columns);
}

static const char *mariadb_column_name(void *statement, int column)
{
    struct mariadb_statement *mariadb = statement;
    return mysql_fetch_field_direct(mariadb->columns, (unsigned)column)->name;
}

/* MariaDB's JSON is text with a note beside it. */
static bool is_json(const MYSQL_FIELD *field)
{
    static const char json[] = "json";
    MARIADB_CONST_STRING format = {NULL, 0};
    if (field->type == MYSQL_TYPE_JSON)
        return true;
    return !mariadb_field_attr(&format, field, MARIADB_FIELD_ATTR_FORMAT_NAME) &&
           format.length == strlen(json) && memcmp(format.str, json, format.length) == 0;
}

static enum sql_type type_of(const MYSQL_FIELD *field)
{
    switch ((int)field->type) {
    case MYSQL_TYPE_NULL: return SQL_NULL;
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_YEAR:
    case MYSQL_TYPE_BIT:
    case MYSQL_TYPE_FLOAT:
    case MYSQL_TYPE_DOUBLE:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL: return SQL_NUMBER;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_NEWDATE:
    case MYSQL_TYPE_TIME:
    case MYSQL_TYPE_TIME2:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_DATETIME2:
    case MYSQL_TYPE_TIMESTAMP:
    case MYSQL_TYPE_TIMESTAMP2: return SQL_TEXT;
    default: break;
    }
    if (is_json(field))
        return SQL_JSON;
    return field->charsetnr == BINARY_CHARSET ? SQL_BLOB : SQL_TEXT;
}

/* Copies the column's value, as text, into the statement's buffer. */
static int copy_value(struct mariadb_statement *statement, unsigned column, struct sql_value *value,
                      struct dsar_error *error)
{
    struct buf *buf = &statement->value;
    struct fault fault;
    unsigned long len = FIRST_BYTES;
    my_bool is_null = 0;
    buf_clear(buf);
    do {
        if (buf_reserve(buf, len, &fault))
            return error_from_fault(error, &fault);
        MYSQL_BIND into = {.buffer_type = MYSQL_TYPE_STRING,
                           .buffer = buf->data,
                           .buffer_length = (unsigned long)buf->cap - 1,
                           .length = &len,
                           .is_null = &is_null};
        if (mysql_stmt_fetch_column(statement->handle, &into, column, 0))
            return failed(statement, "reading a value", error);
        value->len = is_null ? 0 : len;
    } while (value->len >= buf->cap && value->len <= SQL_VALUE_MAX);
    if (is_null)
        value->type = SQL_NULL;
    if (value->len > SQL_VALUE_MAX)
        return 0;
    buf->len = value->len;
    value->data = buf->data;
    return 0;
}

/* ZEROFILL is for the eye. */
static void strip_zeros(struct sql_value *value)
{
    while (value->len > 1 && value->data[0] == '0' && value->data[1] >= '0' && value->data[1] <= '9') {
        value->data++;
        value->len--;
    }
}

/* BIT comes as bytes, the highest first. */
static int write_bits(struct buf *buf, struct sql_value *value, struct dsar_error *error)
{
    unsigned long long bits = 0;
    struct fault fault;
    for (size_t i = 0; i < value->len && i < BIT_BYTES_MAX; i++)
        bits = bits << 8 | (unsigned char)value->data[i];
    buf_clear(buf);
    if (buf_printf(buf, &fault, "%llu", bits))
        return error_from_fault(error, &fault);
    value->data = buf->data;
    value->len = buf->len;
    return 0;
}

/* A TIMESTAMP is a point in time, which the session writes in UTC; a zero is none. */
static int write_zone(struct buf *buf, struct sql_value *value, struct dsar_error *error)
{
    struct fault fault;
    if (strncmp(value->data, "0000", 4) == 0)
        return 0;
    if (buf_append_text(buf, "+00:00", &fault))
        return error_from_fault(error, &fault);
    value->data = buf->data;
    value->len = buf->len;
    return 0;
}

static int mariadb_column(void *statement, int column, struct sql_value *value, struct dsar_error *error)
{
    struct mariadb_statement *mariadb = statement;
    const MYSQL_FIELD *field = mysql_fetch_field_direct(mariadb->columns, (unsigned)column);
    *value = (struct sql_value){.type = type_of(field)};
    if (copy_value(mariadb, (unsigned)column, value, error))
        return -1;
    if (value->type == SQL_NULL || !value->data)
        return 0;
    if (field->type == MYSQL_TYPE_BIT)
        return write_bits(&mariadb->value, value, error);
    if (field->type == MYSQL_TYPE_TIMESTAMP)
        return write_zone(&mariadb->value, value, error);
    if (value->type == SQL_NUMBER)
        strip_zeros(value);
    return 0;
}

static const char *const mariadb_names[] = {"mariadb", "mysql", NULL};

const struct sql_driver sql_driver_mariadb = {
    .names = mariadb_names,
    .settings = server_settings,
    .ends_statements = true,
    .check = server_check,
    .open = mariadb_open,
    .close = mariadb_close,
    .prepare = mariadb_prepare,
    .finish = mariadb_finish,
    .bind_text = mariadb_bind_text,
    .bind_integer = mariadb_bind_integer,
    .step = mariadb_step,
    .n_columns = mariadb_n_columns,
    .column_name = mariadb_column_name,
    .column = mariadb_column,
};
