/* Any bytes as a profile of the files engine. */
#include "../../connectors/files/engine.h"
#include "profile_case.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken ties each root to somebody. */
static void check_roots(const void *state)
{
    const struct engine *engine = state;
    for (size_t i = 0; i < engine->n_roots; i++)
        if (engine->roots[i].kind == ROOT_ACCESS_LOG ? !engine->roots[i].match_kind
                                                     : json_object_size(engine->roots[i].place_needs) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct profile_case files = {
        .engine = {.hello = engine_hello, .configure = engine_configure, .leave = engine_leave},
        .settings = "{\"base\":\"/nonexistent\"}",
        .secrets = "{}",
        .look = check_roots,
    };
    profile_case_run(&files, data, size);
    return 0;
}
