/* Any bytes as a profile of the files engine: refused with its place, or a hello that the daemon takes. */
#include "../../connectors/files/engine.h"
#include "gather/hello.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_hello(const struct engine *engine)
{
    struct dsar_error error;
    struct fault fault;
    json_t *hello = engine_hello(engine, &error);
    if (!hello || hello_check(hello, "files", &fault))
        abort();
    json_decref(hello);
}

/* Settings are taken or refused; nothing is opened. */
static void configure(struct engine *engine)
{
    struct dsar_error error;
    json_t *settings = json_pack("{s:s}", "base", "/nonexistent");
    json_t *secrets = json_object();
    if (!settings || !secrets)
        abort();
    if (engine_configure(engine, settings, secrets, &error) &&
        (strcmp(error.code, "bad_settings") != 0 || error.retryable))
        abort();
    json_decref(settings);
    json_decref(secrets);
}

/* Whatever is taken ties each root to somebody. */
static void check_roots(const struct engine *engine)
{
    for (size_t i = 0; i < engine->n_roots; i++)
        if (engine->roots[i].kind == ROOT_ACCESS_LOG ? !engine->roots[i].match_kind
                                                     : json_object_size(engine->roots[i].place_needs) == 0)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    char *argv[] = {(char[]){"dsar-files"}, (char[]){"--profile"}, path, NULL};
    struct dsar_error error;
    struct engine engine = {0};
    if (engine_load(&engine, 3, argv, &error) == 0) {
        check_hello(&engine);
        check_roots(&engine);
        configure(&engine);
    } else if (strcmp(error.code, "bad_profile") != 0 || error.retryable || !error.text[0]) {
        abort();
    }
    engine_wipe(&engine);
    close(fd);
    return 0;
}
