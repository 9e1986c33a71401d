/* classes: which class each field of a collection has, by JSON Pointer patterns (include/dsar/PROTOCOL.md). */
#ifndef DSAR_SCREEN_CLASSES_H
#define DSAR_SCREEN_CLASSES_H

#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>

enum class_kind {
    CLASS_FREE_TEXT, /* the default */
    CLASS_OWN,
    CLASS_THIRD_PARTY,
    CLASS_SECRET,
    CLASS_CARD,
    CLASS_CVV,
    CLASS_WITHHOLD,
};

struct classes; /* immutable once made; thread-safe */

/* From the `fields` object of a collection: pointer pattern -> class name. NULL or an empty object: everything is
 * free_text. Fails with "bad_class" and names the pointer. */
int classes_new(struct classes **classes, const json_t *fields, struct fault *fault)
    __attribute__((warn_unused_result));
void classes_free(struct classes *classes);

/* Walking a record: a state stands for a place in it. */
#define CLASSES_ROOT 0u

/* The state below `state` for object member `key` (not NUL-terminated) or, with NULL, for an array element. */
unsigned classes_step(const struct classes *classes, unsigned state, const char *key, size_t key_len);

/* The class at `state`; for CLASS_WITHHOLD *reason is its code (owned by `classes`), otherwise NULL. */
enum class_kind classes_at(const struct classes *classes, unsigned state, const char **reason);

#endif
