#include "value.h"

#include "../sdk/ascii.h"
#include "../sdk/error.h"
#include "../sdk/profile.h"
#include "base/plain.h"

#include <stdio.h>
#include <string.h>

/* How many of the keys of a value are sources. */
#define N_SOURCES 7

static int bad_value(struct dsar_error *error, const char *path, const char *expected)
{
    return dsar_error_set(error, "bad_profile", false, "%s: expected %s", path, expected);
}

static const json_t *declared(const json_t *settings, const char *name)
{
    size_t i;
    json_t *setting;
    json_array_foreach (settings, i, setting) {
        if (strcmp(json_string_value(json_object_get(setting, "name")), name) == 0)
            return setting;
    }
    return NULL;
}

int value_note(const struct scope *scope, const char *source, const char *name, struct dsar_error *error)
{
    char key[160];
    if (!scope->used)
        return 0;
    snprintf(key, sizeof key, "%s:%s", source, name);
    return json_object_set_new(scope->used, key, json_true()) ? error_no_memory(error) : 0;
}

static int check_configured(const json_t *value, const char *source, const struct scope *scope,
                            const char *path, struct dsar_error *error)
{
    const char *name = json_string_value(json_object_get(value, source));
    const json_t *setting = declared(scope->settings, name);
    bool is_secret = setting && strcmp(json_string_value(json_object_get(setting, "kind")), "secret") == 0;
    if (!setting || is_secret != (strcmp(source, "secret") == 0))
        return bad_value(error, path, "the name of a setting, or of a secret, that `settings` declares");
    return value_note(scope, source, name, error);
}

static bool is_place(const json_t *value, const char *key)
{
    return *json_string_value(json_object_get(value, key)) == '/';
}

/* Whether the source is to be had where the value stands. */
static int check_place(const json_t *value, const char *source, const struct scope *scope, const char *path,
                       struct dsar_error *error)
{
    json_int_t up = json_integer_value(json_object_get(value, "up"));
    if (strcmp(source, "id") == 0) {
        const char *kind = json_string_value(json_object_get(value, source));
        return json_object_get(scope->needs, kind)
                   ? value_note(scope, source, kind, error)
                   : bad_value(error, path, "an identity kind that `needs` lists");
    }
    if (strcmp(source, "record") == 0 && (up >= (json_int_t)scope->n_records || !is_place(value, source)))
        return bad_value(error, path,
                         "a JSON Pointer, in a step below another, and no more `up` than there are");
    if (strcmp(source, "started") == 0 && (!scope->has_started || !is_place(value, source)))
        return bad_value(error, path, "a JSON Pointer, behind the start of an export");
    if (strcmp(source, "polled") == 0 && (!scope->has_polled || !is_place(value, source)))
        return bad_value(error, path, "a JSON Pointer, in a collection with an export");
    if (strcmp(source, "element") == 0 &&
        (!scope->has_element || !trail_is_pointer(json_string_value(json_object_get(value, source)))))
        return bad_value(error, path, "a relative JSON Pointer, in a step of `files`");
    return 0;
}

static bool is_as(const json_t *as, const char *form)
{
    return json_is_string(as) && strcmp(json_string_value(as), form) == 0;
}

static int check_modifiers(const json_t *value, const char *source, const char *path,
                           struct dsar_error *error)
{
    const json_t *as = json_object_get(value, "as");
    const json_t *part = json_object_get(value, "part");
    const json_t *up = json_object_get(value, "up");
    const json_t *optional = json_object_get(value, "optional");
    bool is_id = strcmp(source, "id") == 0;
    bool is_configured = strcmp(source, "secret") == 0 || strcmp(source, "setting") == 0;
    if (as && (!is_id || (!is_as(as, "lower") && !is_as(as, "regex"))))
        return bad_value(error, path, "`as` to be \"lower\" or \"regex\", of an id");
    if (part && (!is_id || !value_is_part(part)))
        return bad_value(error, path, "`part` to be 0 to 7, of an id");
    if (up && (strcmp(source, "record") != 0 || !value_is_part(up)))
        return bad_value(error, path, "`up` to be a small number, of a record");
    if (optional && (!is_configured || !json_is_boolean(optional)))
        return bad_value(error, path, "`optional` to be true or false, of a secret or a setting");
    return 0;
}

