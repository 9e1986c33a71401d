#include "query.h"

#include "../sdk/error.h"
#include "../sdk/iterable.h"
#include "../sdk/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAGE_ROWS_MAX  10000
#define ASSERTIONS_MAX 8

#define AFTER "after"
#define ROWS  "n"

struct assertion {
    int column;
    const char *value; /* borrowed from the bound identities */
    bool ignore_case;
};

struct query {
    struct query_options options;
    struct template template;
    void *statement;
    struct assertion assertions[ASSERTIONS_MAX];
    size_t n_assertions;
    int key_column; /* that paging goes by; -1 without paging */
    int64_t page_rows;
    int64_t last_key;
    int64_t rows_in_page;
    bool is_running; /* a page was begun and its end not yet seen */
};

static int check_page(const json_t *page, const char *path, struct dsar_error *error)
{
    static const char *const keys[] = {AFTER, ROWS, NULL};
    char below[200];
    snprintf(below, sizeof below, "%s/page", path);
    if (!json_is_object(page))
        return dsar_error_set(error, "bad_profile", false, "%s: expected an object", below);
    if (profile_check_keys(page, below, keys, error) || !profile_text(page, AFTER, below, error))
        return -1;
    json_int_t rows = json_integer_value(json_object_get(page, ROWS));
    if (rows < 1 || rows > PAGE_ROWS_MAX)
        return dsar_error_set(error, "bad_profile", false, "%s/n: expected a number from 1 to %d", below,
                              PAGE_ROWS_MAX);
    return 0;
}

static int check_assertion(const json_t *assertion, const json_t *needs, const char *path,
                           struct dsar_error *error)
{
    static const char *const keys[] = {"column", "equals_identity", "ignore_case", NULL};
    if (!json_is_object(assertion))
        return dsar_error_set(error, "bad_profile", false, "%s: expected an object", path);
    if (profile_check_keys(assertion, path, keys, error) || !profile_text(assertion, "column", path, error))
        return -1;
    const char *kind = profile_text(assertion, "equals_identity", path, error);
    if (!kind)
        return -1;
    if (!json_object_get(needs, kind))
        return dsar_error_set(error, "bad_profile", false, "%s/equals_identity: expected a kind from `needs`",
                              path);
    const json_t *ignore_case = json_object_get(assertion, "ignore_case");
    if (ignore_case && !json_is_boolean(ignore_case))
        return dsar_error_set(error, "bad_profile", false, "%s/ignore_case: expected true or false", path);
    return 0;
}

static int check_assertions(const json_t *spec, const char *path, struct dsar_error *error)
{
    const json_t *assertions = json_object_get(spec, "assert");
    if (!assertions)
        return dsar_error_set(error, "bad_profile", false,
                              "%s: expected `assert`, which says how a row is seen to be the person's", path);
    size_t n = json_array_size(assertions);
    if (n == 0 || n > ASSERTIONS_MAX)
        return dsar_error_set(error, "bad_profile", false,
                              "%s/assert: expected an array of 1 to %d assertions", path, ASSERTIONS_MAX);
    for (size_t i = 0; i < n; i++) {
        char below[200];
        snprintf(below, sizeof below, "%s/assert/%zu", path, i);
        if (check_assertion(json_array_get(assertions, i), json_object_get(spec, "needs"), below, error))
            return -1;
    }
    return 0;
}

/* All that is needed is bound: a SELECT that leaves an identity out would give everybody's rows. And nothing
 * else is. */
static int check_parameters(const json_t *spec, const struct template *template, const char *path,
                            struct dsar_error *error)
{
    const json_t *needs = json_object_get(spec, "needs");
    bool is_paged = json_object_get(spec, "page");
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(needs), kind, type) {
        if (strcmp(kind, AFTER) == 0 || strcmp(kind, ROWS) == 0)
            return dsar_error_set(error, "bad_profile", false, "%s/needs/%s: a name that paging has", path,
                                  kind);
        if (!template_has(template, kind))
            return dsar_error_set(error, "bad_profile", false, "%s/sql: expected :%s in it, which is needed",
                                  path, kind);
    }
    for (int i = 0; i < template->n_names; i++) {
        const char *name = template->names[i];
        bool is_of_page = strcmp(name, AFTER) == 0 || strcmp(name, ROWS) == 0;
        if (!(is_paged && is_of_page) && !json_object_get(needs, name))
            return dsar_error_set(error, "bad_profile", false, "%s/sql: :%s is no kind in `needs`", path,
                                  name);
    }
    if (is_paged && (!template_has(template, AFTER) || !template_has(template, ROWS)))
        return dsar_error_set(error, "bad_profile", false, "%s/sql: expected :after and :n in it, for `page`",
                              path);
    return 0;
}

