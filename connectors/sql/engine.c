#include "engine.h"

#include "../sdk/binding.h"
#include "../sdk/error.h"
#include "../sdk/iterable.h"
#include "base/clock.h"
#include "query.h"

#include <dsar/protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX_MS 3600000

/* How much longer than itself we wait for the word of a database that ends its statements. */
#define GRACE_MS 2000

static const char engine_settings[] =
    "["
    "{\"name\":\"driver\",\"kind\":\"text\",\"required\":false,"
    "\"help\":\"the database system: sqlite, mariadb (or mysql), postgresql\"},"
    "{\"name\":\"path\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"the database file of sqlite\"},"
    "{\"name\":\"host\",\"kind\":\"host\",\"ports\":[3306,5432],\"required\":false,"
    "\"help\":\"the server's name or address\"},"
    "{\"name\":\"port\",\"kind\":\"port\",\"required\":false,"
    "\"help\":\"the server's port; 3306 for mariadb and 5432 for postgresql when it is absent\"},"
    "{\"name\":\"socket\",\"kind\":\"socket\",\"required\":false,"
    "\"help\":\"instead of host: mariadb's socket, or the folder of postgresql's\"},"
    "{\"name\":\"database\",\"kind\":\"text\",\"required\":false,"
    "\"help\":\"the name of the product's database\"},"
    "{\"name\":\"user\",\"kind\":\"text\",\"required\":false,"
    "\"help\":\"a user who may read the database and no more\"},"
    "{\"name\":\"password\",\"kind\":\"secret\",\"required\":false,"
    "\"help\":\"the user's password\"},"
    "{\"name\":\"tls\",\"kind\":\"text\",\"required\":false,"
    "\"help\":\"verify or off; verify when it is absent, but off to this machine itself\"},"
    "{\"name\":\"ca_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"certificates to trust instead of the system's\"},"
    "{\"name\":\"client_cert_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"our certificate, for a server that wants one\"},"
    "{\"name\":\"client_key_file\",\"kind\":\"path\",\"required\":false,"
    "\"help\":\"the private key of our certificate\"},"
    "{\"name\":\"timeout_ms\",\"kind\":\"integer\",\"required\":false,\"default\":30000,"
    "\"help\":\"how long one statement may take, in milliseconds\"}]";

static const char *const engine_keys[] = {"check", "drivers", NULL};
static const char *const resolve_keys[] = {"sql", "page", "assert", "evidence", NULL};
static const char *const collection_keys[] = {"sql", "page", "assert", "omit", "unread", NULL};

static const struct profile_engine sql_engine = {
    .name = "sql",
    .settings = engine_settings,
    .keys = engine_keys,
    .resolve_keys = resolve_keys,
    .collection_keys = collection_keys,
    .checks = true,
};

static int check_yields(const json_t *yields, const char *path, struct dsar_error *error)
{
    static const char *const keys[] = {"column", "type", NULL};
    const char *kind;
    json_t *yield;
    json_object_foreach (iterable(yields), kind, yield) {
        char below[200];
        snprintf(below, sizeof below, "%s/yields/%s", path, kind);
        if (!json_is_object(yield))
            return dsar_error_set(error, "bad_profile", false, "%s: expected an object", below);
        if (profile_check_keys(yield, below, keys, error) || !profile_text(yield, "column", below, error))
            return -1;
        const char *type = profile_text(yield, "type", below, error);
        if (!type)
            return -1;
        if (!binding_is_type(type))
            return dsar_error_set(error, "bad_profile", false, "%s/type: expected \"text\" or \"uint>N\"",
                                  below);
    }
    return 0;
}

static int check_steps(const json_t *steps, struct dsar_error *error)
{
    size_t i;
    json_t *step;
    json_array_foreach (steps, i, step) {
        char path[64];
        snprintf(path, sizeof path, "/resolve/%zu", i);
        if (query_check(step, path, error) || check_yields(json_object_get(step, "yields"), path, error) ||
            !profile_text(step, "evidence", path, error))
            return -1;
    }
    return 0;
}

static int check_omit(const json_t *collection, const char *path, struct dsar_error *error)
{
    const json_t *omit = json_object_get(collection, "omit");
    size_t i;
    json_t *item;
    if (omit && !json_is_array(omit))
        return dsar_error_set(error, "bad_profile", false, "%s/omit: expected an array of column names",
                              path);
    json_array_foreach (omit, i, item) {
        if (!json_is_string(item))
            return dsar_error_set(error, "bad_profile", false, "%s/omit/%zu: expected a column name", path,
                                  i);
    }
    return 0;
}

static int check_collections(const json_t *collections, struct dsar_error *error)
{
    size_t i;
    json_t *collection;
    json_array_foreach (collections, i, collection) {
        char path[64];
        snprintf(path, sizeof path, "/collections/%zu", i);
        if (query_check(collection, path, error) || check_omit(collection, path, error))
            return -1;
        const json_t *unread = json_object_get(collection, "unread");
        if (unread && !json_is_boolean(unread))
            return dsar_error_set(error, "bad_profile", false, "%s/unread: expected true or false", path);
    }
    return 0;
}

