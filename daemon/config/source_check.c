#include "config/source_check.h"

#include "base/buf.h"
#include "config/scalar.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 80 /* a name and "_file" */

static const char *member_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static bool is_secret(const json_t *setting)
{
    return strcmp(member_text(setting, "kind"), "secret") == 0;
}

static const json_t *find_setting(const json_t *hello, const char *name)
{
    size_t i;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting)
        if (strcmp(member_text(setting, "name"), name) == 0)
            return setting;
    return NULL;
}

/* The pair's key as it stands in the file. */
static const char *key_of(const struct config_pair *pair, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s%s", pair->name, pair->is_file ? "_file" : "");
    return key;
}

/* The setting that the pair gives a value to: the one of its key, or the secret that the file holds. */
static const json_t *setting_given(const struct config_pair *pair, const json_t *hello)
{
    char key[KEY_MAX];
    const json_t *setting = find_setting(hello, key_of(pair, key));
    if (setting)
        return is_secret(setting) ? NULL : setting;
    setting = pair->is_file ? find_setting(hello, pair->name) : NULL;
    return is_secret(setting) ? setting : NULL;
}

/* Whether the file has the setting, rightly or wrongly written. */
static bool is_mentioned(const struct source_config *source, const char *name)
{
    char key[KEY_MAX];
    for (size_t i = 0; i < source->n_settings; i++) {
        const struct config_pair *pair = &source->settings[i];
        if (strcmp(pair->name, name) == 0 || strcmp(key_of(pair, key), name) == 0)
            return true;
    }
    return false;
}

/* The value as its kind says, or NULL where it is none. A new reference. */
static json_t *value_of_kind(const struct source_config *source, const char *kind, const char *text)
{
    long long integer;
    bool boolean;
    if (strcmp(kind, "integer") == 0)
        return scalar_is_integer(text, &integer) ? json_integer(integer) : NULL;
    if (strcmp(kind, "boolean") == 0)
        return scalar_is_boolean(text, &boolean) ? json_boolean(boolean) : NULL;
    if (strcmp(kind, "url") == 0)
        return scalar_is_url(text) ? json_string(text) : NULL;
    if (strcmp(kind, "port") == 0)
        return scalar_is_integer(text, &integer) && integer >= 1 && integer <= 65535 ? json_integer(integer)
                                                                                     : NULL;
    if (strcmp(kind, "path") != 0 && strcmp(kind, "socket") != 0)
        return *text || strcmp(kind, "host") != 0 ? json_string(text) : NULL;
    char *path = *text ? scalar_path(source->folder, text) : NULL;
    json_t *value = path ? json_string(path) : NULL;
    free(path);
    return value;
}

static const char *expected_of(const char *kind)
{
    static const char *const words[][2] = {{"integer", "an integer"},
                                           {"boolean", "true or false"},
                                           {"url", "an http or https URL"},
                                           {"path", "a path"},
                                           {"socket", "a path"},
                                           {"host", "a host's name or address"},
                                           {"port", "a port, 1 to 65535"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i][0], kind) == 0)
            return words[i][1];
    return "text";
}

/* Offers the names of settings as they would stand in the file. */
static void report_unknown(const struct config_pair *pair, const char *key, const json_t *hello,
                           const struct place *place, struct problems *problems)
{
    struct suggestion suggestion = {.word = key};
    char keys[2][KEY_MAX], hint[SUGGESTION_TEXT_MAX];
    size_t i, turn = 0;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting) {
        snprintf(keys[turn], KEY_MAX, "%.64s%s", member_text(setting, "name"),
                 is_secret(setting) ? "_file" : "");
        suggestion_offer(&suggestion, keys[turn]);
        if (suggestion.best == keys[turn]) /* the best one is kept, the next goes to the other */
            turn = 1 - turn;
    }
    problem_error(problems, pair->key_mark, place, "the connector has no such setting%s",
                  suggestion_text(&suggestion, hint));
}

/* Says why a pair gives no setting a value. */
static void report_misfit(const struct config_pair *pair, const json_t *hello, const struct place *place,
                          struct problems *problems)
{
    const json_t *setting = find_setting(hello, pair->name);
    if (!setting || (!is_secret(setting) && !pair->is_file))
        report_unknown(pair, place->key, hello, place, problems);
    else if (is_secret(setting))
        problem_error(problems, pair->key_mark, place,
                      "a secret must not stand in the configuration; use '%s_file' with the path of a file",
                      pair->name);
    else
        problem_error(problems, pair->key_mark, place, "no secret, so not read from a file; use '%s' with %s",
                      pair->name, expected_of(member_text(setting, "kind")));
}

