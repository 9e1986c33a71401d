#include "engine.h"

#include "../sdk/binding.h"
#include "../sdk/error.h"
#include "../sdk/iterable.h"
#include "base/clock.h"
#include "base/plain.h"
#include "query.h"
#include "row.h"

#include <dsar/protocol.h>
#include <stdio.h>
#include <string.h>

/* One resolve step or one collection on its way. */
struct task {
    struct engine *engine;
    const json_t *spec;
    char path[64];       /* of `spec` */
    bool *found;         /* of a lookup */
    uint64_t n_withheld; /* rows of the collection that are too large */
};

/* Does what is to be done with the present row. */
typedef int (*row_cb)(struct task *task, const struct query *query, struct dsar_error *error);

/* Runs the task's SELECT for one set of identities. */
static int run(struct task *task, const struct dsar_identities *bound, row_cb use_row,
               struct dsar_error *error)
{
    struct engine *engine = task->engine;
    const struct query_options options = {
        .driver = engine->driver,
        .database = engine->database,
        .spec = task->spec,
        .path = task->path,
        .prefix = engine->prefix,
        .bound = bound,
    };
    struct query *query;
    bool has_row;
    if (query_open(&query, &options, error))
        return -1;
    int result;
    for (;;) {
        engine->row_ms = clock_now_ms();
        result = query_next(query, &has_row, error);
        if (result || !has_row)
            break;
        engine->n_rows++;
        result = use_row(task, query, error);
        if (result)
            break;
    }
    query_close(query);
    return result;
}

static int value_text(const struct sql_value *value, char text[DSAR_IDENTITY_MAX + 1])
{
    bool is_text = value->type == SQL_NUMBER || value->type == SQL_TEXT;
    if (!is_text || value->len > DSAR_IDENTITY_MAX || !plain_is(value->data, value->len))
        return -1;
    memcpy(text, value->data, value->len);
    text[value->len] = '\0';
    return 0;
}

static int yield_row(struct task *task, const struct query *query, struct dsar_error *error)
{
    const char *evidence = json_string_value(json_object_get(task->spec, "evidence"));
    const char *kind;
    json_t *yield;
    json_object_foreach (json_object_get(task->spec, "yields"), kind, yield) {
        const char *name = json_string_value(json_object_get(yield, "column"));
        int column = query_find(query, name);
        if (column < 0)
            return dsar_error_set(error, "bad_profile", false, "%s/yields: the statement has no column %s",
                                  task->path, name);
        struct sql_value value;
        char text[DSAR_IDENTITY_MAX + 1];
        if (query_value(query, column, &value, error))
            return -1;
        if (value_text(&value, text))
            return dsar_error_set(
                error, "bad_identity", false,
                "%s: expected a number or a text of 1 to %d bytes without control characters "
                "and without blanks at its ends",
                kind, DSAR_IDENTITY_MAX);
        if (binding_check(kind, json_string_value(json_object_get(yield, "type")), text, error) ||
            dsar_yield(task->engine->session, kind, text, evidence, error))
            return -1;
        *task->found = true;
    }
    return 0;
}

static int resolve_with(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    return run(ctx, bound, yield_row, error);
}

int engine_resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error)
{
    struct engine *engine = state;
    if (engine_connect(engine, session, error))
        return -1;
    engine->n_rows = 0;
    size_t i;
    json_t *step;
    json_array_foreach (profile_resolve_steps(engine->profile), i, step) {
        struct task task = {.engine = engine, .spec = step, .found = found};
        snprintf(task.path, sizeof task.path, "/resolve/%zu", i);
        if (!binding_is_possible(json_object_get(step, "needs"), identities))
            continue;
        if (binding_each(json_object_get(step, "needs"), identities, resolve_with, &task, error))
            return -1;
    }
    return 0;
}

static int send_row(struct task *task, const struct query *query, struct dsar_error *error)
{
    struct engine *engine = task->engine;
    buf_clear(&engine->row);
    int result = row_write(&engine->row, query, json_object_get(task->spec, "omit"), error);
    if (result && strcmp(error->code, "too_large") == 0) {
        task->n_withheld++;
        return 0;
    }
    if (result)
        return -1;
    return dsar_record(engine->session, engine->row.data, engine->row.len, error);
}

static int fetch_with(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    return run(ctx, bound, send_row, error);
}

int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status, struct dsar_error *error)
{
    struct engine *engine = state;
    if (engine_connect(engine, session, error))
        return -1;
    struct task task = {.engine = engine, .spec = profile_collection(engine->profile, collection)};
    snprintf(task.path, sizeof task.path, "%.63s", collection);
    engine->n_rows = 0;
    int result = binding_each(json_object_get(task.spec, "needs"), identities, fetch_with, &task, error);
    buf_clear(&engine->row);
    if (result)
        return -1;
    *status = DSAR_COMPLETE;
    if (json_is_true(json_object_get(task.spec, "unread")) &&
        dsar_withheld(session, engine->n_rows, "not_fetched", error))
        return -1;
    if (task.n_withheld == 0)
        return 0;
    *status = DSAR_PARTIAL;
    if (dsar_withheld(session, task.n_withheld, "record_too_large", error))
        return -1;
    dsar_error_set(error, "record_too_large", false,
                   "%llu rows are larger than %d bytes as records and were left out",
                   (unsigned long long)task.n_withheld, DSAR_PAYLOAD_MAX);
    return 0;
}
