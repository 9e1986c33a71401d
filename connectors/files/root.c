#include "root.h"

#include "../sdk/error.h"
#include "../sdk/iterable.h"
#include "../sdk/profile.h"
#include "place.h"

#include <stdio.h>
#include <string.h>

#define AT_BYTES        200
#define DEPTH_MAX       200
#define DEPTH_DEFAULT   64
#define ENTRIES_DEFAULT 1000000
#define BYTES_DEFAULT   ((json_int_t)100 << 30)

static const char *const kinds[] = {"folder", "maildir", "mbox", "access_log", NULL};
static const char *const formats[] = {"common", "combined", "vhost_combined", NULL};

static int bad(struct dsar_error *error, const char *path, const char *key, const char *expected)
{
    return dsar_error_set(error, "bad_profile", false, "%s/%s: expected %s", path, key, expected);
}

/* Which of these words stands under `key`, where it may be left out if there is a `fallback`. -1 when it is none. */
static int word(const json_t *object, const char *key, const char *const *words, int fallback)
{
    const json_t *value = json_object_get(object, key);
    if (!value)
        return fallback;
    for (int i = 0; json_is_string(value) && words[i]; i++)
        if (strcmp(json_string_value(value), words[i]) == 0)
            return i;
    return -1;
}

/* Whether `value` is {"setting": NAME} with a setting of that kind, or of the other. */
static bool is_setting(const json_t *value, const json_t *declared, const char *kind, const char *other)
{
    const char *name = json_string_value(json_object_get(value, "setting"));
    size_t i;
    json_t *setting;
    if (!name || json_object_size(value) != 1)
        return false;
    json_array_foreach (declared, i, setting) {
        const char *found = json_string_value(json_object_get(setting, "kind"));
        bool has_value =
            json_is_true(json_object_get(setting, "required")) || json_object_get(setting, "default");
        if (strcmp(json_string_value(json_object_get(setting, "name")), name) == 0)
            return has_value && (strcmp(found, kind) == 0 || strcmp(found, other) == 0);
    }
    return false;
}

static int read_owner(struct root *root, const json_t *declared, const char *path, struct dsar_error *error)
{
    static const char *const keys[] = {"uid", "user", NULL};
    root->owner = json_object_get(root->spec, "owner");
    if (!root->owner)
        return 0;
    char at[AT_BYTES];
    snprintf(at, sizeof at, "%s/owner", path);
    if (json_object_size(root->owner) != 1)
        return bad(error, path, "owner", "an object with either `uid` or `user`");
    if (profile_check_keys(root->owner, at, keys, error))
        return -1;
    const json_t *uid = json_object_get(root->owner, "uid");
    const json_t *value = uid ? uid : json_object_get(root->owner, "user");
    const char *kind = json_string_value(json_object_get(value, "id"));
    bool is_id =
        kind && json_object_size(value) == 1 && json_object_get(json_object_get(root->spec, "needs"), kind);
    if (!is_id && !is_setting(value, declared, uid ? "integer" : "text", uid ? "integer" : "text"))
        return bad(error, at, uid ? "uid" : "user",
                   "{\"id\": KIND} with a kind from `needs`, or {\"setting\": NAME} with a setting that has "
                   "a value");
    return 0;
}

static int check_limits(const struct root *root, const json_t *declared, const char *path,
                        struct dsar_error *error)
{
    static const char *const keys[] = {"bytes", "entries", "depth", NULL};
    const json_t *limits = json_object_get(root->spec, "limits");
    char at[AT_BYTES];
    snprintf(at, sizeof at, "%s/limits", path);
    if (!limits)
        return 0;
    if (!json_is_object(limits))
        return bad(error, path, "limits", "an object");
    if (profile_check_keys(limits, at, keys, error))
        return -1;
    const char *key;
    json_t *value;
    json_object_foreach (iterable(limits), key, value) {
        if (!json_is_integer(value) && !is_setting(value, declared, "integer", "integer"))
            return bad(error, at, key, "a number, or {\"setting\": NAME} with an integer that has a value");
    }
    return 0;
}

/* What only logs, or only others, have. */
static int check_kind_keys(const struct root *root, const char *path, struct dsar_error *error)
{
    static const char *const of_logs[] = {"format", "match", NULL};
    static const char *const of_others[] = {"content", "owner", NULL};
    const char *const *refused = root->kind == ROOT_ACCESS_LOG ? of_others : of_logs;
    for (; *refused; refused++)
        if (json_object_get(root->spec, *refused))
            return dsar_error_set(error, "bad_profile", false, "%s/%s: no key of a root of kind %s", path,
                                  *refused, kinds[root->kind]);
    if (json_object_get(root->spec, "hard_links") && root->kind != ROOT_FOLDER && root->kind != ROOT_MAILDIR)
        return dsar_error_set(error, "bad_profile", false, "%s/hard_links: no key of a root of kind %s", path,
                              kinds[root->kind]);
    return 0;
}

static int read_match(struct root *root, const char *path, struct dsar_error *error)
{
    static const char *const fields[] = {"address", "user", NULL};
    static const char *const keys[] = {"field", "id", NULL};
    const json_t *match = json_object_get(root->spec, "match");
    char at[AT_BYTES];
    snprintf(at, sizeof at, "%s/match", path);
    int format = word(root->spec, "format", formats, -1);
    if (format < 0)
        return bad(error, path, "format", "\"common\", \"combined\" or \"vhost_combined\"");
    if (!json_is_object(match))
        return bad(error, path, "match", "an object: which field of a line is which identity");
    if (profile_check_keys(match, at, keys, error))
        return -1;
    int field = word(match, "field", fields, -1);
    if (field < 0)
        return bad(error, at, "field", "\"address\" or \"user\"");
    root->format = (enum log_format)format;
    root->is_matched_by_user = field == 1;
    root->match_kind = profile_text(match, "id", at, error);
    if (!root->match_kind)
        return -1;
    if (!json_object_get(json_object_get(root->spec, "needs"), root->match_kind))
        return bad(error, at, "id", "a kind from `needs`");
    if (place_has(root->path, root->match_kind))
        return bad(error, at, "id", "a kind that is not in `path`");
    return 0;
}

