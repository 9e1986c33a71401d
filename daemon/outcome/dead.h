/* dead: dead letters: messages that cannot be answered, with their original bytes and the reason. */
#ifndef DSAR_OUTCOME_DEAD_H
#define DSAR_OUTCOME_DEAD_H

#include "config/config.h"
#include "outcome/outgoing.h"

/* Larger messages leave only their facts: a letter that Kafka will not take would hold up all others. */
#define DEAD_BYTES_MAX (640 * 1024)

/* The message as it came (key, value, headers) to the topic of dead letters, with headers that say where it
 * lay and why it is there: dsar-dead-{code,text,topic,partition,offset,timestamp}. Of a message larger than
 * DEAD_BYTES_MAX only these and dsar-dead-{bytes,sha256} of its value are kept. `why` holds no personal data.
 * NULL with a fault. */
struct outgoing *dead_letter(const struct config *config, const rd_kafka_message_t *message,
                             const struct fault *why, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