static int check_source(const json_t *value, const struct scope *scope, const char *path,
                        struct dsar_error *error)
{
    static const char *const known[] = {"secret",  "setting", "id",       "record", "started", "polled",
                                        "element", "as",      "optional", "part",   "up",      NULL};
    const char *source = NULL;
    if (profile_check_keys(value, path, known, error))
        return -1;
    for (size_t i = 0; i < N_SOURCES; i++) {
        if (!json_object_get(value, known[i]))
            continue;
        if (source)
            return bad_value(error, path, "exactly one source");
        source = known[i];
    }
    if (!source || !json_is_string(json_object_get(value, source)))
        return bad_value(error, path,
                         "one of secret, setting, id, record, started, polled, element, with a text");
    if (check_modifiers(value, source, path, error))
        return -1;
    bool is_configured = strcmp(source, "secret") == 0 || strcmp(source, "setting") == 0;
    return is_configured ? check_configured(value, source, scope, path, error)
                         : check_place(value, source, scope, path, error);
}

int value_check(const json_t *value, const struct scope *scope, const char *path, struct dsar_error *error)
{
    if (json_is_string(value) || json_is_integer(value))
        return 0;
    if (json_is_object(value))
        return check_source(value, scope, path, error);
    if (!json_is_array(value) || json_array_size(value) == 0)
        return bad_value(error, path, "a text, a whole number, a source, or a list of these");
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *part = json_array_get(value, i);
        if (json_is_array(part) || json_object_get(part, "optional"))
            return bad_value(error, path, "a list of texts, whole numbers and sources that are not optional");
        if (value_check(part, scope, path, error))
            return -1;
    }
    return 0;
}

bool value_is_part(const json_t *part)
{
    return json_is_integer(part) && json_integer_value(part) >= 0 && json_integer_value(part) <= 7;
}

const char *value_part(const char *text, const json_t *part, size_t *len)
{
    *len = strlen(text);
    if (!part)
        return text;
    for (json_int_t i = json_integer_value(part); i > 0; i--) {
        text += strcspn(text, " ");
        if (!*text)
            return NULL;
        text++;
    }
    *len = strcspn(text, " ");
    return text;
}

static int append(struct buf *out, const char *text, size_t len, struct dsar_error *error)
{
    struct fault fault;
    return buf_append(out, text, len, &fault) ? error_from_fault(error, &fault) : 0;
}

static int empty(struct dsar_error *error, const char *what, const char *name)
{
    return dsar_error_set(error, "empty_bind", false,
                          "%s %s: no value: asking without one could return everybody's data", what, name);
}

/* Refuses what systems may cut down to nothing, or to another's. `name` says which `what` it is. */
static int check_text(const char *text, size_t len, const char *what, const char *name,
                      struct dsar_error *error)
{
    if (plain_is_blank(text, len))
        return empty(error, what, name);
    if (!plain_is(text, len))
        return dsar_error_set(
            error, "bad_bind", false,
            "%s %s: expected UTF-8 without control characters and without blanks at its ends", what, name);
    return 0;
}

static int append_number(struct buf *out, json_int_t number, struct dsar_error *error)
{
    struct fault fault;
    return buf_printf(out, &fault, "%" JSON_INTEGER_FORMAT, number) ? error_from_fault(error, &fault) : 0;
}

/* `given` is what is configured for `value`, or NULL. */
static int append_configured(struct buf *out, const json_t *value, const json_t *given, bool *present,
                             struct dsar_error *error)
{
    if (json_is_integer(given))
        return append_number(out, json_integer_value(given), error);
    const char *secret = json_string_value(json_object_get(value, "secret"));
    const char *text = json_string_value(given),
               *setting = json_string_value(json_object_get(value, "setting"));
    const size_t len = json_string_length(given);
    if (len > 0 && !secret && check_text(text, len, "setting", setting, error))
        return -1;
    if (len > 0)
        return append(out, text, len, error);
    if (json_is_true(json_object_get(value, "optional"))) {
        *present = false;
        return 0;
    }
    return secret ? empty(error, "secret", secret) : empty(error, "setting", setting);
}

