/* event: what the portal reads: org.dsard.*.v1, CloudEvents 1.0 in binary mode, signed by the exporter.
 *
 * No event holds personal data: a request id, counts, codes, and the bundle's key sealed to the recipient.
 */
#ifndef DSAR_OUTCOME_EVENT_H
#define DSAR_OUTCOME_EVENT_H

#include "base/buf.h"
#include "config/config.h"
#include "intake/request.h"
#include "outcome/outgoing.h"

#include <jansson.h>
#include <stdint.h>

enum event_type {
    EVENT_ACCEPTED,
    EVENT_PROGRESS,
    EVENT_COMPLETED, /* terminal, as the next three */
    EVENT_FAILED,
    EVENT_REFUSED,
    EVENT_CANCELLED,
    EVENT_REPEATED,
    EVENT_RETRYING,
    EVENT_EXPIRED, /* the bundle can no longer be fetched */
    EVENT_AUDIT,   /* for the topic of audits: who touched what, in counts and codes */
};

/* "org.dsard.completed.v1" */
const char *event_type_name(enum event_type type);

/* Finds the type of a name. False when there is none. */
bool event_type_from_name(const char *name, enum event_type *type);

/* The members that every event has, as a new object: controller_id, subject_request_id, request_status,
 * expected_completion_time (left out when `due_unix_s` is 0), reason (when `why` is given). NULL without
 * memory. */
json_t *event_data(const struct config *config, enum event_type type, const char *request, int64_t due_unix_s,
                   const struct fault *why);

struct event {
    enum event_type type;
    const char *id;          /* ce_id: a UUID; the same however often the event is published */
    const char *time;        /* ce_time */
    const char *request;     /* the message's key and ce_subject */
    json_t *data;            /* borrowed */
    const char *traceparent; /* of the request; may be NULL */
};

/* The event as a message to the topic of events, keyed by the request, or of audits, keyed by the exporter;
 * signed now with `key`. NULL with a fault. */
struct outgoing *event_message(const struct config *config, const json_t *key, const struct event *event,
                               struct fault *fault) __attribute__((warn_unused_result));

/* The event in structured JSON (CloudEvents 1.0), with its signature as the extension attribute
 * `dsarsignature`: what `dsard once` leaves and `dsarctl watch --save` writes. A new reference; NULL with a
 * fault. */
json_t *event_json(const struct config *config, const json_t *key, const struct event *event,
                   struct fault *fault) __attribute__((warn_unused_result));

/* A fresh random UUID (RFC 9562, version 4). */
int event_uuid(char uuid[37], struct fault *fault) __attribute__((warn_unused_result));

/* The UUID of the one event of a type that a request can have (version 8: SHA-256 of both), so that it is the same
 * however often the event is made. */
int event_uuid_of(char uuid[37], enum event_type type, const char *request, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
