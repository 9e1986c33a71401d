/* Any bytes as a profile of the sql engine: refused with its place, or a hello that the daemon takes. */
#include "../../connectors/sql/engine.h"
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
    json_t *hello = profile_hello(engine->profile, &error);
    if (!hello || hello_check(hello, "forum", &fault))
        abort();
    json_decref(hello);
}

/* Settings are taken or refused; there is no database yet. */
static void configure(struct engine *engine)
{
    struct dsar_error error;
    json_t *settings = json_pack("{s:s, s:s}", "path", "/nonexistent/forum.sqlite", "table_prefix", "phpbb_");
    json_t *secrets = json_object();
    if (!settings || !secrets)
        abort();
    if (engine_configure(engine, settings, secrets, &error) &&
        (strcmp(error.code, "bad_settings") != 0 || error.retryable))
        abort();
    json_decref(settings);
    json_decref(secrets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    char *argv[] = {(char[]){"dsar-sql"}, (char[]){"--profile"}, path, NULL};
    struct dsar_error error;
    struct engine engine = {0};
    if (engine_load(&engine, 3, argv, &error) == 0) {
        check_hello(&engine);
        configure(&engine);
    } else if (strcmp(error.code, "bad_profile") != 0 || error.retryable || !error.text[0]) {
        abort();
    }
    engine_wipe(&engine);
    close(fd);
    return 0;
}
