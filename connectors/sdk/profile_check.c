#include "profile_check.h"

#include "binding.h"
#include "error.h"
#include "iterable.h"
#include "name.h"

#include <dsar/protocol.h>
#include <stdio.h>
#include <string.h>

#define PATH_MAX_BYTES 160

static int bad(struct dsar_error *error, const char *path, const char *expected)
{
    return dsar_error_set(error, "bad_profile", false, "%s: expected %s", path, expected);
}

/* `key` below `path`, as JSON Pointer (RFC 6901). */
static void step_into(char below[PATH_MAX_BYTES], const char *path, const char *key)
{
    size_t len = (size_t)snprintf(below, PATH_MAX_BYTES, "%s/", path);
    for (; *key && len + 3 < PATH_MAX_BYTES; key++) {
        if (*key == '~' || *key == '/') {
            below[len++] = '~';
            below[len++] = *key == '~' ? '0' : '1';
        } else {
            below[len++] = *key;
        }
    }
    below[len < PATH_MAX_BYTES ? len : PATH_MAX_BYTES - 1] = '\0';
}

static void step_to(char below[PATH_MAX_BYTES], const char *path, size_t index)
{
    snprintf(below, PATH_MAX_BYTES, "%s/%zu", path, index);
}

static bool is_among(const char *key, const char *const *known)
{
    for (; known && *known; known++)
        if (strcmp(key, *known) == 0)
            return true;
    return false;
}

/* Keys in neither list are refused. */
static int check_keys_of(const json_t *object, const char *path, const char *const *known,
                         const char *const *more, struct dsar_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach (iterable(object), key, value) {
        if (is_among(key, known) || is_among(key, more))
            continue;
        char below[PATH_MAX_BYTES];
        step_into(below, path, key);
        return dsar_error_set(error, "bad_profile", false, "%s: unknown key", below);
    }
    return 0;
}

int profile_check_keys(const json_t *object, const char *path, const char *const *known,
                       struct dsar_error *error)
{
    return check_keys_of(object, path, known, NULL, error);
}

const char *profile_text(const json_t *object, const char *key, const char *path, struct dsar_error *error)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text && *text)
        return text;
    char below[PATH_MAX_BYTES];
    step_into(below, path, key);
    bad(error, below, "text that is not empty");
    return NULL;
}

/* Text that hello says, which dsard takes up to a length. */
static int check_title(const json_t *object, const char *key, const char *path, struct dsar_error *error)
{
    const char *text = profile_text(object, key, path, error);
    char below[PATH_MAX_BYTES];
    if (!text)
        return -1;
    step_into(below, path, key);
    return strlen(text) > DSAR_TITLE_MAX ? bad(error, below, "at most 200 bytes") : 0;
}

static int check_name(const json_t *object, const char *path, struct dsar_error *error)
{
    if (name_is_valid(json_string_value(json_object_get(object, "name"))))
        return 0;
    char below[PATH_MAX_BYTES];
    step_into(below, path, "name");
    return bad(error, below, "a name: [a-z][a-z0-9_.-]*, at most 64 bytes");
}

/* No two members of an array may have one name. */
static int check_unique(const json_t *array, size_t index, const char *path, struct dsar_error *error)
{
    const char *name = json_string_value(json_object_get(json_array_get(array, index), "name"));
    for (size_t i = 0; i < index; i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(array, i), "name")), name) == 0)
            return bad(error, path, "a name that no other has");
    return 0;
}

static int check_needs(const json_t *object, const char *path, struct dsar_error *error)
{
    const json_t *needs = json_object_get(object, "needs");
    char below[PATH_MAX_BYTES];
    step_into(below, path, "needs");
    if (!json_is_object(needs) || json_object_size(needs) == 0)
        return bad(error, below, "an object of identity kinds and their types, at least one");
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(needs), kind, type) {
        char at[PATH_MAX_BYTES];
        step_into(at, below, kind);
        if (!name_is_valid(kind))
            return bad(error, at, "an identity kind: [a-z][a-z0-9_.-]*, at most 64 bytes");
        if (!json_is_string(type) || !binding_is_type(json_string_value(type)))
            return bad(error, at, "a type: \"text\" or \"uint>N\"");
    }
    return 0;
}

static bool is_class(const char *name)
{
    static const char *const classes[] = {"own", "free_text", "third_party", "secret", "card", "cvv", NULL};
    static const char withhold[] = "withhold:";
    if (!name)
        return false;
    return is_among(name, classes) ||
           (strncmp(name, withhold, strlen(withhold)) == 0 && name_is_valid(name + strlen(withhold)));
}

