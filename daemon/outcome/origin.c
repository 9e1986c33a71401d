#include "outcome/origin.h"

#include <string.h>

bool origin_equal(const struct origin *a, const struct origin *b)
{
    return a->partition == b->partition && a->offset == b->offset && strcmp(a->topic, b->topic) == 0;
}

json_t *origin_json(const struct origin *origin)
{
    return json_pack("{s:s,s:i,s:I}", "topic", origin->topic, "partition", (int)origin->partition, "offset",
                     (json_int_t)origin->offset);
}

static bool in_range(const json_t *number, json_int_t last)
{
    return json_is_integer(number) && json_integer_value(number) >= 0 && json_integer_value(number) <= last;
}

bool origin_from_json(struct origin *origin, const json_t *json)
{
    const json_t *partition = json_object_get(json, "partition"), *offset = json_object_get(json, "offset");
    origin->topic = json_string_value(json_object_get(json, "topic"));
    if (!origin->topic || !in_range(partition, INT32_MAX) || !in_range(offset, INT64_MAX))
        return false;
    origin->partition = (int32_t)json_integer_value(partition);
    origin->offset = json_integer_value(offset);
    return true;
}
