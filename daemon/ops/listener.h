/* listener: shows a worker's figures over HTTP, on an address of their own: GET /metrics.
 *
 * A thread of its own answers; few connections, each for a few seconds, so that nobody who looks can hold up anything.
 */
#ifndef DSAR_OPS_LISTENER_H
#define DSAR_OPS_LISTENER_H

#include "ops/exposition.h"

struct listener;

struct listener_options {
    const char *address; /* "127.0.0.1:9470", "[::1]:9470"; port 0: any free one */
    /* Adds all figures; called in the listener's thread. */
    void (*show_cb)(void *ctx, struct exposition *exposition);
    void *ctx;
};

/* Fails with "address_unusable". */
int listener_open(struct listener **listener, const struct listener_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* No figures are asked for any more. NULL is harmless. */
void listener_close(struct listener *listener);

/* The port that it listens on. */
unsigned listener_port(const struct listener *listener);

#endif