int query_check(const json_t *spec, const char *path, struct dsar_error *error)
{
    const char *sql = profile_text(spec, "sql", path, error);
    const json_t *page = json_object_get(spec, "page");
    struct template template;
    if (!sql || (page && check_page(page, path, error)) || check_assertions(spec, path, error) ||
        template_init(&template, sql, "", false, path, error))
        return -1;
    int result = check_parameters(spec, &template, path, error);
    template_wipe(&template);
    return result;
}

static bool is_number(const json_t *needs, const char *kind)
{
    return strncmp(json_string_value(json_object_get(needs, kind)), "uint", 4) == 0;
}

static int prepare(struct query *query, struct dsar_error *error)
{
    const struct query_options *options = &query->options;
    const struct template *template = &query->template;
    const json_t *needs = json_object_get(options->spec, "needs");
    enum sql_parameter parameters[TEMPLATE_PARAMETERS_MAX];
    for (int i = 0; i < template->n_names; i++) {
        bool is_identity = json_object_get(needs, template->names[i]);
        parameters[i] =
            is_identity && !is_number(needs, template->names[i]) ? SQL_TAKES_TEXT : SQL_TAKES_INTEGER;
    }
    return options->driver->prepare(options->database, template->sql, parameters, template->n_names,
                                    &query->statement, error);
}

/* Binds every parameter of this name. */
static int bind_integer(struct query *query, const char *name, int64_t integer, struct dsar_error *error)
{
    for (int i = 0; i < query->template.n_names; i++)
        if (strcmp(query->template.names[i], name) == 0 &&
            query->options.driver->bind_integer(query->statement, i, integer, error))
            return -1;
    return 0;
}

static int bind_text(struct query *query, const char *name, const char *text, struct dsar_error *error)
{
    for (int i = 0; i < query->template.n_names; i++)
        if (strcmp(query->template.names[i], name) == 0 &&
            query->options.driver->bind_text(query->statement, i, text, error))
            return -1;
    return 0;
}

static int bind_identities(struct query *query, struct dsar_error *error)
{
    const json_t *needs = json_object_get(query->options.spec, "needs");
    for (size_t i = 0; i < query->options.bound->n_items; i++) {
        const struct dsar_identity *item = &query->options.bound->items[i];
        if (is_number(needs, item->kind)
                ? bind_integer(query, item->kind, strtoll(item->value, NULL, 10), error)
                : bind_text(query, item->kind, item->value, error))
            return -1;
    }
    return 0;
}

static int missing_column(const struct query *query, const char *key, const char *name,
                          struct dsar_error *error)
{
    return dsar_error_set(error, "bad_profile", false, "%s/%s: the statement has no column %s",
                          query->options.path, key, name);
}

static int find_assertions(struct query *query, struct dsar_error *error)
{
    const json_t *assertions = json_object_get(query->options.spec, "assert");
    size_t i;
    json_t *item;
    json_array_foreach (assertions, i, item) {
        const char *name = json_string_value(json_object_get(item, "column"));
        const char *kind = json_string_value(json_object_get(item, "equals_identity"));
        struct assertion *assertion = &query->assertions[query->n_assertions++];
        assertion->column = query_find(query, name);
        assertion->value = dsar_identity_first(query->options.bound, kind);
        assertion->ignore_case = json_is_true(json_object_get(item, "ignore_case"));
        if (assertion->column < 0)
            return missing_column(query, "assert", name, error);
    }
    return 0;
}

/* Columns become members of an object, which must have different names. */
static int check_columns(struct query *query, struct dsar_error *error)
{
    int n_columns = query_n_columns(query);
    for (int i = 0; i < n_columns; i++) {
        const char *name = query_column_name(query, i);
        if (!name)
            return error_no_memory(error);
        if (query_find(query, name) != i)
            return dsar_error_set(error, "bad_profile", false, "%s/sql: two columns are named %s",
                                  query->options.path, name);
    }
    return 0;
}

