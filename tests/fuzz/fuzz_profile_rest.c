/* Any bytes as a profile of the rest engine. */
#include "../../connectors/rest/engine.h"
#include "profile_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct profile_case rest = {
        .engine = {.hello = engine_hello, .configure = engine_configure, .leave = engine_leave},
        .settings = "{\"base_url\":\"https://shop.example.test\",\"user\":\"exporter\"}",
        .secrets = "{\"token\":\"canary-token\"}",
    };
    profile_case_run(&rest, data, size);
    return 0;
}
