#include "engine_parts.h"

#include "../sdk/error.h"
#include "../sdk/iterable.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const default_keys[] = {"request", "ok", "refused", "busy", NULL};

/* A step with the profile's defaults where it says nothing itself: a new reference. */
static json_t *merge(const json_t *defaults, const json_t *step)
{
    json_t *merged = defaults ? json_deep_copy(defaults) : json_object();
    if (merged && json_object_update_recursive(merged, iterable(step))) {
        json_decref(merged);
        return NULL;
    }
    return merged;
}

/* The same for the step that stands under `key` of `object`, if one does. */
static int merge_member(json_t *object, const char *key, const json_t *defaults)
{
    const json_t *step = json_object_get(object, key);
    return json_is_object(step) ? json_object_set_new(object, key, merge(defaults, step)) : 0;
}

/* A file that stands in its record needs no call, and one that comes as it is has no answer to be tested. */
static int merge_files(json_t *files, const json_t *defaults)
{
    json_t *request = json_object_get(defaults, "request");
    json_t *plain = request ? json_pack("{s:O}", "request", request) : json_object();
    int result = plain ? 0 : -1;
    for (size_t i = 0; i < json_array_size(files) && !result; i++) {
        const json_t *file = json_array_get(files, i);
        if (json_is_object(file) && !json_object_get(file, "data"))
            result =
                json_array_set_new(files, i, merge(json_object_get(file, "base64") ? defaults : plain, file));
    }
    json_decref(plain);
    return result;
}

/* One child step may stand alone; from here on there is a list. */
static int merge_each(json_t *collection, const json_t *defaults)
{
    json_t *each = json_object_get(collection, "each");
    if (json_is_object(each) && json_object_set_new(collection, "each", json_pack("[O]", each)))
        return -1;
    each = json_object_get(collection, "each");
    for (size_t i = 0; i < json_array_size(each); i++) {
        const json_t *child = json_array_get(each, i);
        if (json_is_object(child) && json_array_set_new(each, i, merge(defaults, child)))
            return -1;
    }
    return 0;
}

static int merge_parents(json_t *step, const json_t *defaults)
{
    for (; json_is_object(json_object_get(step, "parent")); step = json_object_get(step, "parent"))
        if (merge_member(step, "parent", defaults))
            return -1;
    return 0;
}

/* A new reference; NULL without memory. */
static json_t *merge_all(const json_t *defaults, const json_t *step)
{
    json_t *merged = merge(defaults, step);
    json_t *job = json_object_get(merged, "export");
    if (merged && !merge_each(merged, defaults) && !merge_parents(merged, defaults) &&
        !merge_member(job, "start", defaults) && !merge_member(job, "poll", defaults) &&
        !merge_files(json_object_get(merged, "files"), defaults))
        return merged;
    json_decref(merged);
    return NULL;
}

/* Each identity that a step needs is bound into one of its calls: one that is not asks for everybody's data. */
static int check_bound(const struct scope *scope, const char *path, struct dsar_error *error)
{
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(scope->needs), kind, type) {
        char key[160];
        snprintf(key, sizeof key, "id:%s", kind);
        if (!json_object_get(scope->used, key))
            return dsar_error_set(error, "bad_profile", false,
                                  "%s/needs/%s: expected a call that is made with it: no value names it",
                                  path, kind);
    }
    return 0;
}

static int check_step(const struct engine *engine, const struct step_plan *plan, json_t *used,
                      struct dsar_error *error)
{
    struct step step;
    json_t *own = json_object();
    const struct scope scope = {
        .settings = engine->declared,
        .needs = json_object_get(plan->json, "needs"),
        .used = own,
    };
    if (!own)
        return error_no_memory(error);
    int result = step_read(&step, plan, &scope, error) || check_bound(&scope, plan->path, error) ? -1 : 0;
    if (!result && json_object_update(used, own))
        result = error_no_memory(error);
    json_decref(own);
    return result;
}

static int load_steps(struct engine *engine, const json_t *defaults, json_t *used, struct dsar_error *error)
{
    const json_t *steps = profile_resolve_steps(engine->profile);
    for (size_t i = 0; i < json_array_size(steps); i++) {
        json_t *merged = merge_all(defaults, json_array_get(steps, i));
        char path[64];
        if (json_array_append_new(engine->steps, merged))
            return error_no_memory(error);
        snprintf(path, sizeof path, "/resolve/%zu", i);
        if (check_step(engine, &(struct step_plan){merged, STEP_RESOLVE, path}, used, error))
            return -1;
    }
    return 0;
}

static int load_collections(struct engine *engine, const json_t *defaults, json_t *used,
                            struct dsar_error *error)
{
    const json_t *collections = profile_collections(engine->profile);
    for (size_t i = 0; i < json_array_size(collections); i++) {
        const json_t *collection = json_array_get(collections, i);
        json_t *merged = merge_all(defaults, collection);
        char path[64];
        if (json_object_set_new(engine->collections, json_string_value(json_object_get(collection, "name")),
                                merged))
            return error_no_memory(error);
        snprintf(path, sizeof path, "/collections/%zu", i);
        if (check_step(engine, &(struct step_plan){merged, STEP_COLLECTION, path}, used, error))
            return -1;
    }
    return 0;
}

/* What the profile asks the operator for is used. */
static int check_settings(const struct engine *engine, const json_t *used, struct dsar_error *error)
{
    const json_t *own = json_object_get(profile_document(engine->profile), "settings");
    for (size_t i = 0; i < json_array_size(own); i++) {
        const json_t *setting = json_array_get(own, i);
        bool is_secret = strcmp(json_string_value(json_object_get(setting, "kind")), "secret") == 0;
        const char *name = json_string_value(json_object_get(setting, "name"));
        char key[160];
        snprintf(key, sizeof key, "%s:%s", is_secret ? "secret" : "setting", name);
        if (!json_object_get(used, key))
            return dsar_error_set(error, "bad_profile", false,
                                  "/settings/%zu: expected a value that names %s", i, name);
    }
    return 0;
}

static int check_rate(const struct engine *engine, struct dsar_error *error)
{
    const json_t *rate = json_object_get(profile_document(engine->profile), "requests_per_second");
    double value = json_number_value(rate);
    if (rate &&
        (!json_is_number(rate) || !isfinite(value) || value < CLIENT_RATE_MIN || value > CLIENT_RATE_MAX))
        return dsar_error_set(error, "bad_profile", false,
                              "/requests_per_second: expected a number from %g to %g", CLIENT_RATE_MIN,
                              CLIENT_RATE_MAX);
    return 0;
}

int engine_load(struct engine *engine, struct dsar_error *error)
{
    const json_t *defaults = json_object_get(profile_document(engine->profile), "defaults");
    if (defaults && !json_is_object(defaults))
        return dsar_error_set(error, "bad_profile", false, "/defaults: expected an object");
    if ((defaults && profile_check_keys(defaults, "/defaults", default_keys, error)) ||
        check_rate(engine, error))
        return -1;
    json_t *hello = profile_hello(engine->profile, error);
    if (!hello)
        return -1;
    engine->declared = json_incref(json_object_get(hello, "settings"));
    json_decref(hello);
    engine->steps = json_array();
    engine->collections = json_object();
    json_t *used = json_object();
    int result = used ? 0 : error_no_memory(error);
    if (!result)
        result = engine_check_load(engine, used, error) || load_steps(engine, defaults, used, error) ||
                         load_collections(engine, defaults, used, error) ||
                         check_settings(engine, used, error)
                     ? -1
                     : 0;
    json_decref(used);
    return result;
}
