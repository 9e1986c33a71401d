/* parking: requests that wait on a retry topic for their next attempt.
 *
 * The message goes there as it came (key, value, headers) to the same partition, in the transaction that commits its
 * offset: exactly one message of a request is live at any time. What we know of it rides along in the header
 * `dsar-parked`: a JSON object and the exporter's JWS over it, since the topic may be written to by others. A message
 * waits from the time that Kafka keeps of it for as long as its topic says. Thread-safe.
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

/* Where and when the next attempt is made: the tier for attempt number `n_attempts` + 1. False when it would come too
 * late: after the horizon (counted from `received_unix_s`) or nearer than the margin to `due_unix_s`, or without tiers.
 * Both settings are counted from `now_unix_s` plus the tier's delay. */
bool parking_place(const struct config *config, const struct parked *parked, int64_t due_unix_s,
                   int64_t now_unix_s, const struct retry_tier **tier);

/* The message for the tier's topic; goes to the partition of the origin. NULL with a fault. */
struct outgoing *parking_message(const struct retry_tier *tier, const rd_kafka_message_t *message,
                                 const char *request, const struct parked *parked,
                                 const struct keyring *keyring, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads what rides along with a message from a retry topic. The topic in `parked->origin` is owned by *json, which the
 * caller releases. Fails with "bad_parking" when it is missing or not ours: then the message is a dead letter. */
int parking_read(struct parked *parked, json_t **json, const rd_kafka_message_t *message, const char *request,
                 const struct keyring *keyring, struct fault *fault) __attribute__((warn_unused_result));

#endif