static int check_fields(const json_t *collection, const char *path, struct dsar_error *error)
{
    const json_t *fields = json_object_get(collection, "fields");
    char below[PATH_MAX_BYTES];
    step_into(below, path, "fields");
    if (!json_is_object(fields))
        return bad(error, below, "an object of JSON Pointers and classes");
    const char *pointer;
    json_t *class_name;
    json_object_foreach (iterable(fields), pointer, class_name) {
        char at[PATH_MAX_BYTES];
        step_into(at, below, pointer);
        if (*pointer && *pointer != '/')
            return bad(error, at, "a JSON Pointer, which begins with '/'");
        if (!is_class(json_string_value(class_name)))
            return bad(error, at,
                       "a class: own, free_text, third_party, secret, card, cvv or withhold:REASON");
    }
    return 0;
}

static int check_step(const json_t *step, const char *path, const struct profile_engine *engine,
                      struct dsar_error *error)
{
    static const char *const keys[] = {"needs", "yields", NULL};
    if (!json_is_object(step))
        return bad(error, path, "an object");
    if (check_keys_of(step, path, keys, engine->resolve_keys, error) || check_needs(step, path, error))
        return -1;
    const json_t *yields = json_object_get(step, "yields");
    char below[PATH_MAX_BYTES];
    step_into(below, path, "yields");
    if (!json_is_object(yields) || json_object_size(yields) == 0)
        return bad(error, below, "an object of identity kinds, at least one");
    const char *kind;
    json_t *value;
    json_object_foreach (iterable(yields), kind, value) {
        char at[PATH_MAX_BYTES];
        step_into(at, below, kind);
        if (!name_is_valid(kind))
            return bad(error, at, "an identity kind: [a-z][a-z0-9_.-]*, at most 64 bytes");
    }
    return 0;
}

static int check_collection(const json_t *collection, const char *path, const struct profile_engine *engine,
                            struct dsar_error *error)
{
    static const char *const keys[] = {"name", "title", "category", "needs", "fields", NULL};
    if (!json_is_object(collection))
        return bad(error, path, "an object");
    if (check_keys_of(collection, path, keys, engine->collection_keys, error) ||
        check_name(collection, path, error) || check_title(collection, "title", path, error) ||
        check_title(collection, "category", path, error) || check_needs(collection, path, error) ||
        (json_object_get(collection, "fields") && check_fields(collection, path, error)))
        return -1;
    if (strcmp(json_string_value(json_object_get(collection, "name")), "files") == 0)
        return bad(error, path, "another name than \"files\", which the index of files has");
    return 0;
}

static int check_collections(const json_t *collections, const struct profile_engine *engine,
                             struct dsar_error *error)
{
    if (!json_is_array(collections) || json_array_size(collections) == 0)
        return bad(error, "/collections", "an array of at least one collection");
    size_t i;
    json_t *collection;
    json_array_foreach (collections, i, collection) {
        char path[PATH_MAX_BYTES];
        step_to(path, "/collections", i);
        if (check_collection(collection, path, engine, error) || check_unique(collections, i, path, error))
            return -1;
    }
    return 0;
}

static int check_resolve(const json_t *steps, const struct profile_engine *engine, struct dsar_error *error)
{
    if (!json_is_array(steps) || json_array_size(steps) == 0)
        return bad(error, "/resolve", "an array of at least one step");
    size_t i;
    json_t *step;
    json_array_foreach (steps, i, step) {
        char path[PATH_MAX_BYTES];
        step_to(path, "/resolve", i);
        if (check_step(step, path, engine, error))
            return -1;
    }
    return 0;
}

/* "forum/phpbb": two names, that make one together. */
static bool is_profile_name(const char *name)
{
    const char *slash = strchr(name, '/');
    if (!slash || slash - name > DSAR_NAME_MAX || strlen(name) > DSAR_NAME_MAX)
        return false;
    char folder[DSAR_NAME_MAX + 1];
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - name), name);
    return name_is_valid(folder) && name_is_valid(slash + 1);
}

int profile_check_document(const json_t *document, const struct profile_engine *engine,
                           struct dsar_error *error)
{
    static const char *const keys[] = {"profile",  "name",    "title",       "engine", "version",
                                       "settings", "resolve", "collections", NULL};
    if (!json_is_object(document))
        return bad(error, "/", "an object");
    if (check_keys_of(document, "", keys, engine->keys, error))
        return -1;
    if (json_integer_value(json_object_get(document, "profile")) != 1)
        return bad(error, "/profile", "1, the version of the format");
    const char *name = profile_text(document, "name", "", error);
    const char *of_engine = profile_text(document, "engine", "", error);
    if (!name || !of_engine || check_title(document, "title", "", error) ||
        check_title(document, "version", "", error))
        return -1;
    if (!is_profile_name(name))
        return bad(error, "/name", "FOLDER/NAME, both [a-z][a-z0-9_.-]*");
    if (strcmp(of_engine, engine->name) != 0)
        return dsar_error_set(error, "bad_profile", false,
                              "/engine: expected \"%s\", which is the engine that runs", engine->name);
    const json_t *settings = json_object_get(document, "settings");
    if (settings && !json_is_array(settings))
        return bad(error, "/settings", "an array");
    const json_t *steps = json_object_get(document, "resolve");
    if (steps && check_resolve(steps, engine, error))
        return -1;
    return check_collections(json_object_get(document, "collections"), engine, error);
}

