#include "place.h"

#include "../sdk/ascii.h"
#include "../sdk/error.h"
#include "../sdk/profile.h"
#include "base/plain.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define AT_BYTES 200

/* The values of one name: the array, or the value itself. */
static size_t n_values(const json_t *name)
{
    return json_is_array(name) ? json_array_size(name) : 1;
}

static const json_t *value_at(const json_t *name, size_t index)
{
    return json_is_array(name) ? json_array_get(name, index) : name;
}

static bool is_one_of(const json_t *text, const char *one, const char *other)
{
    const char *value = json_string_value(text);
    return value && (strcmp(value, one) == 0 || strcmp(value, other) == 0);
}

static int check_id(const json_t *value, const json_t *needs, const char *at, struct dsar_error *error)
{
    static const char *const keys[] = {"id", "part", "as", NULL};
    const json_t *part = json_object_get(value, "part");
    const json_t *as = json_object_get(value, "as");
    if (profile_check_keys(value, at, keys, error))
        return -1;
    const char *kind = profile_text(value, "id", at, error);
    if (!kind)
        return -1;
    if (!json_object_get(needs, kind))
        return dsar_error_set(error, "bad_profile", false, "%s/id: expected a kind from `needs`", at);
    if (part && !is_one_of(part, "local", "domain"))
        return dsar_error_set(error, "bad_profile", false, "%s/part: expected \"local\" or \"domain\"", at);
    if (as && !is_one_of(as, "lower", "lower"))
        return dsar_error_set(error, "bad_profile", false, "%s/as: expected \"lower\"", at);
    return 0;
}

static int check_value(const json_t *value, const json_t *needs, const char *at, struct dsar_error *error)
{
    if (json_is_object(value))
        return check_id(value, needs, at, error);
    const char *text = json_string_value(value);
    if (!text || !*text || strchr(text, '/'))
        return dsar_error_set(error, "bad_profile", false,
                              "%s: expected text without a slash, or {\"id\": KIND}", at);
    return 0;
}

static int check_name(const json_t *name, const json_t *needs, const char *at, struct dsar_error *error)
{
    if (json_is_array(name) && json_array_size(name) == 0)
        return dsar_error_set(error, "bad_profile", false, "%s: expected at least one value", at);
    if (n_values(name) == 1 && is_one_of(value_at(name, 0), ".", ".."))
        return dsar_error_set(error, "bad_profile", false, "%s: expected a name", at);
    for (size_t i = 0; i < n_values(name); i++)
        if (check_value(value_at(name, i), needs, at, error))
            return -1;
    return 0;
}

int place_check(const json_t *names, const json_t *needs, const char *path, struct dsar_error *error)
{
    size_t n_names = json_array_size(names);
    if (n_names == 0 || n_names > PLACE_NAMES_MAX)
        return dsar_error_set(error, "bad_profile", false, "%s: expected an array of 1 to %d names", path,
                              PLACE_NAMES_MAX);
    for (size_t i = 0; i < n_names; i++) {
        char at[AT_BYTES];
        snprintf(at, sizeof at, "%s/%zu", path, i);
        if (check_name(json_array_get(names, i), needs, at, error))
            return -1;
    }
    return 0;
}

static const char *kind_of(const json_t *value)
{
    return json_string_value(json_object_get(value, "id"));
}

bool place_has(const json_t *names, const char *kind)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const json_t *name = json_array_get(names, i);
        for (size_t k = 0; k < n_values(name); k++) {
            const char *found = kind_of(value_at(name, k));
            if (found && strcmp(found, kind) == 0)
                return true;
        }
    }
    return false;
}

/* The part of an identity that a value takes; NULL with an error. */
static const char *part_of(const json_t *value, const char *text, size_t *len, struct dsar_error *error)
{
    const char *part = json_string_value(json_object_get(value, "part"));
    const char *at = strrchr(text, '@');
    *len = strlen(text);
    if (!part)
        return text;
    if (!at) {
        dsar_error_set(error, "bad_identity", false, "%s: expected an address with an @ in it",
                       kind_of(value));
        return NULL;
    }
    if (strcmp(part, "local") == 0) {
        *len = (size_t)(at - text);
        return text;
    }
    *len = strlen(at + 1);
    return at + 1;
}

/* Appends what an identity gives to the name that begins at `begin`. */
static int append_id(char *name, size_t *name_len, const json_t *value, const struct dsar_identities *bound,
                     struct dsar_error *error)
{
    const char *kind = kind_of(value);
    const char *text = dsar_identity_first(bound, kind);
    size_t len = 0;
    if (text && !(text = part_of(value, text, &len, error)))
        return -1;
    if (!text || plain_is_blank(text, len))
        return dsar_error_set(error, "empty_bind", false, "%s: no value for the name of a folder", kind);
    if (!plain_is(text, len) || *text == '.' || memchr(text, '/', len) || len > NAME_MAX - *name_len)
        return dsar_error_set(
            error, "bad_identity", false,
            "%s: expected what can be the name of a folder: at most %d bytes, no slash, no dot "
            "at its beginning",
            kind, NAME_MAX);
    memcpy(name + *name_len, text, len);
    if (json_object_get(value, "as"))
        ascii_lower(name + *name_len, len);
    *name_len += len;
    return 0;
}

static int make_name(char name[NAME_MAX + 1], const json_t *values, const struct dsar_identities *bound,
                     struct dsar_error *error)
{
    size_t len = 0;
    for (size_t i = 0; i < n_values(values); i++) {
        const json_t *value = value_at(values, i);
        const char *text = json_string_value(value);
        if (!text) {
            if (append_id(name, &len, value, bound, error))
                return -1;
            continue;
        }
        size_t step = strlen(text);
        if (step > NAME_MAX - len)
            return dsar_error_set(error, "bad_profile", false, "path: a name of more than %d bytes",
                                  NAME_MAX);
        memcpy(name + len, text, step);
        len += step;
    }
    name[len] = '\0';
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return dsar_error_set(error, "bad_profile", false, "path: a name that is no name");
    return 0;
}

int place_make(struct place *place, const json_t *names, const struct dsar_identities *bound,
               struct dsar_error *error)
{
    char *end = place->path;
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (i > 0)
            *end++ = '/';
        place->last = end;
        /* PLACE_NAMES_MAX names of NAME_MAX bytes fit */
        if (make_name(end, json_array_get(names, i), bound, error)) {
            place_wipe(place);
            return -1;
        }
        end += strlen(end);
    }
    return 0;
}

void place_wipe(struct place *place)
{
    OPENSSL_cleanse(place->path, sizeof place->path);
}