/* Which database systems the statements are written for. */
static int check_drivers(const json_t *drivers, struct dsar_error *error)
{
    size_t i;
    json_t *item;
    if (drivers && json_array_size(drivers) == 0)
        return dsar_error_set(error, "bad_profile", false, "/drivers: expected an array of drivers' names");
    json_array_foreach (drivers, i, item) {
        if (!json_is_string(item) || !sql_driver_find(json_string_value(item)))
            return dsar_error_set(error, "bad_profile", false,
                                  "/drivers/%zu: expected sqlite, mariadb or postgresql", i);
    }
    return 0;
}

static int load(struct engine *engine, int argc, char **argv, struct dsar_error *error)
{
    if (profile_load(&engine->profile, &sql_engine, argc, argv, error) || engine_check_load(engine, error) ||
        check_drivers(json_object_get(profile_document(engine->profile), "drivers"), error) ||
        check_steps(profile_resolve_steps(engine->profile), error) ||
        check_collections(profile_collections(engine->profile), error))
        return -1;
    return 0;
}

json_t *engine_hello(int argc, char **argv, void **state, struct dsar_error *error)
{
    struct engine *engine = calloc(1, sizeof *engine);
    *state = engine;
    if (!engine) {
        error_no_memory(error);
        return NULL;
    }
    buf_init(&engine->row, DSAR_PAYLOAD_MAX);
    return load(engine, argc, argv, error) ? NULL : profile_hello(engine->profile, error);
}

void engine_leave(void *state)
{
    struct engine *engine = state;
    engine_disconnect(engine);
    buf_wipe(&engine->row);
    json_decref(engine->settings);
    json_decref(engine->password);
    profile_free(engine->profile);
    free(engine);
}

/* It is put into statements as it is. */
static bool is_prefix(const char *prefix)
{
    size_t len = strspn(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
    return prefix[len] == '\0' && len <= 64;
}

static int choose_driver(struct engine *engine, struct dsar_error *error)
{
    const json_t *drivers = json_object_get(profile_document(engine->profile), "drivers");
    const char *name = json_string_value(json_object_get(engine->settings, "driver"));
    if (!name)
        name = drivers ? json_string_value(json_array_get(drivers, 0)) : "sqlite";
    engine->driver = sql_driver_find(name);
    if (!engine->driver)
        return dsar_error_set(error, "bad_settings", false, "driver: expected sqlite, mariadb or postgresql");
    size_t i;
    json_t *item;
    json_array_foreach (drivers, i, item) {
        if (sql_driver_find(json_string_value(item)) == engine->driver)
            return 0;
    }
    return drivers ? dsar_error_set(error, "bad_settings", false,
                                    "driver: the profile's statements are not written for %s", name)
                   : 0;
}

int engine_configure(void *state, const json_t *settings, const json_t *secrets, struct dsar_error *error)
{
    struct engine *engine = state;
    struct sql_options *options = &engine->options;
    if (profile_settle(engine->profile, settings, secrets, &engine->settings, error) ||
        choose_driver(engine, error))
        return -1;
    engine->password = json_incref(json_object_get(secrets, "password"));
    options->settings = engine->settings;
    options->password = json_string_value(engine->password);
    options->timeout_ms = json_integer_value(json_object_get(engine->settings, "timeout_ms"));
    options->watch = &engine->watch;
    if (options->timeout_ms < 1 || options->timeout_ms > TIMEOUT_MAX_MS)
        return dsar_error_set(error, "bad_settings", false, "timeout_ms: expected 1 to %d", TIMEOUT_MAX_MS);
    const json_t *prefix = json_object_get(engine->settings, "table_prefix");
    engine->prefix = json_is_string(prefix) ? json_string_value(prefix) : "";
    if (!is_prefix(engine->prefix))
        return dsar_error_set(error, "bad_settings", false,
                              "table_prefix: expected at most 64 ASCII letters, digits and underscores");
    return sql_driver_check(engine->driver, options, error);
}

static int look(void *ctx, struct dsar_error *error)
{
    const struct engine *engine = ctx;
    int64_t timeout_ms = engine->options.timeout_ms + (engine->driver->ends_statements ? GRACE_MS : 0);
    if (clock_now_ms() - engine->row_ms > timeout_ms)
        return dsar_error_set(
            error, "source_timeout", true,
            "the database gave no row within %lld ms: raise the setting timeout_ms, or add an index",
            (long long)timeout_ms);
    return dsar_progress(engine->session, engine->n_rows, 0, error);
}

int engine_connect(struct engine *engine, struct dsar_session *session, struct dsar_error *error)
{
    engine->session = session;
    engine->row_ms = clock_now_ms();
    if (engine->database)
        return 0;
    engine->watch = (struct sql_watch){.look = look, .ctx = engine};
    return engine->driver->open(&engine->database, &engine->options, error);
}

void engine_disconnect(void *state)
{
    struct engine *engine = state;
    if (engine->database)
        engine->driver->close(engine->database);
    engine->database = NULL;
    engine->session = NULL;
}
