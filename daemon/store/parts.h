/* parts: what a store is made of. For this room only.
 *
 * Beside a request's objects lie hidden files, whose names begin with a dot: objects in the making and, in sweep.c,
 * bundles that are being judged.
 */
#ifndef DSAR_STORE_PARTS_H
#define DSAR_STORE_PARTS_H

#include "store/store.h"

#include <stdbool.h>

#define NAME_MAX_BYTES 128

/* An object in the making is UNFINISHED, 24 random digits, '-' and the object's name. */
#define UNFINISHED       ".unfinished-"
#define RANDOM_DIGITS    24
#define HIDDEN_MAX_BYTES (32 + RANDOM_DIGITS + NAME_MAX_BYTES)

struct store {
    int dir;
};

/* Whether it may be the name of a request or of an object. */
bool store_name_valid(const char *name);

/* Writes PREFIX, random digits, '-' and `file`. */
int store_hidden_name(char hidden[HIDDEN_MAX_BYTES], const char *prefix, const char *file,
                      struct fault *fault) __attribute__((warn_unused_result));

/* Calls visit_cb for each name in the folder, hidden ones too; stops when it returns non-zero and returns that. */
int store_each_name(int dir, int (*visit_cb)(const char *name, void *ctx), void *ctx, struct fault *fault)
    __attribute__((warn_unused_result));

/* "store_failed", retryable: whatever keeps the store from its work may be mended while we try again. Returns -1. */
int store_failed(struct fault *fault, int error_number, const char *shown, const char *what)
    __attribute__((cold));

#endif
