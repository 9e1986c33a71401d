/* support: which parts of the sandbox this system has. Thread-safe. */
#ifndef DSAR_SANDBOX_SUPPORT_H
#define DSAR_SANDBOX_SUPPORT_H

#include <stdbool.h>

enum support_part {
    SUPPORT_FILES,
    SUPPORT_EMPTYING,
    SUPPORT_PORTS,
    SUPPORT_SIGNALS,
    SUPPORT_CALLS,
    SUPPORT_COUNT
};

/* Whether the part is there. Asks the kernel each time. */
bool support_has(enum support_part part);

/* Its name in figures and texts: "files". */
const char *support_name(enum support_part part);

/* What connectors can do where the part is missing, and what brings it, in words. */
const char *support_lack(enum support_part part);

#endif
