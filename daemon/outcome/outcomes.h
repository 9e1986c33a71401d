/* outcomes: the messages into which it turns what became of a request: events, audit records, parked requests, dead
 * letters. Thread-safe.
 *
 * Functions that take an item put their messages among its answers and say what its outcome is. On failure some of the
 * messages may be there.
 */
#ifndef DSAR_OUTCOME_OUTCOMES_H
#define DSAR_OUTCOME_OUTCOMES_H

#include "outcome/exporter.h"
#include "outcome/item.h"
#include "outcome/outgoing.h"
#include "outcome/parking.h"
#include "outcome/receipt.h"

/* What the messages are about. */
struct about {
    const struct exporter *exporter;
    const char *request;
    const char *traceparent; /* of the message that is answered; may be NULL */
};

/* `accepted` or `progress`, which are no outcome yet; `extension` is taken over and goes into extensions.dsard; NULL for
 * none. NULL with a fault. */
struct outgoing *outcomes_notice(const struct about *about, enum event_type type, int64_t due_unix_s,
                                 json_t *extension, struct fault *fault) __attribute__((warn_unused_result));

/* The terminal event of a receipt, the same however often it is made, and its audit record. */
int outcomes_receipt(const struct about *about, const struct receipt *receipt, struct item *item,
                     struct fault *fault) __attribute__((warn_unused_result));

/* `repeated`: another message asked the same before. `first` is its receipt; NULL while it has none. */
int outcomes_repeated(const struct about *about, const struct receipt *first, struct item *item,
                      struct fault *fault) __attribute__((warn_unused_result));

/* `retrying`, and the message for its next attempt, which is made on `tier`. `why` says what is wrong. */
struct retry {
    const struct parked *parked;
    const struct retry_tier *tier;
    int64_t due_unix_s;
    const struct fault *why;
};
int outcomes_parked(const struct about *about, const struct retry *retry, struct item *item,
                    struct fault *fault) __attribute__((warn_unused_result));

/* `expired`, since the request was withdrawn after its end, and its audit record. */
int outcomes_revoked(const struct about *about, struct item *item, struct fault *fault)
    __attribute__((warn_unused_result));

/* A dead letter, which is logged. */
int outcomes_dead(const struct exporter *exporter, const struct fault *why, struct item *item,
                  struct fault *fault) __attribute__((warn_unused_result));

#endif
