/* cancel: one flag that tells many waiting threads to stop. Thread-safe. */
#ifndef DSAR_BASE_CANCEL_H
#define DSAR_BASE_CANCEL_H

#include "base/fault.h"

#include <stdbool.h>
#include <stdint.h>

struct cancel;

int cancel_new(struct cancel **cancel, struct fault *fault) __attribute__((warn_unused_result));

/* No thread may wait on it any more. NULL is harmless. */
void cancel_free(struct cancel *cancel);

/* Raises the flag for good. Async-signal-safe. */
void cancel_raise(struct cancel *cancel);

bool cancel_raised(const struct cancel *cancel);

/* A descriptor that is readable once the flag is raised; to be polled, never read or closed. */
int cancel_fd(const struct cancel *cancel);

/* Waits `ms` milliseconds or until the flag is raised. True when it is raised. */
bool cancel_wait(const struct cancel *cancel, int64_t ms);

#endif
