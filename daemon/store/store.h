/* store: where bundles and receipts lie until they are fetched or expire. Here: a directory.
 *
 * An object's name is `<request>/<file>`. An object appears whole and durable or not at all: its bytes are
 * synced, then it is renamed into place, then the folder is synced, as Postfix does with mail. Names are made
 * of [A-Za-z0-9._-] and never begin with a dot. Folders are 0700, files 0600. Thread-safe, but for one object
 * in the making, which belongs to one thread.
 */
#ifndef DSAR_STORE_STORE_H
#define DSAR_STORE_STORE_H

#include "base/buf.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Opens the folder, which must exist and be writable. Fails with "store_unusable". */
int store_open(struct store **store, const char *path, struct fault *fault)
    __attribute__((warn_unused_result));
void store_close(struct store *store);

struct store_object;

/* Begins an object. Nothing is to be seen of it before store_commit. Faults of this and the following
 * functions have the code "store_failed" and are retryable: a disk may be emptied, a folder mended. */
int store_begin(struct store *store, const char *request, const char *file, struct store_object **object,
                struct fault *fault) __attribute__((warn_unused_result));
int store_write(struct store_object *object, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* Makes the object durable and visible, and frees it, also on failure. Where an object of that name exists, it stays
 * and the fault is "exists" (not retryable). After "store_failed" it is visible all the same if the very last step
 * failed, the sync of its folder: whoever finds it calls store_sync before relying on it. */
int store_commit(struct store_object *object, struct fault *fault) __attribute__((warn_unused_result));

/* Makes the object visible in the place of one of that name, if there is one, at once, and frees it, also on failure.
 * For what need not outlive a crash of the machine: nothing is synced. */
int store_commit_over(struct store_object *object, struct fault *fault) __attribute__((warn_unused_result));

/* Removes what was written and frees the object. NULL is harmless. */
void store_abort(struct store_object *object);

/* Reads a whole object into `content` (initialised by the caller, whose maximum holds). Fails with
 * "not_found" when there certainly is none, "too_large", or "store_failed". */
int store_read(struct store *store, const char *request, const char *file, struct buf *content,
               struct fault *fault) __attribute__((warn_unused_result));

/* Whether an object is to be seen. */
int store_exists(struct store *store, const char *request, const char *file, bool *exists,
                 struct fault *fault) __attribute__((warn_unused_result));

/* Makes durable what is to be seen of the request: whoever stored it may have died before it was. */
int store_sync(struct store *store, const char *request, struct fault *fault)
    __attribute__((warn_unused_result));

/* Calls visit_cb for each object of the request, in no order; stops when it returns non-zero and returns
 * that. -1 with a fault when the folder cannot be read; a request without objects is not an error. */
int store_each(struct store *store, const char *request, int (*visit_cb)(const char *file, void *ctx),
               void *ctx, struct fault *fault) __attribute__((warn_unused_result));

/* Removes an object durably. One that is not there is no error. */
int store_remove(struct store *store, const char *request, const char *file, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
