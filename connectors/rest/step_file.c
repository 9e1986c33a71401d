#include "step_parts.h"

#include "../sdk/profile.h"

#include <string.h>

static int read_relative(const struct reading *reading, const char *key, const char **pointer)
{
    const json_t *value = json_object_get(reading->json, key);
    *pointer = json_string_value(value);
    if (!value || (*pointer && trail_is_pointer(*pointer)))
        return 0;
    return dsar_error_set(reading->error, "bad_profile", false, "%s: %s: expected a relative JSON Pointer",
                          reading->path, key);
}

/* Whether a value somewhere in `json` comes from what stands for the file, or from its record. */
static bool names_file(const json_t *json)
{
    const char *key;
    json_t *member;
    for (size_t i = 0; i < json_array_size(json); i++)
        if (names_file(json_array_get(json, i)))
            return true;
    json_object_foreach ((json_t *)(uintptr_t)json, key, member) {
        bool is_source = strcmp(key, "element") == 0 || strcmp(key, "record") == 0;
        if ((is_source && json_is_string(member)) || names_file(member))
            return true;
    }
    return false;
}

static int read_where(const struct reading *reading)
{
    static const char *const known[] = {"element", "eq", "ne", NULL};
    const json_t *where = json_object_get(reading->json, "where");
    const char *element = json_string_value(json_object_get(where, "element"));
    const json_t *eq = json_object_get(where, "eq");
    const json_t *value = eq ? eq : json_object_get(where, "ne");
    reading->step->where = where;
    if (!where)
        return 0;
    if (json_is_object(where) && profile_check_keys(where, reading->path, known, reading->error))
        return -1;
    return element && trail_is_pointer(element) && json_object_size(where) == 2 &&
                   (json_is_string(value) || json_is_integer(value))
               ? 0
               : reading_bad(
                     reading, "/where",
                     "`element` with a relative JSON Pointer, and `eq` or `ne` with a text or a number");
}

int reading_file(const struct reading *reading)
{
    static const char *const inside[] = {"in", "where", "name", "media_type", "data", NULL};
    static const char *const asked[] = {"in", "where",   "name", "media_type", "base64", "request",
                                        "ok", "refused", "busy", "not_found",  NULL};
    struct step *step = reading->step;
    const json_t *data = json_object_get(reading->json, "data");
    step->records = "";
    step->kind = RECORDS_SINGLE;
    if (profile_check_keys(reading->json, reading->path, data ? inside : asked, reading->error) ||
        reading_pointer(reading, reading->json, "in", &step->in) || read_where(reading) ||
        reading_pointer(reading, reading->json, "data", &step->data) ||
        reading_pointer(reading, reading->json, "base64", &step->base64) ||
        read_relative(reading, "name", &step->name) ||
        read_relative(reading, "media_type", &step->media_type))
        return -1;
    if (!step->in || !step->name || (step->data && !*step->data) || (step->base64 && !*step->base64))
        return reading_bad(reading, "", "`in` and `name`, and pointers to base64 that lead somewhere");
    if (!data && !names_file(step->request))
        return reading_bad(reading, "/request",
                           "a value of the element or the record, which says which file");
    if (!data && !step->base64 && (step->ok || step->refused || step->busy))
        return reading_bad(reading, "/base64",
                           "a pointer, where the answer is tested: a plain file has no JSON");
    return 0;
}
