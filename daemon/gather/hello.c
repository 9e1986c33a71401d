#include "gather/hello.h"

#include "dsar/protocol.h"

#include <string.h>

/* A folder of the archive is made of these, so a name is no more than one part of a path. */
bool hello_name_valid(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return len > 0 && len <= DSAR_NAME_MAX && name[len] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

static bool is_name(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) == strlen(json_string_value(value)) &&
           hello_name_valid(json_string_value(value));
}

static bool is_text(const json_t *value)
{
    return json_is_string(value) && json_string_length(value) > 0 && json_string_length(value) <= 200;
}

static bool is_path(const json_t *value)
{
    return json_is_string(value) && json_string_value(value)[0] == '/';
}

static bool is_port(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 1 && json_integer_value(value) <= 65535;
}

static bool is_list_of(const json_t *list, bool (*is_item)(const json_t *value))
{
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item)
        if (!is_item(item))
            return false;
    return json_is_array(list);
}

static int wrong(struct fault *fault, const char *source, const char *what)
{
    return fault_set(fault, "source_protocol", "source %s: its connector's hello is wrong: %s", source, what);
}

/* A default is what a configuration might say; a secret has none. */
static bool is_default(const json_t *value, const char *kind)
{
    if (strcmp(kind, "secret") == 0)
        return false;
    if (strcmp(kind, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(kind, "port") == 0)
        return is_port(value);
    if (strcmp(kind, "boolean") == 0)
        return json_is_boolean(value);
    return json_is_string(value);
}

static bool is_kind(const char *kind)
{
    static const char *const kinds[] = {"text", "url",     "path",    "socket", "host",
                                        "port", "integer", "boolean", "secret"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kind && strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

/* Its configuration is read by these, and its sandbox made. */
static int check_settings(const json_t *settings, const char *source, struct fault *fault)
{
    size_t i;
    json_t *item;
    if (!json_is_array(settings))
        return wrong(fault, source, "`settings` must be a list");
    json_array_foreach (settings, i, item) {
        const json_t *name = json_object_get(item, "name"), *ports = json_object_get(item, "ports"),
                     *fallback = json_object_get(item, "default");
        const char *kind = json_string_value(json_object_get(item, "kind"));
        if (!is_name(name) || !is_kind(kind) || !json_is_boolean(json_object_get(item, "required")) ||
            !json_is_string(json_object_get(item, "help")))
            return wrong(fault, source, "a setting needs `name`, `kind`, `required` and `help`");
        if (fallback && !is_default(fallback, kind))
            return wrong(fault, source, "`default` of a setting must be of its kind, and a secret has none");
        if (ports && (strcmp(kind, "host") != 0 || !is_list_of(ports, is_port)))
            return wrong(fault, source, "`ports` must be a list of ports, of a setting of kind `host`");
        for (size_t k = 0; k < i; k++)
            if (json_equal(name, json_object_get(json_array_get(settings, k), "name")))
                return wrong(fault, source, "two settings have the same name");
    }
    return 0;
}

static int check_collections(const json_t *collections, const char *source, struct fault *fault)
{
    if (!json_is_array(collections) || json_array_size(collections) == 0)
        return wrong(fault, source, "`collections` must be a list that is not empty");
    size_t i;
    json_t *item;
    json_array_foreach (collections, i, item) {
        const json_t *name = json_object_get(item, "name"), *needs = json_object_get(item, "needs");
        if (!is_name(name) || !is_text(json_object_get(item, "title")) ||
            !is_text(json_object_get(item, "category")))
            return wrong(fault, source, "a collection needs `name`, `title` and `category`");
        if (strcmp(json_string_value(name), "files") == 0)
            return wrong(fault, source, "no collection may be named `files`: it is the index of files");
        if (needs && !is_list_of(needs, is_name))
            return wrong(fault, source, "`needs` of a collection must be a list of identity kinds");
        for (size_t k = 0; k < i; k++)
            if (json_equal(name, json_object_get(json_array_get(collections, k), "name")))
                return wrong(fault, source, "two collections have the same name");
    }
    return 0;
}

int hello_check(const json_t *hello, const char *source, struct fault *fault)
{
    const json_t *resolve = json_object_get(hello, "resolve");
    if (!is_name(json_object_get(hello, "name")) || !is_text(json_object_get(hello, "version")))
        return wrong(fault, source, "`name` and `version` must be texts");
    if (json_object_get(hello, "check") && !json_is_boolean(json_object_get(hello, "check")))
        return wrong(fault, source, "`check` must be true or false");
    if (resolve && (!is_list_of(json_object_get(resolve, "needs"), is_name) ||
                    !is_list_of(json_object_get(resolve, "yields"), is_name) ||
                    json_array_size(json_object_get(resolve, "needs")) == 0))
        return wrong(fault, source,
                     "`resolve` needs the lists `needs` (not empty) and `yields` of identity kinds");
    const json_t *reads = json_object_get(hello, "reads");
    if (reads && !is_list_of(reads, is_path))
        return wrong(fault, source, "`reads` must be a list of absolute paths");
    return check_settings(json_object_get(hello, "settings"), source, fault) ||
                   check_collections(json_object_get(hello, "collections"), source, fault)
               ? -1
               : 0;
}
