/* origin: where a request came from: its place on the topic of requests, whatever retry topics it went through. */
#ifndef DSAR_OUTCOME_ORIGIN_H
#define DSAR_OUTCOME_ORIGIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct origin {
    const char *topic; /* borrowed */
    int32_t partition;
    int64_t offset;
};

/* Whether both name the same message. */
bool origin_equal(const struct origin *a, const struct origin *b);

/* {"topic":…,"partition":…,"offset":…}; NULL without memory. */
json_t *origin_json(const struct origin *origin);

/* Reads it; the topic points into `json`. False when it is none. */
bool origin_from_json(struct origin *origin, const json_t *json);

#endif
