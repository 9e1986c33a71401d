/* cancel: one flag that tells many waiting threads to stop. A flag may stand below another and is then raised with it, but
 * not the other way round. Thread-safe. */
#ifndef DSAR_BASE_CANCEL_H
#define DSAR_BASE_CANCEL_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct cancel;

/* Fails with "no_memory" or "no_descriptor". */
int cancel_new(struct cancel **cancel, struct fault *fault) __attribute__((warn_unused_result));

/* A flag below `parent`, which outlives it. Fails as cancel_new. */
int cancel_new_child(struct cancel **cancel, const struct cancel *parent, struct fault *fault)
    __attribute__((warn_unused_result));

/* No thread may wait on it any more, and no flag stands below it. NULL is harmless. */
void cancel_free(struct cancel *cancel);

/* Raises the flag, and those below it, for good. Async-signal-safe. */
void cancel_raise(struct cancel *cancel);

bool cancel_raised(const struct cancel *cancel);

/* A descriptor that is readable once the flag is raised; to be polled, never read or closed. */
int cancel_fd(const struct cancel *cancel);

/* Waits `ms` milliseconds or until the flag is raised. True when it is raised. */
bool cancel_wait(const struct cancel *cancel, int64_t ms);

#endif
