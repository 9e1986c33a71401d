/* keys: a bounded set of texts that were seen. It keeps digests: 16 bytes each, however long the texts are.
 */
#ifndef REST_KEYS_H
#define REST_KEYS_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

/* How many texts a set holds at most. */
#define KEYS_MAX ((size_t)1 << 20)

struct keys;

int keys_new(struct keys **keys, struct fault *fault) __attribute__((warn_unused_result));
void keys_free(struct keys *keys);

/* Adds a text; *is_new says whether it was not there yet. Error: "too_many", "no_memory". */
int keys_add(struct keys *keys, const void *text, size_t len, bool *is_new, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
