/* program: where the running program lies, so that what was installed with it is found beside it. */
#ifndef DSAR_BASE_PROGRAM_H
#define DSAR_BASE_PROGRAM_H

#include "base/fault.h"

#include <stddef.h>

/* The folder PREFIX, where the program was installed (or built) as PREFIX/bin/NAME. */
int program_prefix(char *path, size_t cap, struct fault *fault) __attribute__((warn_unused_result));

#endif
