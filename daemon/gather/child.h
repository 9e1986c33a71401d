/* child: a connector's process and the three pipes to it.
 *
 * The process starts in a sandbox, with an empty environment, no other descriptors and a session of its own (so that
 * whatever it starts can be ended with it). It dies with the thread that started it. One thread at a time.
 */
#ifndef DSAR_GATHER_CHILD_H
#define DSAR_GATHER_CHILD_H

#include "base/fault.h"
#include "sandbox/sandbox.h"

#include <sys/types.h>

struct child {
    pid_t pid; /* 0 when there is none */
    int in;    /* what we write and it reads; -1 when closed */
    int out;   /* what it writes and we read, non-blocking */
    int log;   /* its standard error, non-blocking */
};

/* Starts `argv[0]` (a path, not looked up) with the NULL-terminated arguments. Fails with "source_start" when
 * the program cannot be executed. */
int child_start(struct child *child, char *const argv[], const struct sandbox *sandbox, struct fault *fault)
    __attribute__((warn_unused_result));

/* The signal that ended the process, 0 when none did. For a child whose standard output has ended: waits a moment
 * for the process to follow. child_end is still to come. */
int child_signal(const struct child *child);

/* Closes its input, gives it `grace_ms` to leave, then kills its whole process group. Closes the pipes.
 * Returns the wait status. Harmless on a child that was never started (all zero with descriptors -1) or has
 * ended. */
int child_end(struct child *child, int grace_ms);

#endif
