/* response: what came back from one call. */
#ifndef REST_RESPONSE_H
#define REST_RESPONSE_H

#include "base/buf.h"

#include <dsar/connector.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes a piece of a good answer's body as it comes. -1 ends the call. */
typedef int (*response_sink_cb)(const char *data, size_t len, struct dsar_error *error, void *ctx);

struct response {
    long status;
    struct buf headers; /* "Name: value" of the last answer, each with a NUL behind it */
    struct buf body;    /* empty when `sink` took it */
    int64_t retry_after_ms;
    response_sink_cb sink; /* NULL: the body is kept */
    void *ctx;
    uint64_t n_sunk; /* bytes that the sink took */
};

/* `body_max` bounds the body that is kept. */
void response_init(struct response *response, size_t body_max);
void response_wipe(struct response *response);

/* Forgets an answer, for another try. */
void response_clear(struct response *response);

/* The value of the header's `nth` field, counted from 0; NULL when there are not so many. Valid as long as the
 * headers. */
const char *response_header(const struct response *response, const char *name, size_t nth);

#endif
