/* dead: dead letters: messages that cannot be answered, with their original bytes and the reason; and the markers that
 * say which of them are settled, since Kafka deletes no single message.
 *
 * A letter's own facts are in headers dsar-dead-*, none of which holds personal data; all else of it is as it came.
 * Thread-safe.
 */
#ifndef DSAR_OUTCOME_DEAD_H
#define DSAR_OUTCOME_DEAD_H

#include "config/config.h"
#include "intake/request.h"
#include "outcome/outgoing.h"

#include <stdbool.h>
#include <stdint.h>

/* Larger messages leave only their facts: a letter that Kafka will not take would hold up all others. */
#define DEAD_BYTES_MAX (640 * 1024)

#define DEAD_TOPIC_LEN 249 /* the longest name that Kafka gives a topic */

/* The message as it came (key, value, headers) to the topic of dead letters, with headers that say where it lay, why
 * it is there and since when: dsar-dead-{code,text,topic,partition,offset,timestamp,timestamp-type,consumer-group,time}.
 * Of a message larger than DEAD_BYTES_MAX only these and dsar-dead-{bytes,sha256} of its value are kept. `why` holds no
 * personal data. NULL with a fault. */
struct outgoing *dead_letter(const struct config *config, const rd_kafka_message_t *message,
                             const struct fault *why, struct fault *fault)
    __attribute__((warn_unused_result));

enum dead_state { DEAD_OPEN, DEAD_REPLAYED, DEAD_DROPPED };

/* "open", "replayed", "dropped" */
const char *dead_state_name(enum dead_state state);

/* Where a letter lies in the topic of dead letters. */
struct dead_place {
    int32_t partition;
    int64_t offset;
};

/* What a letter says of itself. Texts are printable ASCII, '?' where they were not; "" where a header is missing. */
struct dead_facts {
    struct dead_place place;
    enum dead_state state; /* DEAD_OPEN: a letter does not know */
    char code[FAULT_CODE_MAX];
    char text[FAULT_TEXT_MAX];
    int64_t time_unix_s;            /* when it became one; 0 when it does not say */
    char topic[DEAD_TOPIC_LEN + 1]; /* where the original lay */
    int32_t partition;              /* -1 when it does not say, as the next */
    int64_t offset;
    char request[REQUEST_ID_LEN + 1]; /* the key when it is a request's id: any other key could be anything */
    int64_t bytes;                    /* of the value */
    bool kept;                        /* false: the original was too large, and is not in the letter */
};

/* A letter that was dealt with. */
struct dead_marker {
    struct dead_place place;
    enum dead_state state;
};

enum dead_kind { DEAD_OTHER, DEAD_LETTER, DEAD_MARKER };

/* Reads a message of the topic of dead letters: `facts` are filled of a letter, `marker` of a marker, neither of
 * anything else. */
enum dead_kind dead_read(const rd_kafka_message_t *message, struct dead_facts *facts,
                         struct dead_marker *marker);

/* A message as it was before it became a letter, bound for `topic`, which must outlive it: key, value, and headers
 * without dsar-dead-*. NULL with a fault. */
struct outgoing *dead_original(const rd_kafka_message_t *message, const char *topic, struct fault *fault)
    __attribute__((warn_unused_result));

/* The marker for a letter in `topic`, which must outlive it: without key and value, with dsar-dead-settled{,-partition,
 * -offset}, bound for the partition of the letter, so that it outlives the letter. NULL with a fault. */
struct outgoing *dead_marker(const char *topic, const struct dead_marker *marker, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
