#include "withhold.h"

#include "../sdk/profile.h"

#include <string.h>

int withhold_check(const json_t *rule, const struct scope *scope, const char *path, struct dsar_error *error)
{
    static const char *const known[] = {"in", "key", "listed_in", "reason", NULL};
    if (profile_check_keys(rule, path, known, error))
        return -1;
    const char *list = profile_text(rule, "in", path, error);
    const char *key = list ? profile_text(rule, "key", path, error) : NULL;
    const char *setting = key ? profile_text(rule, "listed_in", path, error) : NULL;
    if (!setting || !profile_text(rule, "reason", path, error))
        return -1;
    if (*list != '/' || *key != '/')
        return dsar_error_set(error, "bad_profile", false, "%s: expected `in` and `key` to be JSON Pointers",
                              path);
    for (size_t i = 0; i < json_array_size(scope->settings); i++) {
        const json_t *declared = json_array_get(scope->settings, i);
        if (strcmp(json_string_value(json_object_get(declared, "name")), setting) == 0 &&
            strcmp(json_string_value(json_object_get(declared, "kind")), "text") == 0)
            return 0;
    }
    return dsar_error_set(error, "bad_profile", false,
                          "%s: expected `listed_in` to name a setting of kind text", path);
}

static bool is_listed(const char *values, const struct node *key)
{
    static const char separators[] = ", ";
    if (!node_has_text(key))
        return false;
    for (values += strspn(values, separators); *values; values += strspn(values, separators)) {
        size_t len = strcspn(values, separators);
        if (node_equals(key, values, len, false))
            return true;
        values += len;
    }
    return false;
}

uint64_t withhold_apply(const json_t *rule, const json_t *settings, struct node *record)
{
    const char *values =
        json_string_value(json_object_get(settings, json_string_value(json_object_get(rule, "listed_in"))));
    const char *key = json_string_value(json_object_get(rule, "key"));
    const struct node *found = node_at(record, json_string_value(json_object_get(rule, "in")));
    uint64_t n_taken = 0;
    if (!values || !found || found->kind != NODE_ARRAY)
        return 0;
    /* part of `record`, which is ours to change */
    struct node *list = (struct node *)(uintptr_t)found;
    struct node **link = &list->child;
    while (*link) {
        if (!is_listed(values, node_at(*link, key))) {
            link = &(*link)->next;
            continue;
        }
        *link = (*link)->next;
        n_taken++;
    }
    return n_taken;
}