static int find_key(struct query *query, struct dsar_error *error)
{
    const json_t *page = json_object_get(query->options.spec, "page");
    query->key_column = -1;
    if (!page)
        return 0;
    const char *name = json_string_value(json_object_get(page, AFTER));
    query->page_rows = json_integer_value(json_object_get(page, ROWS));
    query->key_column = query_find(query, name);
    return query->key_column < 0 ? missing_column(query, "page/after", name, error) : 0;
}

int query_open(struct query **query, const struct query_options *options, struct dsar_error *error)
{
    struct query *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(error);
    made->options = *options;
    const char *sql = json_string_value(json_object_get(options->spec, "sql"));
    made->last_key = INT64_MIN; /* rows of key 0 and below are rows */
    if (template_init(&made->template, sql, options->prefix, options->driver->has_dollar_parameters,
                      options->path, error) ||
        prepare(made, error) || check_columns(made, error) || find_assertions(made, error) ||
        find_key(made, error) || bind_identities(made, error)) {
        query_close(made);
        return -1;
    }
    *query = made;
    return 0;
}

void query_close(struct query *query)
{
    if (!query)
        return;
    if (query->statement)
        query->options.driver->finish(query->statement);
    template_wipe(&query->template);
    free(query);
}

static bool is_equal(const struct sql_value *value, const struct assertion *assertion)
{
    if ((value->type != SQL_TEXT && value->type != SQL_NUMBER) || value->len != strlen(assertion->value))
        return false;
    return assertion->ignore_case ? strncasecmp(value->data, assertion->value, value->len) == 0
                                  : memcmp(value->data, assertion->value, value->len) == 0;
}

static int check_ownership(const struct query *query, struct dsar_error *error)
{
    for (size_t i = 0; i < query->n_assertions; i++) {
        struct sql_value value;
        if (query_value(query, query->assertions[i].column, &value, error))
            return -1;
        if (!is_equal(&value, &query->assertions[i]))
            return dsar_error_set(error, "ownership", false, "%s: a row came whose %s is not the person's",
                                  query->options.path, query_column_name(query, query->assertions[i].column));
    }
    return 0;
}

static bool read_key(const struct sql_value *value, int64_t *key)
{
    char digits[24];
    char *end;
    if (value->type != SQL_NUMBER || value->len >= sizeof digits)
        return false;
    memcpy(digits, value->data, value->len);
    digits[value->len] = '\0';
    errno = 0;
    *key = strtoll(digits, &end, 10);
    return errno == 0 && *end == '\0';
}

/* A key that does not grow would leave rows out, or never end. */
static int advance(struct query *query, struct dsar_error *error)
{
    struct sql_value value;
    int64_t key;
    if (query_value(query, query->key_column, &value, error))
        return -1;
    query->rows_in_page++;
    if (!read_key(&value, &key) || key <= query->last_key || query->rows_in_page > query->page_rows)
        return dsar_error_set(error, "source_answer", false,
                              "%s/page: expected at most :n rows whose %s grows from row to row",
                              query->options.path, query_column_name(query, query->key_column));
    query->last_key = key;
    return 0;
}

static int begin_page(struct query *query, struct dsar_error *error)
{
    query->is_running = true;
    query->rows_in_page = 0;
    if (query->key_column < 0)
        return 0;
    return bind_integer(query, AFTER, query->last_key, error) ||
                   bind_integer(query, ROWS, query->page_rows, error)
               ? -1
               : 0;
}

int query_next(struct query *query, bool *has_row, struct dsar_error *error)
{
    for (;;) {
        if (!query->is_running && begin_page(query, error))
            return -1;
        if (query->options.driver->step(query->statement, has_row, error))
            return -1;
        if (*has_row)
            break;
        query->is_running = false;
        if (query->key_column < 0 || query->rows_in_page < query->page_rows)
            return 0;
    }
    if (query->key_column >= 0 && advance(query, error))
        return -1;
    return check_ownership(query, error);
}

int query_n_columns(const struct query *query)
{
    return query->options.driver->n_columns(query->statement);
}

const char *query_column_name(const struct query *query, int column)
{
    return query->options.driver->column_name(query->statement, column);
}

int query_value(const struct query *query, int column, struct sql_value *value, struct dsar_error *error)
{
    return query->options.driver->column(query->statement, column, value, error);
}

int query_find(const struct query *query, const char *name)
{
    int n_columns = query_n_columns(query);
    for (int i = 0; i < n_columns; i++) {
        const char *found = query_column_name(query, i);
        if (found && strcmp(found, name) == 0)
            return i;
    }
    return -1;
}