/* A regular expression that is the text itself. */
static int append_literal(struct buf *out, const char *text, size_t len, struct dsar_error *error)
{
    for (size_t i = 0; i < len; i++)
        if ((strchr("\\.+*?()[]{}^$|", text[i]) && append(out, "\\", 1, error)) ||
            append(out, &text[i], 1, error))
            return -1;
    return 0;
}

static int append_identity(struct buf *out, const json_t *value, const struct sources *sources,
                           struct dsar_error *error)
{
    const char *kind = json_string_value(json_object_get(value, "id"));
    const char *text = dsar_identity_first(sources->bound, kind);
    size_t len = 0;
    if (text)
        text = value_part(text, json_object_get(value, "part"), &len);
    if (!text)
        return empty(error, "identity", kind);
    if (check_text(text, len, "identity", kind, error))
        return -1;
    if (is_as(json_object_get(value, "as"), "regex"))
        return append_literal(out, text, len, error);
    size_t start = out->len;
    if (append(out, text, len, error))
        return -1;
    if (json_object_get(value, "as"))
        ascii_lower(out->data + start, out->len - start);
    return 0;
}

const struct node *value_record(const struct sources *sources, const json_t *up)
{
    for (json_int_t i = json_integer_value(up); sources && i > 0; i--)
        sources = sources->above;
    return sources ? sources->record : NULL;
}

static int append_node(struct buf *out, const struct node *root, const char *source, const char *pointer,
                       struct dsar_error *error)
{
    const struct node *node = node_at(root, pointer);
    if (!node_has_text(node))
        return empty(error, source, pointer);
    if (check_text(node->text, node->len, source, pointer, error))
        return -1;
    return append(out, node->text, node->len, error);
}

static int append_element(struct buf *out, const struct trail *trail, const char *pointer,
                          struct dsar_error *error)
{
    struct fault fault;
    size_t start = out->len;
    if (trail_append(trail, pointer, out, &fault))
        return error_from_fault(error, &fault);
    return check_text(out->data + start, out->len - start, "element", pointer, error);
}

static int append_source(struct buf *out, const json_t *value, const struct sources *sources, bool *present,
                         struct dsar_error *error)
{
    const char *name = json_string_value(json_object_get(value, "secret"));
    if (name)
        return append_configured(out, value, json_object_get(sources->secrets, name), present, error);
    name = json_string_value(json_object_get(value, "setting"));
    if (name)
        return append_configured(out, value, json_object_get(sources->settings, name), present, error);
    if (json_object_get(value, "id"))
        return append_identity(out, value, sources, error);
    name = json_string_value(json_object_get(value, "element"));
    if (name)
        return append_element(out, sources->element, name, error);
    name = json_string_value(json_object_get(value, "started"));
    if (name)
        return append_node(out, sources->started, "started", name, error);
    name = json_string_value(json_object_get(value, "polled"));
    if (name)
        return append_node(out, sources->polled, "polled", name, error);
    name = json_string_value(json_object_get(value, "record"));
    return append_node(out, value_record(sources, json_object_get(value, "up")), "record", name, error);
}

int value_append(struct buf *out, const json_t *value, const struct sources *sources, bool *present,
                 struct dsar_error *error)
{
    *present = true;
    if (json_is_string(value))
        return append(out, json_string_value(value), json_string_length(value), error);
    if (json_is_integer(value))
        return append_number(out, json_integer_value(value), error);
    if (json_is_object(value))
        return append_source(out, value, sources, present, error);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (value_append(out, json_array_get(value, i), sources, present, error))
            return -1;
    return 0;
}

int value_describe(struct buf *out, const json_t *value, struct fault *fault)
{
    if (json_is_string(value))
        return buf_append_text(out, json_string_value(value), fault);
    if (json_is_integer(value))
        return buf_printf(out, fault, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    for (size_t i = 0; i < json_array_size(value); i++)
        if (value_describe(out, json_array_get(value, i), fault))
            return -1;
    if (json_is_array(value))
        return 0;
    const char *key;
    json_t *member;
    json_object_foreach ((json_t *)(uintptr_t)value, key, member) {
        if (json_is_string(member) && strcmp(key, "as") != 0)
            return buf_printf(out, fault, "{%s}", json_string_value(member));
    }
    return buf_append_text(out, "{…}", fault);
}