static int read_content(struct root *root, const char *path, struct dsar_error *error)
{
    static const char *const contents[] = {"own", "mixed", NULL};
    static const char *const links[] = {"own", "any", NULL};
    int content = word(root->spec, "content", contents, -1);
    int link = word(root->spec, "hard_links", links, 0);
    if (content < 0)
        return bad(error, path, "content", "\"own\" or \"mixed\"");
    if (link < 0)
        return bad(error, path, "hard_links", "\"own\" or \"any\"");
    root->is_mixed = content == 1;
    root->is_any_link_kept = link == 1;
    return 0;
}

/* Every identity that is needed says whose the files are, and without one in its path a root would be everybody's. */
static int check_binds(const struct root *root, const char *path, struct dsar_error *error)
{
    const json_t *uid = json_object_get(root->owner, "uid");
    const json_t *owner = json_object_get(uid ? uid : json_object_get(root->owner, "user"), "id");
    bool is_tied = root->kind == ROOT_ACCESS_LOG;
    const char *kind;
    json_t *type;
    json_object_foreach (iterable(json_object_get(root->spec, "needs")), kind, type) {
        bool is_in_path = place_has(root->path, kind);
        bool is_elsewhere = (owner && strcmp(json_string_value(owner), kind) == 0) ||
                            (root->match_kind && strcmp(root->match_kind, kind) == 0);
        if (!is_in_path && !is_elsewhere)
            return dsar_error_set(error, "bad_profile", false, "%s/needs/%s: a kind that nothing is bound to",
                                  path, kind);
        is_tied = is_tied || is_in_path;
    }
    return is_tied ? 0 : bad(error, path, "path", "a name that is made from an identity");
}

static int read_all(struct root *root, const json_t *declared, const char *path, struct dsar_error *error)
{
    int kind = word(root->spec, "kind", kinds, -1);
    if (kind < 0)
        return bad(error, path, "kind", "\"folder\", \"maildir\", \"mbox\" or \"access_log\"");
    root->kind = (enum root_kind)kind;
    root->path = json_object_get(root->spec, "path");
    if (!is_setting(json_object_get(root->spec, "base"), declared, "path", "path"))
        return bad(error, path, "base", "{\"setting\": NAME} with a setting of kind path that has a value");
    char at[AT_BYTES];
    snprintf(at, sizeof at, "%s/path", path);
    if (place_check(root->path, json_object_get(root->spec, "needs"), at, error) ||
        check_kind_keys(root, path, error) || read_owner(root, declared, path, error) ||
        check_limits(root, declared, path, error))
        return -1;
    if (kind == ROOT_ACCESS_LOG ? read_match(root, path, error) : read_content(root, path, error))
        return -1;
    return check_binds(root, path, error);
}

int root_read(struct root *root, const json_t *collection, const json_t *declared, const char *path,
              struct dsar_error *error)
{
    *root = (struct root){.name = json_string_value(json_object_get(collection, "name")), .spec = collection};
    if (read_all(root, declared, path, error))
        return -1;
    root->place_needs = json_copy(iterable(json_object_get(collection, "needs")));
    if (!root->place_needs)
        return error_no_memory(error);
    if (root->match_kind)
        json_object_del(root->place_needs, root->match_kind);
    return 0;
}

void root_wipe(struct root *root)
{
    json_decref(root->place_needs);
    *root = (struct root){.spec = NULL};
}

/* The value of a setting, or the value itself. */
static const json_t *settled(const json_t *value, const json_t *settings)
{
    const char *name = json_string_value(json_object_get(value, "setting"));
    return name ? json_object_get(settings, name) : value;
}

static int limit(const struct root *root, const json_t *settings, const char *key, json_int_t most,
                 json_int_t *value, struct dsar_error *error)
{
    const json_t *given = settled(json_object_get(json_object_get(root->spec, "limits"), key), settings);
    if (given)
        *value = json_integer_value(given);
    return *value >= 1 && *value <= most
               ? 0
               : dsar_error_set(error, "bad_settings", false, "%s: the limit of %s: expected 1 to %lld",
                                root->name, key, (long long)most);
}

int root_settle(struct root *root, const json_t *settings, struct dsar_error *error)
{
    json_int_t bytes = BYTES_DEFAULT, entries = ENTRIES_DEFAULT, depth = DEPTH_DEFAULT;
    root->base = json_string_value(settled(json_object_get(root->spec, "base"), settings));
    if (!root->base || *root->base != '/')
        return dsar_error_set(error, "bad_settings", false,
                              "%s: the base folder: expected a path from the root on", root->name);
    if (limit(root, settings, "bytes", INT64_MAX, &bytes, error) ||
        limit(root, settings, "entries", INT64_MAX, &entries, error) ||
        limit(root, settings, "depth", DEPTH_MAX, &depth, error))
        return -1;
    root->bytes_max = (uint64_t)bytes;
    root->entries_max = (uint64_t)entries;
    root->depth_max = (unsigned)depth;
    return 0;
}