static void check_pair(const struct source_config *source, const struct config_pair *pair,
                       const json_t *hello, const struct place *settings, struct problems *problems)
{
    char key[KEY_MAX];
    const struct place here = {settings, key_of(pair, key), 0};
    const json_t *setting = setting_given(pair, hello);
    if (!setting) {
        report_misfit(pair, hello, &here, problems);
    } else if (!is_secret(setting)) {
        const char *kind = member_text(setting, "kind");
        json_t *value = value_of_kind(source, kind, pair->value);
        if (!value)
            problem_error(problems, pair->value_mark, &here, "expected %s", expected_of(kind));
        json_decref(value);
    } else if (!scalar_names_secret(pair->name)) {
        /* the configuration's reader could not know that the file holds a secret */
        scalar_check_file(pair->value, true, problems, pair->value_mark, &here);
    }
}

static bool is_missing(const struct source_config *source, const json_t *setting)
{
    return json_is_true(json_object_get(setting, "required")) && !json_object_get(setting, "default") &&
           !is_mentioned(source, member_text(setting, "name"));
}

int config_check_source(const struct config *config, const struct source_config *source, const json_t *hello,
                        FILE *errors)
{
    struct problems problems = {.out = errors, .file = config->path};
    const struct place sources = {NULL, "sources", 0};
    const struct place element = {&sources, NULL, (size_t)(source - config->sources)};
    const struct place settings = {&element, "settings", 0};
    for (size_t i = 0; i < source->n_settings; i++)
        check_pair(source, &source->settings[i], hello, &settings, &problems);
    size_t i;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting) {
        char key[KEY_MAX];
        snprintf(key, sizeof key, "%.64s%s", member_text(setting, "name"), is_secret(setting) ? "_file" : "");
        const struct place here = {&settings, key, 0};
        if (is_missing(source, setting))
            problem_error(&problems, source->mark, &here, "missing; expected %s",
                          is_secret(setting) ? "the path of a file"
                                             : expected_of(member_text(setting, "kind")));
    }
    return problems.n_errors ? -1 : 0;
}

/* The content of a secret's file as JSON text. NULL with a fault. */
static json_t *read_secret(const char *path, struct fault *fault)
{
    json_t *secret = NULL;
    struct buf content;
    buf_init(&content, CONFIG_SECRET_BYTES_MAX);
    if (buf_read_file(&content, path, fault))
        goto done;
    size_t len = content.len;
    if (len && content.data[len - 1] == '\n')
        len--;
    if (len && content.data[len - 1] == '\r')
        len--;
    if (!len || memchr(content.data, '\0', len))
        fault_set(fault, "file_unreadable", "%s: %s", path,
                  len ? "holds a NUL byte; expected text" : "is empty");
    else if (!(secret = json_stringn(content.data, len)))
        fault_set(fault, "file_unreadable", "%s: expected UTF-8 text", path);
done:
    buf_wipe(&content);
    return secret;
}

static int add_value(const struct source_config *source, const struct config_pair *pair,
                     const json_t *setting, json_t *into, struct fault *fault)
{
    const char *kind = member_text(setting, "kind"), *name = member_text(setting, "name");
    json_t *value =
        is_secret(setting) ? read_secret(pair->value, fault) : value_of_kind(source, kind, pair->value);
    if (!value && is_secret(setting))
        return -1;
    if (!value)
        return fault_set(fault, "bad_settings", "source %s: setting '%s': expected %s", source->name, name,
                         expected_of(kind));
    if (json_object_set_new(into, name, value))
        return fault_retry(fault, "no_memory", "no memory for the settings of source %s", source->name);
    return 0;
}

static int add_defaults(const struct source_config *source, const json_t *hello, json_t *settings,
                        struct fault *fault)
{
    size_t i;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting) {
        const char *name = member_text(setting, "name");
        const json_t *value = json_object_get(setting, "default");
        /* a copy: threads share the hello, and references to one value must not be counted by several */
        if (value && !is_secret(setting) && !is_mentioned(source, name) &&
            json_object_set_new(settings, name, json_deep_copy(value)))
            return fault_retry(fault, "no_memory", "no memory for the settings of source %s", source->name);
    }
    return 0;
}

int config_source_settings(const struct source_config *source, const json_t *hello, json_t **settings,
                           json_t **secrets, struct fault *fault)
{
    *settings = json_object();
    json_t *read = secrets ? json_object() : NULL;
    int result = 0;
    if (!*settings || (secrets && !read))
        result = fault_retry(fault, "no_memory", "no memory for the settings of source %s", source->name);
    for (size_t i = 0; i < source->n_settings && !result; i++) {
        const struct config_pair *pair = &source->settings[i];
        const json_t *setting = setting_given(pair, hello);
        if (setting && (read || !is_secret(setting)))
            result = add_value(source, pair, setting, is_secret(setting) ? read : *settings, fault);
        else if (!setting)
            result = fault_set(fault, "bad_settings", "source %s: the connector takes no setting '%s%s'",
                               source->name, pair->name, pair->is_file ? "_file" : "");
    }
    if (!result)
        result = add_defaults(source, hello, *settings, fault);
    if (result) {
        json_decref(*settings);
        json_decref(read);
        *settings = read = NULL;
    }
    if (secrets)
        *secrets = read;
    return result;
}