/* Whether `value` is of a setting's kind. */
static bool is_of_kind(const json_t *value, const char *kind)
{
    if (strcmp(kind, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(kind, "boolean") == 0)
        return json_is_boolean(value);
    if (strcmp(kind, "port") == 0)
        return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 65535;
    return json_is_string(value);
}

/* The ports of a host that the connector takes when none is set. */
static bool are_ports(const json_t *ports)
{
    size_t i;
    json_t *port;
    json_array_foreach (ports, i, port)
        if (!is_of_kind(port, "port"))
            return false;
    return json_is_array(ports);
}

static int check_setting(const json_t *setting, const char *path, struct dsar_error *error)
{
    static const char *const keys[] = {"name", "kind", "required", "help", "default", "ports", NULL};
    static const char *const kinds[] = {"text", "url",     "path",    "socket", "host",
                                        "port", "integer", "boolean", "secret", NULL};
    if (!json_is_object(setting))
        return bad(error, path, "an object");
    if (profile_check_keys(setting, path, keys, error) || check_name(setting, path, error) ||
        !profile_text(setting, "help", path, error))
        return -1;
    const char *kind = profile_text(setting, "kind", path, error);
    if (!kind)
        return -1;
    const json_t *value = json_object_get(setting, "default");
    if (!is_among(kind, kinds))
        return bad(error, path, "a kind: text, url, path, socket, host, port, integer, boolean or secret");
    const json_t *ports = json_object_get(setting, "ports");
    if (ports && (strcmp(kind, "host") != 0 || !are_ports(ports)))
        return bad(error, path, "`ports`, numbers from 1 to 65535, of a host alone");
    if (!json_is_boolean(json_object_get(setting, "required")))
        return bad(error, path, "`required`, true or false");
    if (value && (strcmp(kind, "secret") == 0 || !is_of_kind(value, kind)))
        return bad(error, path, "a default of the setting's kind, and none for a secret");
    return 0;
}

int profile_check_settings(const json_t *settings, struct dsar_error *error)
{
    size_t i;
    json_t *setting;
    json_array_foreach (settings, i, setting) {
        char path[PATH_MAX_BYTES];
        step_to(path, "/settings", i);
        if (check_setting(setting, path, error) || check_unique(settings, i, path, error))
            return -1;
    }
    return 0;
}

static const json_t *find_setting(const json_t *declared, const char *name, bool is_secret)
{
    size_t i;
    json_t *setting;
    json_array_foreach (declared, i, setting) {
        bool kind_fits =
            (strcmp(json_string_value(json_object_get(setting, "kind")), "secret") == 0) == is_secret;
        if (kind_fits && strcmp(json_string_value(json_object_get(setting, "name")), name) == 0)
            return setting;
    }
    return NULL;
}

/* What was given is declared. */
static int check_known(const json_t *declared, const json_t *given, bool is_secret, struct dsar_error *error)
{
    const char *name;
    json_t *value;
    json_object_foreach (iterable(given), name, value) {
        if (!find_setting(declared, name, is_secret))
            return dsar_error_set(error, "bad_settings", false, "%s: no such %s", name,
                                  is_secret ? "secret" : "setting");
    }
    return 0;
}

int profile_check_given(const json_t *declared, const json_t *settings, const json_t *secrets,
                        json_t **effective, struct dsar_error *error)
{
    if (check_known(declared, settings, false, error) || check_known(declared, secrets, true, error))
        return -1;
    json_t *made = json_object();
    size_t i;
    json_t *setting;
    json_array_foreach (declared, i, setting) {
        const char *name = json_string_value(json_object_get(setting, "name"));
        const char *kind = json_string_value(json_object_get(setting, "kind"));
        bool is_secret = strcmp(kind, "secret") == 0;
        json_t *value = json_object_get(is_secret ? secrets : settings, name);
        if (!value)
            value = json_object_get(setting, "default");
        if (!value && json_is_true(json_object_get(setting, "required"))) {
            dsar_error_set(error, "bad_settings", false, "%s: a %s that must be given", name, kind);
            goto failed;
        }
        if (value && !is_of_kind(value, kind)) {
            dsar_error_set(error, "bad_settings", false, "%s: expected a value of kind %s", name, kind);
            goto failed;
        }
        if (value && !is_secret && json_object_set(made, name, value)) {
            error_no_memory(error);
            goto failed;
        }
    }
    *effective = made;
    return 0;
failed:
    json_decref(made);
    return -1;
}
