/* strict: the inner layer of the filter for system calls: the list of all that a connector of ours may still do once it
 * is set up. Programs in other languages make do with the outer layer (loose.h). Not thread-safe.
 */
#ifndef DSAR_SANDBOX_STRICT_H
#define DSAR_SANDBOX_STRICT_H

#include "base/fault.h"

/* Puts the whole process, with all threads, under the filter, for good. A kernel that filters no system calls is no fault:
 * the daemon has said so already. "sandbox" when it cannot be done. */
int strict_enter(struct fault *fault) __attribute__((warn_unused_result));

#endif
