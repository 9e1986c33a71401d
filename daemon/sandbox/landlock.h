/* landlock: which files a process may open and which TCP ports it may connect to, enforced by the kernel (Landlock).
 *
 * A ruleset is made beforehand and entered by the process itself; from then on it and all that it starts can do no more
 * than the rules allow, for good. Thread-safe.
 */
#ifndef DSAR_SANDBOX_LANDLOCK_H
#define DSAR_SANDBOX_LANDLOCK_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

/* The first versions of the kernel's interface that have a part. */
#define LANDLOCK_ABI_FILES    1 /* Linux 5.13 */
#define LANDLOCK_ABI_EMPTYING 3 /* Linux 6.2 */
#define LANDLOCK_ABI_PORTS    4 /* Linux 6.7 */
#define LANDLOCK_ABI_SIGNALS  6 /* Linux 6.12 */

/* The version that the kernel has; 0 when it has none, or when we may not use it. */
unsigned landlock_abi(void);

enum landlock_use {
    LANDLOCK_READ,  /* files, and folders with all that is in them */
    LANDLOCK_RUN,   /* the same, and programs may be started */
    LANDLOCK_WRITE, /* a file may be read and written; never a folder */
};

/* A new ruleset that allows nothing: *ruleset, a descriptor for the caller to close. `abi` is what landlock_abi said. */
int landlock_new(unsigned abi, int *ruleset, struct fault *fault) __attribute__((warn_unused_result));

/* Allows the use of what is at `path`, following symbolic links. What is not there, or out of our own reach, stays
 * forbidden without a fault. */
int landlock_allow_path(int ruleset, const char *path, enum landlock_use use, struct fault *fault)
    __attribute__((warn_unused_result));

/* Allows connections to a TCP port. For LANDLOCK_ABI_PORTS and later. */
int landlock_allow_port(int ruleset, uint16_t port, struct fault *fault) __attribute__((warn_unused_result));

/* Allows to read what /proc tells of the calling process, then enters the ruleset. No new privileges must be set before.
 * For a child between fork and exec: makes system calls alone. -1 with errno. */
int landlock_enter(int ruleset) __attribute__((warn_unused_result));

#endif
