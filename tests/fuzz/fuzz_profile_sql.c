/* Any bytes as a profile of the sql engine. */
#include "../../connectors/sql/engine.h"
#include "profile_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct profile_case sql = {
        .engine = {.hello = engine_hello, .configure = engine_configure, .leave = engine_leave},
        .settings = "{\"path\":\"/nonexistent/forum.sqlite\",\"table_prefix\":\"phpbb_\"}",
        .secrets = "{\"password\":\"canary-password\"}",
    };
    profile_case_run(&sql, data, size);
    return 0;
}
