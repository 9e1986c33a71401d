/* Any bytes as a profile of the rest engine: refused with its place, or a hello that the daemon takes. */
#include "../../connectors/rest/engine.h"
#include "gather/hello.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hello(json_t *hello)
{
    struct fault fault;
    if (hello_check(hello, "shop", &fault))
        abort();
    json_decref(hello);
}

/* Settings are taken or refused; nothing is asked yet. */
static void configure(void *state)
{
    struct dsar_error error;
    json_t *settings = json_pack("{s:s, s:s}", "base_url", "https://shop.example.test", "user", "exporter");
    json_t *secrets = json_pack("{s:s}", "token", "secret");
    if (!settings || !secrets)
        abort();
    if (engine_configure(state, settings, secrets, &error) &&
        (strcmp(error.code, "bad_settings") != 0 || error.retryable || strstr(error.text, "secret\"")))
        abort();
    json_decref(settings);
    json_decref(secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    char *argv[] = {(char[]){"dsar-rest"}, (char[]){"--profile"}, path, NULL};
    struct dsar_error error;
    void *state = NULL;
    json_t *hello = engine_hello(3, argv, &state, &error);
    if (hello) {
        check_hello(hello);
        configure(state);
        engine_leave(state);
    } else if (state || strcmp(error.code, "bad_profile") != 0 || error.retryable || !error.text[0]) {
        abort();
    }
    close(fd);
    return 0;
}
