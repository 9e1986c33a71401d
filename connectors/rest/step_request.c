#include "step_parts.h"

#include "../sdk/profile.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_LEN 200

static int check_values(const struct reading *reading, const json_t *map, const char *key,
                        const struct scope *scope)
{
    if (map && !json_is_object(map))
        return reading_bad(reading, "/request", "query, form and headers to be objects");
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *)(uintptr_t)map, name, value) {
        char path[PATH_MAX_LEN];
        snprintf(path, sizeof path, "%s/request/%s/%s", reading->path, key, name);
        if (value_check(value, scope, path, reading->error))
            return -1;
    }
    return 0;
}

static int check_map(const struct reading *reading, const char *key)
{
    return check_values(reading, json_object_get(reading->step->request, key), key, reading->scope);
}

/* A URL of an answer, whose path and query are used. What answers hold others may have written: they lead nowhere but
 * below a folder that the profile names. */
static int check_url(const struct reading *reading, const json_t *path, const char *place)
{
    static const char *const known[] = {"url", "under", NULL};
    const json_t *url = json_object_get(path, "url");
    const char *under = json_string_value(json_object_get(path, "under"));
    if (profile_check_keys(path, place, known, reading->error))
        return -1;
    if (!json_object_get(url, "record") && !json_object_get(url, "started") &&
        !json_object_get(url, "polled") && !json_object_get(url, "element"))
        return reading_bad(reading, "/request/path/url", "one of record, started, polled, element");
    if (!under || *under != '/' || under[strlen(under) - 1] != '/' || under[strcspn(under, "?#% ")])
        return reading_bad(reading, "/request/path/under",
                           "the folder that all these URLs lie in: a text from '/' to '/'");
    return value_check(url, reading->scope, place, reading->error);
}

static bool has_optional(const json_t *value)
{
    for (size_t i = 0; i < json_array_size(value); i++)
        if (has_optional(json_array_get(value, i)))
            return true;
    return json_object_get(value, "optional");
}

static int check_target(const struct reading *reading)
{
    const json_t *path = json_object_get(reading->step->request, "path");
    const char *text = json_string_value(path);
    char place[PATH_MAX_LEN];
    snprintf(place, sizeof place, "%s/request/path", reading->path);
    if (text && *text == '/' && !text[strcspn(text, "?# ")])
        return 0;
    if (json_is_object(path))
        return check_url(reading, path, place);
    if (!json_is_array(path) || json_array_size(path) == 0)
        return reading_bad(reading, "/request/path",
                           "a text that begins with '/' and has no query, or a list of segments");
    for (size_t i = 0; i < json_array_size(path); i++) {
        const json_t *segment = json_array_get(path, i);
        if (has_optional(segment))
            return reading_bad(reading, "/request/path", "segments that are not optional");
        if (value_check(segment, reading->scope, place, reading->error))
            return -1;
    }
    return 0;
}

static int check_basic(const struct reading *reading, const json_t *auth, const char *path)
{
    static const char *const known[] = {"kind", "user", "password", NULL};
    return profile_check_keys(auth, path, known, reading->error) ||
                   value_check(json_object_get(auth, "user"), reading->scope, path, reading->error) ||
                   value_check(json_object_get(auth, "password"), reading->scope, path, reading->error)
               ? -1
               : 0;
}

/* Where tokens come from: a path of the system, or another place that the configuration names. */
static int check_token_place(const struct reading *reading, const json_t *auth, const char *path)
{
    static const char *const known[] = {"setting", NULL};
    const char *token_path = json_string_value(json_object_get(auth, "token_path"));
    const json_t *token_url = json_object_get(auth, "token_url");
    bool is_path = token_path && *token_path == '/' && !token_path[strcspn(token_path, "?# ")];
    if (!is_path == !token_url || (token_path && !is_path))
        return reading_bad(reading, "/request/auth", "`token_path`, which begins with '/', or `token_url`");
    if (!token_url)
        return 0;
    if (!json_is_string(json_object_get(token_url, "setting")))
        return reading_bad(reading, "/request/auth/token_url", "the name of a setting");
    return profile_check_keys(token_url, path, known, reading->error) ||
                   value_check(token_url, reading->scope, path, reading->error)
               ? -1
               : 0;
}

/* A token is everybody's: nothing of a person is asked for with it. */
static int check_oauth2(const struct reading *reading, const json_t *auth, const char *path)
{
    static const char *const known[] = {"kind",          "token_path", "token_url", "client_id",
                                        "client_secret", "in",         "form",      NULL};
    const struct scope scope = {.settings = reading->scope->settings, .used = reading->scope->used};
    const json_t *in = json_object_get(auth, "in");
    const char *where = in ? json_string_value(in) : "form";
    if (profile_check_keys(auth, path, known, reading->error) || check_token_place(reading, auth, path) ||
        value_check(json_object_get(auth, "client_id"), &scope, path, reading->error) ||
        value_check(json_object_get(auth, "client_secret"), &scope, path, reading->error))
        return -1;
    if (!where || (strcmp(where, "form") != 0 && strcmp(where, "basic") != 0))
        return reading_bad(reading, "/request/auth/in", "\"form\" or \"basic\"");
    return check_values(reading, json_object_get(auth, "form"), "auth/form", &scope);
}

static int check_auth(const struct reading *reading)
{
    const json_t *auth = json_object_get(reading->step->request, "auth");
    const char *kind = json_string_value(json_object_get(auth, "kind"));
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%s/request/auth", reading->path);
    if (!auth)
        return 0;
    if (kind && strcmp(kind, "basic") == 0)
        return check_basic(reading, auth, path);
    if (kind && strcmp(kind, "oauth2") == 0)
        return check_oauth2(reading, auth, path);
    return reading_bad(reading, "/request/auth/kind", "\"basic\" or \"oauth2\"");
}

int reading_request(const struct reading *reading)
{
    static const char *const known[] = {"method",  "path", "query",      "form",
                                        "headers", "auth", "idempotent", NULL};
    const json_t *request = json_object_get(reading->json, "request");
    char path[PATH_MAX_LEN];
    snprintf(path, sizeof path, "%s/request", reading->path);
    reading->step->request = request;
    if (!json_is_object(request))
        return reading_bad(reading, "/request", "an object");
    if (profile_check_keys(request, path, known, reading->error))
        return -1;
    const char *method = json_string_value(json_object_get(request, "method"));
    bool is_post = method && strcmp(method, "POST") == 0;
    if (!is_post && (!method || strcmp(method, "GET") != 0))
        return reading_bad(reading, "/request/method", "\"GET\" or \"POST\"");
    if (!is_post && json_object_get(request, "form"))
        return reading_bad(reading, "/request/form", "no form with GET");
    const json_t *idempotent = json_object_get(request, "idempotent");
    if (idempotent && !json_is_boolean(idempotent))
        return reading_bad(reading, "/request/idempotent", "true or false");
    if (check_target(reading) || check_map(reading, "query") || check_map(reading, "form") ||
        check_map(reading, "headers") || check_auth(reading))
        return -1;
    return 0;
}
