#include "profile.h"

#include "base/buf.h"
#include "error.h"
#include "profile_check.h"

#include <dsar/protocol.h>
#include <stdlib.h>
#include <string.h>

#define PROFILE_BYTES_MAX ((size_t)1 << 20)

struct profile {
    json_t *document;
    json_t *settings; /* the engine's and the profile's own */
    bool checks;      /* the system can be tried */
};

/* Comments are for the reader of the file alone. */
static void strip_comments(json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            strip_comments(json_array_get(value, i));
        return;
    }
    if (!json_is_object(value))
        return;
    json_object_del(value, "$comment");
    const char *key;
    json_t *member;
    json_object_foreach (value, key, member) {
        strip_comments(member);
    }
}

static json_t *read_document(const char *path, struct dsar_error *error)
{
    struct buf text;
    struct fault fault;
    json_error_t at;
    json_t *document = NULL;
    buf_init(&text, PROFILE_BYTES_MAX);
    if (buf_read_file(&text, path, &fault))
        dsar_error_set(error, "bad_profile", false, "%s", fault.text);
    else if (!(document = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, &at)))
        dsar_error_set(error, "bad_profile", false, "%s:%d:%d: %s", path, at.line, at.column, at.text);
    buf_wipe(&text);
    strip_comments(document);
    return document;
}

static json_t *join_settings(const struct profile_engine *engine, const json_t *document)
{
    json_t *settings =
        engine->settings ? json_loads(engine->settings, JSON_REJECT_DUPLICATES, NULL) : json_array();
    json_t *own = json_object_get(document, "settings");
    if (settings && own && json_array_extend(settings, own)) {
        json_decref(settings);
        return NULL;
    }
    return settings;
}

int profile_load(struct profile **profile, const struct profile_engine *engine, int argc, char **argv,
                 struct dsar_error *error)
{
    if (argc != 3 || strcmp(argv[1], "--profile") != 0)
        return dsar_error_set(error, "bad_profile", false, "expected the arguments --profile PATH");
    const char *path = argv[2];
    struct profile *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(error);
    made->document = read_document(path, error);
    if (!made->document)
        goto failed;
    if (profile_check_document(made->document, engine, error))
        goto failed_in_file;
    made->settings = join_settings(engine, made->document);
    if (!made->settings) {
        error_no_memory(error);
        goto failed;
    }
    if (profile_check_settings(made->settings, error))
        goto failed_in_file;
    made->checks = engine->checks || json_object_get(made->document, "check");
    *profile = made;
    return 0;
failed_in_file:;
    char text[sizeof error->text];
    memcpy(text, error->text, sizeof text);
    dsar_error_set(error, "bad_profile", false, "%s: %s", path, text);
failed:
    profile_free(made);
    return -1;
}

void profile_free(struct profile *profile)
{
    if (!profile)
        return;
    json_decref(profile->document);
    json_decref(profile->settings);
    free(profile);
}

const json_t *profile_document(const struct profile *profile)
{
    return profile->document;
}

const json_t *profile_resolve_steps(const struct profile *profile)
{
    return json_object_get(profile->document, "resolve");
}

const json_t *profile_collections(const struct profile *profile)
{
    return json_object_get(profile->document, "collections");
}

const json_t *profile_collection(const struct profile *profile, const char *name)
{
    size_t i;
    json_t *collection;
    json_array_foreach (profile_collections(profile), i, collection) {
        if (strcmp(json_string_value(json_object_get(collection, "name")), name) == 0)
            return collection;
    }
    return NULL;
}

/* The keys of an object, each added to the array `names` once. */
static int add_keys(json_t *names, json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach (object, key, value) {
        size_t i = 0;
        while (i < json_array_size(names) && strcmp(json_string_value(json_array_get(names, i)), key) != 0)
            i++;
        if (i == json_array_size(names) && json_array_append_new(names, json_string(key)))
            return -1;
    }
    return 0;
}

static json_t *hello_resolve(const json_t *steps)
{
    json_t *needs = json_array();
    json_t *yields = json_array();
    size_t i;
    json_t *step;
    json_array_foreach (steps, i, step) {
        if (add_keys(needs, json_object_get(step, "needs")) ||
            add_keys(yields, json_object_get(step, "yields"))) {
            json_decref(needs);
            json_decref(yields);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o}", "needs", needs, "yields", yields);
}

static json_t *hello_collection(const json_t *collection)
{
    json_t *needs = json_array();
    if (add_keys(needs, json_object_get(collection, "needs"))) {
        json_decref(needs);
        return NULL;
    }
    return json_pack("{s:O, s:O, s:O, s:o, s:O*}", "name", json_object_get(collection, "name"), "title",
                     json_object_get(collection, "title"), "category",
                     json_object_get(collection, "category"), "needs", needs, "fields",
                     json_object_get(collection, "fields"));
}

static json_t *hello_collections(const json_t *collections)
{
    json_t *array = json_array();
    size_t i;
    json_t *collection;
    json_array_foreach (collections, i, collection) {
        if (json_array_append_new(array, hello_collection(collection))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *profile_hello(const struct profile *profile, struct dsar_error *error)
{
    char name[DSAR_NAME_MAX + 1] = "";
    strncpy(name, json_string_value(json_object_get(profile->document, "name")), DSAR_NAME_MAX);
    for (char *c = name; *c; c++)
        if (*c == '/')
            *c = '.';
    json_t *hello = json_pack("{s:s, s:O, s:O, s:O, s:o}", "name", name, "title",
                              json_object_get(profile->document, "title"), "version",
                              json_object_get(profile->document, "version"), "settings", profile->settings,
                              "collections", hello_collections(profile_collections(profile)));
    const json_t *steps = profile_resolve_steps(profile);
    if (hello && json_array_size(steps) && json_object_set_new(hello, "resolve", hello_resolve(steps))) {
        json_decref(hello);
        hello = NULL;
    }
    if (hello && profile->checks && json_object_set_new(hello, "check", json_true())) {
        json_decref(hello);
        hello = NULL;
    }
    if (!hello)
        error_no_memory(error);
    return hello;
}

int profile_settle(const struct profile *profile, const json_t *settings, const json_t *secrets,
                   json_t **effective, struct dsar_error *error)
{
    return profile_check_given(profile->settings, settings, secrets, effective, error);
}
