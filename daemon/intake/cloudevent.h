/* cloudevent: a Kafka message read as a CloudEvents 1.0 event with JSON data (Kafka protocol binding 1.0.2).
 *
 * Structured when `content-type` starts with application/cloudevents, binary by `ce_*` headers otherwise.
 * Thread-safe.
 */
#ifndef DSAR_INTAKE_CLOUDEVENT_H
#define DSAR_INTAKE_CLOUDEVENT_H

#include "base/buf.h"
#include "base/fault.h"
#include "config/config.h"

#include <jansson.h>
#include <stddef.h>

#define CLOUDEVENT_HEADERS_MAX   64
#define CLOUDEVENT_ATTRIBUTE_MAX 1024 /* bytes of one attribute */

struct message_header {
    const char *name;
    const void *value; /* NULL stands for no value */
    size_t len;
};

/* A message as it came; it points to memory of the caller's. */
struct message {
    const void *value; /* NULL: a tombstone */
    size_t len;
    const struct message_header *headers;
    size_t n_headers;
};

struct cloudevent_options {
    enum config_framing framing; /* confluent: 0x00 and a 4-byte schema id stand before the value */
    size_t max_bytes;            /* the largest value */
};

struct cloudevent {
    const char *id;
    const char *source;
    const char *type;
    const char *traceparent; /* W3C Trace Context, version 00; NULL without a valid one */
    const char *signature;   /* the header `dsar-signature`, text of at most JWS_MAX bytes; NULL without */
    const void *data;        /* JSON; in binary mode it points into the message */
    size_t len;

    json_t *attributes;    /* what the texts belong to */
    struct buf structured; /* what `data` belongs to in structured mode */
};

/* Reads a message. `*event` is to be freed, and not to be used longer than the message. In structured mode
 * `data` is the member written again without blanks, members in their order, so that its digest does not
 * depend on the layout.
 *
 * Codes: "tombstone", "too_large", "bad_framing", "bad_event" (headers, attributes, or data that are missing,
 * doubled, malformed or not JSON), "no_memory" (retryable). The texts name headers and members, never what
 * they hold. */
int cloudevent_decode(struct cloudevent **event, const struct message *message,
                      const struct cloudevent_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Wipes and frees. NULL is harmless. */
void cloudevent_free(struct cloudevent *event);

#endif
