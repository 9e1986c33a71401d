#include "engine.h"

#include "../sdk/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const collection_keys[] = {"kind",       "base",   "path",   "content", "owner",
                                              "hard_links", "limits", "format", "match",   NULL};

static const struct profile_engine files_engine = {
    .name = "files", .collection_keys = collection_keys, .checks = true};

static int read_roots(struct engine *engine, const json_t *declared, struct dsar_error *error)
{
    const json_t *collections = profile_collections(engine->profile);
    size_t n_roots = json_array_size(collections);
    engine->roots = calloc(n_roots, sizeof *engine->roots);
    if (!engine->roots)
        return error_no_memory(error);
    for (; engine->n_roots < n_roots; engine->n_roots++) {
        char path[64];
        snprintf(path, sizeof path, "/collections/%zu", engine->n_roots);
        if (root_read(&engine->roots[engine->n_roots], json_array_get(collections, engine->n_roots), declared,
                      path, error))
            return -1;
    }
    return 0;
}

static int load(struct engine *engine, int argc, char **argv, struct dsar_error *error)
{
    if (profile_load(&engine->profile, &files_engine, argc, argv, error))
        return -1;
    if (profile_resolve_steps(engine->profile))
        return dsar_error_set(error, "bad_profile", false, "/resolve: files look nobody up");
    json_t *hello = profile_hello(engine->profile, error);
    if (!hello)
        return -1;
    int result = read_roots(engine, json_object_get(hello, "settings"), error);
    json_decref(hello);
    return result;
}

void engine_leave(void *state)
{
    struct engine *engine = state;
    for (size_t i = 0; i < engine->n_roots; i++)
        root_wipe(&engine->roots[i]);
    free(engine->roots);
    json_decref(engine->settings);
    profile_free(engine->profile);
    free(engine);
}

static bool asks_for_users(const struct engine *engine)
{
    for (size_t i = 0; i < engine->n_roots; i++)
        if (json_object_get(engine->roots[i].owner, "user"))
            return true;
    return false;
}

json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    *state = engine;
    if (!engine) {
        error_no_memory(error);
        return NULL;
    }
    json_t *hello = load(engine, argc, argv, error) ? NULL : profile_hello(engine->profile, error);
    if (hello && asks_for_users(engine) &&
        json_object_set_new(hello, "reads", json_pack("[s, s]", "/etc/passwd", "/etc/nsswitch.conf"))) {
        error_no_memory(error);
        json_decref(hello);
        return NULL;
    }
    return hello;
}

int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    struct engine *engine = state;
    if (profile_settle(engine->profile, settings, secrets, &engine->settings, error))
        return -1;
    for (size_t i = 0; i < engine->n_roots; i++)
        if (root_settle(&engine->roots[i], engine->settings, error))
            return -1;
    return 0;
}

const struct root *engine_root(const struct engine *engine, const char *collection)
{
    const struct root *root = engine->roots;
    while (strcmp(root->name, collection) != 0)
        root++;
    return root;
}
