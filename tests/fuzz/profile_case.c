#include "profile_case.h"

#include "gather/hello.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void take(json_t *hello)
{
    struct fault fault;
    if (hello_check(hello, "shop", &fault))
        abort();
    json_decref(hello);
}

static bool tells(const char *text, json_t *secrets)
{
    const char *name;
    json_t *secret;
    json_object_foreach (secrets, name, secret) {
        if (strstr(text, json_string_value(secret)))
            return true;
    }
    return false;
}

/* Settings are taken or refused; nothing is asked or opened yet. */
static void configure(const struct profile_case *profile_case, void *state)
{
    struct dsar_error error;
    json_t *settings = json_loads(profile_case->settings, 0, NULL);
    json_t *secrets = json_loads(profile_case->secrets, 0, NULL);
    if (!settings || !secrets)
        abort();
    if (profile_case->engine.configure(state, settings, secrets, &error) &&
        (strcmp(error.code, "bad_settings") != 0 || error.retryable || tells(error.text, secrets)))
        abort();
    json_decref(settings);
    json_decref(secrets);
}

void profile_case_run(const struct profile_case *profile_case, const void *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    char *argv[] = {(char[]){"engine"}, (char[]){"--profile"}, path, NULL};
    struct dsar_error error;
    void *state = NULL;
    json_t *hello = profile_case->engine.hello(3, argv, &state, &error);
    if (hello) {
        take(hello);
        if (profile_case->look)
            profile_case->look(state);
        configure(profile_case, state);
    } else if (strcmp(error.code, "bad_profile") != 0 || error.retryable || !error.text[0]) {
        abort();
    }
    profile_case->engine.leave(state);
    close(fd);
}
