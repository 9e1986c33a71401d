#include "engine_parts.h"

#include "../sdk/error.h"
#include "../sdk/iterable.h"
#include "withhold.h"

#include <stdlib.h>
#include <string.h>

static const char engine_settings[] =
    "[{\"name\":\"base_url\",\"kind\":\"url\",\"required\":true,"
    "\"help\":\"where the system answers: https, or http on this machine alone\"},"
    "{\"name\":\"ca_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"PEM file with the certificates to trust instead of the system's\"},"
    "{\"name\":\"client_cert_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"PEM file with the certificate that this side shows, where the system asks for one\"},"
    "{\"name\":\"client_key\",\"kind\":\"secret\",\"required\":false,"
    "\"help\":\"key of that certificate, PEM without a passphrase\"},"
    "{\"name\":\"proxy\",\"kind\":\"url\",\"required\":false,"
    "\"help\":\"proxy through which https goes; without it none is used\"},"
    "{\"name\":\"requests_per_second\",\"kind\":\"text\",\"required\":false,"
    "\"help\":\"how many calls a second one process makes at most, such as 5 or 0.5\"},"
    "{\"name\":\"retries\",\"kind\":\"integer\",\"required\":false,\"default\":2,"
    "\"help\":\"how often a call that only reads is made again after a passing fault\"},"
    "{\"name\":\"answer_max_bytes\",\"kind\":\"integer\",\"required\":false,\"default\":4194304,"
    "\"help\":\"the longest answer to one call\"},"
    "{\"name\":\"file_max_bytes\",\"kind\":\"integer\",\"required\":false,\"default\":1073741824,"
    "\"help\":\"the longest file\"}]";

static const char *const profile_keys[] = {"defaults", "check", "requests_per_second", NULL};
static const char *const resolve_keys[] = {
    "request", "ok",  "refused", "busy", "not_found", "records",  "records_kind", "empty",
    "total",   "cap", "page",    "key",  "match",     "evidence", "assert",       NULL};
static const char *const collection_keys[] = {
    "request",  "ok",    "refused", "busy", "not_found", "records", "records_kind", "empty",
    "total",    "cap",   "page",    "key",  "assert",    "parent",  "unasserted",   "export",
    "withhold", "files", "unread",  "each", "match",     NULL};

static const struct profile_engine rest_engine = {
    .name = "rest",
    .settings = engine_settings,
    .keys = profile_keys,
    .resolve_keys = resolve_keys,
    .collection_keys = collection_keys,
};

json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    *state = engine;
    if (!engine) {
        error_no_memory(error);
        return NULL;
    }
    if (profile_load(&engine->profile, &rest_engine, argc, argv, error))
        return NULL;
    if (engine_load(engine, error)) {
        char text[sizeof error->text];
        memcpy(text, error->text, sizeof text);
        dsar_error_set(error, "bad_profile", false, "%s: %s", argv[2], text);
        return NULL;
    }
    return profile_hello(engine->profile, error);
}

void engine_leave(void *state)
{
    struct engine *engine = state;
    client_close(engine->client);
    json_decref(engine->declared);
    json_decref(engine->steps);
    json_decref(engine->collections);
    json_decref(engine->settings);
    json_decref(engine->secrets);
    profile_free(engine->profile);
    free(engine);
}

static int settle_withhold(const struct engine *engine, struct dsar_error *error)
{
    const char *name;
    json_t *collection;
    json_object_foreach (engine->collections, name, collection) {
        const json_t *rules = json_object_get(collection, "withhold");
        for (size_t i = 0; i < json_array_size(rules); i++)
            if (withhold_settle(json_array_get(rules, i), engine->settings, error))
                return -1;
    }
    return 0;
}

int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    struct engine *engine = state;
    if (profile_settle(engine->profile, settings, secrets, &engine->settings, error) ||
        settle_withhold(engine, error))
        return -1;
    engine->secrets = json_deep_copy(secrets);
    if (!engine->secrets)
        return error_no_memory(error);
    const struct client_options options = {
        .settings = engine->settings,
        .secrets = engine->secrets,
        .requests_per_second =
            json_number_value(json_object_get(profile_document(engine->profile), "requests_per_second")),
    };
    return client_open(&engine->client, &options, error);
}
