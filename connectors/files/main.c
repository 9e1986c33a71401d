/* dsar-files --profile PATH: a connector that reads mailboxes, folders and access logs as a profile says. */
#include "../sdk/error.h"
#include "engine.h"

#include <locale.h>
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
    json_t *message = engine_load(engine, argc, argv, error) ? NULL : engine_hello(engine, error);
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

int main(int argc, char **argv)
{
    static const struct dsar_connector connector = {
        .hello = hello,
        .configure = configure,
        .fetch = engine_fetch,
        .leave = leave,
    };
    /* libarchive asks for it, to know which names are UTF-8 */
    setlocale(LC_CTYPE, "C.UTF-8");
    return dsar_connector_main(argc, argv, &connector);
}
