#include "engine_parts.h"

#include "../sdk/error.h"
#include "withhold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MIN_BYTES 4096
#define ANSWER_MAX_BYTES ((json_int_t)1 << 30)

static const char engine_settings[] =
    "[{\"name\":\"base_url\",\"kind\":\"url\",\"required\":true,"
    "\"help\":\"where the system answers: https, or http on this machine alone\"},"
    "{\"name\":\"ca_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"PEM file with the certificates to trust instead of the system's\"},"
    "{\"name\":\"answer_max_bytes\",\"kind\":\"integer\",\"required\":false,\"default\":16777216,"
    "\"help\":\"the longest answer to one call\"}]";

static const char *const profile_keys[] = {"defaults", "check", NULL};
static const char *const resolve_keys[] = {"request",      "ok",       "refused", "not_found", "records",
                                           "records_kind", "empty",    "total",   "page",      "key",
                                           "match",        "evidence", "assert",  NULL};
static const char *const collection_keys[] = {
    "request", "ok",  "refused", "not_found",  "records",  "records_kind", "empty", "total",
    "page",    "key", "assert",  "unasserted", "withhold", "unread",       "each",  NULL};
static const char *const default_keys[] = {"request", "ok", "refused", NULL};

static const struct profile_engine rest_engine = {
    .name = "rest",
    .settings = engine_settings,
    .keys = profile_keys,
    .resolve_keys = resolve_keys,
    .collection_keys = collection_keys,
};

/* A step with the profile's defaults where it says nothing itself: a new reference. */
static json_t *merge(const json_t *defaults, const json_t *step)
{
    json_t *merged = defaults ? json_deep_copy(defaults) : json_object();
    if (merged && json_object_update_recursive(merged, (json_t *)(uintptr_t)step)) {
        json_decref(merged);
        return NULL;
    }
    const json_t *each = json_object_get(merged, "each");
    if (json_is_object(each) && json_object_set_new(merged, "each", merge(defaults, each))) {
        json_decref(merged);
        return NULL;
    }
    return merged;
}

static int load_steps(struct engine *engine, const json_t *defaults, struct dsar_error *error)
{
    const json_t *steps = profile_resolve_steps(engine->profile);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        json_t *merged = merge(defaults, json_array_get(steps, i));
        if (json_array_append_new(engine->steps, merged))
            return error_no_memory(error);
        char path[64];
        struct step step;
        const struct scope scope = {.settings = engine->declared, .needs = json_object_get(merged, "needs")};
        snprintf(path, sizeof path, "/resolve/%zu", i);
        if (step_read(&step, &(struct step_plan){merged, STEP_RESOLVE, path}, &scope, error))
            return -1;
    }
    return 0;
}

static int load_collections(struct engine *engine, const json_t *defaults, struct dsar_error *error)
{
    const json_t *collections = profile_collections(engine->profile);
    for (size_t i = 0; i < json_array_size(collections); i++) {
        const json_t *collection = json_array_get(collections, i);
        json_t *merged = merge(defaults, collection);
        if (json_object_set_new(engine->collections, json_string_value(json_object_get(collection, "name")),
                                merged))
            return error_no_memory(error);
        char path[64];
        struct step step;
        const struct scope scope = {.settings = engine->declared, .needs = json_object_get(merged, "needs")};
        snprintf(path, sizeof path, "/collections/%zu", i);
        if (step_read(&step, &(struct step_plan){merged, STEP_COLLECTION, path}, &scope, error))
            return -1;
    }
    return 0;
}

static int load(struct engine *engine, struct dsar_error *error)
{
    const json_t *defaults = json_object_get(profile_document(engine->profile), "defaults");
    if (defaults && profile_check_keys(defaults, "/defaults", default_keys, error))
        return -1;
    json_t *hello = profile_hello(engine->profile, error);
    if (!hello)
        return -1;
    engine->declared = json_incref(json_object_get(hello, "settings"));
    json_decref(hello);
    engine->steps = json_array();
    engine->collections = json_object();
    return engine_check_load(engine, error) || load_steps(engine, defaults, error) ||
                   load_collections(engine, defaults, error)
               ? -1
               : 0;
}

json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        error_no_memory(error);
        return NULL;
    }
    if (profile_load(&engine->profile, &rest_engine, argc, argv, error)) {
        engine_leave(engine);
        return NULL;
    }
    if (load(engine, error)) {
        char text[sizeof error->text];
        memcpy(text, error->text, sizeof text);
        dsar_error_set(error, "bad_profile", false, "%s: %s", argv[2], text);
        engine_leave(engine);
        return NULL;
    }
    *state = engine;
    return profile_hello(engine->profile, error);
}

void engine_leave(void *state)
{
    struct engine *engine = state;
    if (!engine)
        return;
    http_close(engine->http);
    json_decref(engine->declared);
    json_decref(engine->steps);
    json_decref(engine->collections);
    json_decref(engine->settings);
    json_decref(engine->secrets);
    profile_free(engine->profile);
    free(engine);
}

int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    struct engine *engine = state;
    if (profile_settle(engine->profile, settings, secrets, &engine->settings, error))
        return -1;
    json_int_t answer_max = json_integer_value(json_object_get(engine->settings, "answer_max_bytes"));
    if (answer_max < ANSWER_MIN_BYTES || answer_max > ANSWER_MAX_BYTES)
        return dsar_error_set(error, "bad_settings", false, "answer_max_bytes: expected %d to %lld",
                              ANSWER_MIN_BYTES, (long long)ANSWER_MAX_BYTES);
    const char *name;
    json_t *collection;
    json_object_foreach (engine->collections, name, collection) {
        const json_t *rules = json_object_get(collection, "withhold");
        for (size_t i = 0; i < json_array_size(rules); i++)
            if (withhold_settle(json_array_get(rules, i), engine->settings, error))
                return -1;
    }
    engine->secrets = json_deep_copy(secrets);
    if (!engine->secrets)
        return error_no_memory(error);
    const struct http_options options = {
        .base_url = json_string_value(json_object_get(engine->settings, "base_url")),
        .ca_file = json_string_value(json_object_get(engine->settings, "ca_file")),
        .answer_max_bytes = (size_t)answer_max,
    };
    return http_open(&engine->http, &options, error);
}
