/* step_parts: what the files share that read a step. Functions fail with "bad_profile". */
#ifndef REST_STEP_PARTS_H
#define REST_STEP_PARTS_H

#include "step.h"
#include "tests.h"

struct reading {
    struct step *step;
    const json_t *json;
    const struct scope *scope;
    const char *path;
    struct dsar_error *error;
};

/* Says what was expected at `key`, a JSON Pointer below the step; returns -1. */
int reading_bad(const struct reading *reading, const char *key, const char *expected);

bool reading_is_pointer(const json_t *value);

/* Each leaves what it reads as it is when the key is not there. */
int reading_pointer(const struct reading *reading, const json_t *object, const char *key,
                    const char **pointer) __attribute__((warn_unused_result));
int reading_number(const struct reading *reading, const json_t *object, const char *key, json_int_t least,
                   json_int_t most, json_int_t *number) __attribute__((warn_unused_result));
int reading_count(const struct reading *reading, const json_t *object, const char *key,
                  struct count_at *count) __attribute__((warn_unused_result));
int reading_tests(const struct reading *reading, const json_t *object, const char *key, enum tests_of of,
                  const json_t **tests) __attribute__((warn_unused_result));

/* A file of a record: which one, and where its content is. */
int reading_file(const struct reading *reading) __attribute__((warn_unused_result));

/* The request, and how its pages follow. */
int reading_request(const struct reading *reading) __attribute__((warn_unused_result));
int reading_page(const struct reading *reading) __attribute__((warn_unused_result));

/* Whether the place of the next page, which the answer gives, cannot lose whose records are asked for: nothing
 * of the person stands anywhere but in the path. For steps whose records are not tested. */
int reading_stays(const struct reading *reading) __attribute__((warn_unused_result));

#endif
