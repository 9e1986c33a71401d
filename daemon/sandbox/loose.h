/* loose: the outer layer of the filter for system calls, which a process gets before its program is started (seccomp).
 *
 * It names what is forbidden, so that programs in any language run under it. Thread-safe.
 */
#ifndef DSAR_SANDBOX_LOOSE_H
#define DSAR_SANDBOX_LOOSE_H

#include "base/fault.h"

#include <linux/filter.h>
#include <stdbool.h>

/* What the program needs beyond reading and computing. */
struct loose_options {
    bool tcp;          /* to connect to IP addresses */
    bool names;        /* to ask name servers, by UDP */
    bool unix_sockets; /* to connect to sockets in the file system */
    bool processes;    /* to start processes */
};

/* Compiles the filter into *program, whose instructions are the caller's to free. */
int loose_new(struct sock_fprog *program, const struct loose_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Puts the calling process and all that it starts under the filter, for good. With `own_signals` it can only send signals
 * to itself, which not every kernel's Landlock sees to. No new privileges must be set before. For a child between fork
 * and exec: makes system calls alone. -1 with errno. */
int loose_enter(const struct sock_fprog *program, bool own_signals) __attribute__((warn_unused_result));

#endif
