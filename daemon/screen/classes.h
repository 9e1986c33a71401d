/* classes: which class each field of a collection has, by JSON Pointer patterns (include/dsar/PROTOCOL.md).
 *
 * The longest pointer wins; among pointers of one length, the one that is literal where they first differ.
 * The elements of arrays have no names: '*' alone matches them. */
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

#define CLASSES_PATTERNS_MAX 1024
#define CLASSES_REASONS_MAX  64 /* different ones of withhold:REASON */

struct classes; /* immutable once made; thread-safe */

/* From the `fields` object of a collection: pointer pattern -> class name. NULL or an empty object:
 * everything is free_text. Fails with "bad_class" and names the pointer; also when the record as a whole (the
 * empty pointer) would be dropped, or when more patterns or more of their combinations would have to be told
 * apart than is sensible. */
int classes_new(struct classes **classes, const json_t *fields, struct fault *fault)
    __attribute__((warn_unused_result));
void classes_free(struct classes *classes);

/* Walking a record: a state stands for a place in it. */
#define CLASSES_ROOT 0u

/* The state below `state` for object member `key` (not NUL-terminated) or, with NULL, for an array element.
 */
unsigned classes_step(const struct classes *classes, unsigned state, const char *key, size_t key_len);

/* The class at `state`; for CLASS_WITHHOLD *reason is its code (owned by `classes`), otherwise NULL. Places
 * below one that is dropped have classes like any other: what a walk drops, it drops whole. */
enum class_kind classes_at(const struct classes *classes, unsigned state, const char **reason);

#endif
