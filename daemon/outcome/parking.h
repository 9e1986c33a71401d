/* parking: requests that wait on a retry topic for their next attempt.
 *
 * The message goes there as it came (key, value, headers) to the same partition, in the transaction that commits its
 * offset: exactly one message of a request is live at any time. What we know of it rides along in the header
 * `dsar-parked`: a compact JWS (RFC 7515) of the exporter's whose payload is a JSON object, since the topic may be
 * written to by others. It is bound to the message's value, its signature and the request. A message waits from the time that
 * Kafka keeps of it for as long as its topic says. Thread-safe.
 */
#ifndef DSAR_OUTCOME_PARKING_H
#define DSAR_OUTCOME_PARKING_H

#include "config/config.h"
#include "outcome/keyring.h"
#include "outcome/origin.h"
#include "outcome/outgoing.h"

#include <stdbool.h>

/* What rides along. */
struct parked {
    struct origin origin;
    int64_t received_unix_s; /* when the request first arrived */
    unsigned n_attempts;     /* that failed so far; at least 1 */
};

/* Larger messages are not parked: with our header they might be more than Kafka takes, which would hold up their
 * outcome for ever. librdkafka's producers take 1000000 bytes by default. */
#define PARKING_BYTES_MAX (900 * 1024)

/* Where the next attempt is made: on the tier for attempt number `n_attempts` + 1, or on a later one whose delay is
 * at least `retry_after_ms` if that is still in time. False when it would come too late: after the horizon (counted
 * from `received_unix_s`) or nearer than the margin to `due_unix_s`, both counted from `now_unix_s` plus the tier's
 * delay; and without tiers. */
bool parking_place(const struct config *config, const struct parked *parked, int64_t due_unix_s,
                   int64_t now_unix_s, int64_t retry_after_ms, const struct retry_tier **tier);

/* The message for the tier's topic; goes to the partition of the origin. NULL with a fault: "too_large" beyond
 * PARKING_BYTES_MAX. */
struct outgoing *parking_message(const struct retry_tier *tier, const rd_kafka_message_t *message,
                                 const char *request, const struct parked *parked,
                                 const struct keyring *keyring, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads what rides along with a message from a retry topic. The topic in `parked->origin` is owned by *json, which the
 * caller releases. Fails with "bad_parking" when it is missing or not ours: then the message is a dead letter.
 * Retryable: "unknown_kid", for another worker may have a newer key, and "no_memory". */
int parking_read(struct parked *parked, json_t **json, const rd_kafka_message_t *message, const char *request,
                 const struct keyring *keyring, struct fault *fault) __attribute__((warn_unused_result));

#endif
