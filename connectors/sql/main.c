/* dsar-sql --profile PATH: a connector that reads a database with the SELECTs of a profile. */
#include "../sdk/error.h"
#include "engine.h"

#include <stdlib.h>

static void leave(void *state)
{
    struct engine *engine = state;
    engine_wipe(engine);
    free(engine);
}

static json_t *hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_no_memory(error);
        return NULL;
    }
    json_t *message = engine_load(engine, argc, argv, error) ? NULL : profile_hello(engine->profile, error);
    if (message && json_object_set_new(message, "check", json_true())) {
        json_decref(message);
        message = NULL;
        error_no_memory(error);
    }
    if (message)
        *state = engine;
    else
        leave(engine);
    return message;
}

static int configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    return engine_configure(state, settings, secrets, error);
}

static void settle(void *state)
{
    engine_disconnect(state);
}

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = hello,
        .configure = configure,
        .check = engine_check,
        .resolve = engine_resolve,
        .fetch = engine_fetch,
        .settle = settle,
        .leave = leave,
    };
    return dsar_connector_main(argc, argv, &connector);
}
