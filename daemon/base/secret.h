/* secret: memory for keys, passphrases and personal data: locked, kept out of core dumps, wiped when freed.
 */
#ifndef DSAR_BASE_SECRET_H
#define DSAR_BASE_SECRET_H

#include "base/fault.h"

#include <stddef.h>

/* Zeroed pages of at least `size` bytes: MADV_DONTDUMP, MADV_WIPEONFORK, and locked page by page as they are
 * first touched (mlock2 MLOCK_ONFAULT). A lock refused for want of RLIMIT_MEMLOCK is not an error;
 * secret_unlocked counts it. NULL with a fault when there is no memory. Thread-safe. */
void *secret_alloc(size_t size, struct fault *fault) __attribute__((warn_unused_result));

/* Wipes and unmaps what secret_alloc gave, with the same size. NULL is harmless. Thread-safe. */
void secret_free(void *data, size_t size);

/* How many allocations could not be locked since the process began. */
unsigned long secret_unlocked(void);

/* The exit status of a process that could get no memory for JSON: it may be started again. */
#define SECRET_EXIT_NO_MEMORY 3

/* For main() alone, once, before any thread: no core dumps, not traceable by other processes of the same
 * user, the whole process locked into memory when the limits allow it, freed JSON values wiped. JSON gets the
 * memory that it asks for, after a second at most, or the process ends with SECRET_EXIT_NO_MEMORY. Returns -1 when core
 * dumps cannot be switched off. */
int secret_harden_process(struct fault *fault) __attribute__((warn_unused_result));

#endif
