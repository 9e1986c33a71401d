/* wire: messages on two file descriptors, framed as PROTOCOL.md says. Not thread-safe.
 *
 * What passes may be personal or secret: it stands in memory that is wiped. Errors have code "conversation":
 * the other side does not speak the protocol or is gone, and nothing more can be said to it.
 */
#ifndef DSAR_SDK_WIRE_H
#define DSAR_SDK_WIRE_H

#include "base/buf.h"

#include <dsar/connector.h>

struct wire {
    int in_fd;          /* borrowed */
    int out_fd;         /* borrowed */
    struct buf inbox;   /* bytes read and not yet taken */
    struct buf line;    /* the line being written */
    bool at_end;        /* the other side has closed in_fd */
    int64_t written_ms; /* when something was last written, on the clock of clock_now_ms */
};

void wire_init(struct wire *wire, int in_fd, int out_fd);
void wire_wipe(struct wire *wire);

/* Writes `message` (borrowed) and `len` bytes behind it, the latter announced as its member `bytes` unless
 * `payload` is NULL. */
int wire_send(struct wire *wire, json_t *message, const char *payload, size_t len, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Takes the next message: a new reference in *message, and its `type` in *type (owned by *message). *message
 * is NULL when there is none: with `wait`, because the other side has closed; without, because nothing whole
 * has come yet. */
int wire_receive(struct wire *wire, bool wait, json_t **message, const char **type, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
