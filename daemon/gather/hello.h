/* hello: whether a connector's first message is one (include/dsar/PROTOCOL.md, "Handshake"). */
#ifndef DSAR_GATHER_HELLO_H
#define DSAR_GATHER_HELLO_H

#include "base/fault.h"

#include <jansson.h>
#include <stdbool.h>

/* Names of the protocol: [a-z][a-z0-9_.-]*, at most DSAR_NAME_MAX bytes. */
bool hello_name_valid(const char *name);

/* Checks every member that the daemon relies on. Fails with "source_protocol"; the text names the member.
 * `source` is for texts. */
int hello_check(const json_t *hello, const char *source, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
