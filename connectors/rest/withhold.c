#include "withhold.h"

#include "../sdk/profile.h"

#include <string.h>

#define DIGITS "0123456789"

static int check_listed(const json_t *rule, const struct scope *scope, const char *path,
                        struct dsar_error *error)
{
    const char *list = profile_text(rule, "in", path, error);
    const char *key = list ? profile_text(rule, "key", path, error) : NULL;
    const char *setting = key ? profile_text(rule, "listed_in", path, error) : NULL;
    if (!setting)
        return -1;
    if (*list != '/' || *key != '/')
        return dsar_error_set(error, "bad_profile", false, "%s: expected `in` and `key` to be JSON Pointers",
                              path);
    for (size_t i = 0; i < json_array_size(scope->settings); i++) {
        const json_t *declared = json_array_get(scope->settings, i);
        if (strcmp(json_string_value(json_object_get(declared, "name")), setting) == 0 &&
            strcmp(json_string_value(json_object_get(declared, "kind")), "text") == 0)
            return value_note(scope, "setting", setting, error);
    }
    return dsar_error_set(error, "bad_profile", false,
                          "%s: expected `listed_in` to name a setting of kind text", path);
}

int withhold_check(const json_t *rule, const struct scope *scope, const char *path, struct dsar_error *error)
{
    static const char *const listed[] = {"in", "key", "listed_in", "reason", NULL};
    static const char *const numbered[] = {"numbered", "reason", NULL};
    bool is_numbered = json_object_get(rule, "numbered");
    if (profile_check_keys(rule, path, is_numbered ? numbered : listed, error) ||
        !profile_text(rule, "reason", path, error))
        return -1;
    if (is_numbered)
        return profile_text(rule, "numbered", path, error) ? 0 : -1;
    return check_listed(rule, scope, path, error);
}

static const char *listed_values(const json_t *rule, const json_t *settings)
{
    const char *setting = json_string_value(json_object_get(rule, "listed_in"));
    return setting ? json_string_value(json_object_get(settings, setting)) : NULL;
}

int withhold_settle(const json_t *rule, const json_t *settings, struct dsar_error *error)
{
    const char *at = listed_values(rule, settings);
    if (!at)
        return 0;
    for (;; at++) {
        at += strspn(at, " ");
        size_t len = strspn(at, DIGITS);
        /* a number with a zero in front equals none that a system writes */
        if (len == 0 || (len > 1 && *at == '0'))
            break;
        at += len;
        at += strspn(at, " ");
        if (!*at)
            return 0;
        if (*at != ',')
            break;
    }
    return dsar_error_set(error, "bad_settings", false, "%s: expected numbers, separated by commas",
                          json_string_value(json_object_get(rule, "listed_in")));
}

static bool is_listed(const char *values, const struct node *key)
{
    static const char separators[] = ", ";
    for (values += strspn(values, separators); *values; values += strspn(values, separators)) {
        size_t len = strcspn(values, separators);
        if (node_equals(key, values, len, false))
            return true;
        values += len;
    }
    return false;
}

static bool is_empty(const struct node *node)
{
    bool is_list = node && (node->kind == NODE_ARRAY || node->kind == NODE_OBJECT);
    return !node || node->kind == NODE_NULL || (is_list && !node->child) ||
           (node->kind == NODE_STRING && node->len == 0);
}

/* What `pointer` leads to. Nothing there is fine when nothing is around it either. */
static bool find(const struct node *record, const char *pointer, const struct node **found)
{
    char above[256];
    size_t len = (size_t)(strrchr(pointer, '/') - pointer);
    *found = node_at(record, pointer);
    if (*found || len == 0)
        return true;
    if (len >= sizeof above)
        return false;
    memcpy(above, pointer, len);
    above[len] = '\0';
    return is_empty(node_at(record, above));
}

static bool take_listed(const char *values, const char *key, struct node *list, uint64_t *n_taken)
{
    struct node **link = &list->child;
    if (list->kind == NODE_OBJECT) {
        const struct node *found = node_at(list, key);
        bool is_taken = node_has_text(found) && is_listed(values, found);
        if (is_taken)
            *list = (struct node){NODE_NULL, list->key, list->key_len, .next = list->next};
        *n_taken += is_taken;
        return is_taken || node_has_text(found);
    }
    if (list->kind != NODE_ARRAY)
        return false;
    while (*link) {
        const struct node *found = node_at(*link, key);
        if (!node_has_text(found))
            return false;
        if (!is_listed(values, found)) {
            link = &(*link)->next;
            continue;
        }
        *link = (*link)->next;
        ++*n_taken;
    }
    return true;
}

static uint64_t take_numbered(const char *name, struct node *record)
{
    size_t len = strlen(name);
    uint64_t n_taken = 0;
    struct node **link = &record->child;
    while (*link) {
        const struct node *member = *link;
        bool is_taken = member->key_len > len && memcmp(member->key, name, len) == 0;
        for (size_t i = len; is_taken && i < member->key_len; i++)
            is_taken = member->key[i] >= '0' && member->key[i] <= '9';
        if (is_taken)
            *link = member->next;
        else
            link = &(*link)->next;
        n_taken += is_taken;
    }
    return n_taken;
}

int withhold_apply(const json_t *rule, const json_t *settings, struct node *record, uint64_t *n_taken,
                   struct dsar_error *error)
{
    const char *numbered = json_string_value(json_object_get(rule, "numbered"));
    const char *values = listed_values(rule, settings);
    const char *in = json_string_value(json_object_get(rule, "in"));
    const struct node *found = NULL;
    *n_taken = 0;
    if (numbered)
        *n_taken = take_numbered(numbered, record);
    if (numbered || !values)
        return 0;
    bool is_shaped = find(record, in, &found);
    if (is_shaped && is_empty(found))
        return 0;
    /* part of `record`, which is ours to change */
    if (is_shaped && take_listed(values, json_string_value(json_object_get(rule, "key")),
                                 (struct node *)(uintptr_t)found, n_taken))
        return 0;
    return dsar_error_set(error, "source_answer", false,
                          "%s: expected a list of what has a key, as some of it is to be withheld", in);
}
