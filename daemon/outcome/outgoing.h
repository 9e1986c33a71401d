/* outgoing: a Kafka message that is to be published: an event, a dead letter, a request that is parked. Owned by one
 * thread at a time. */
#ifndef DSAR_OUTCOME_OUTGOING_H
#define DSAR_OUTCOME_OUTGOING_H

#include "base/fault.h"

#include <librdkafka/rdkafka.h>
#include <stddef.h>

struct outgoing {
    const char *topic; /* borrowed from the configuration */
    int32_t partition; /* RD_KAFKA_PARTITION_UA: the key decides */
    void *key;
    size_t key_len;
    void *value; /* NULL: a tombstone */
    size_t value_len;
    rd_kafka_headers_t *headers;
    struct outgoing *next; /* for lists */
};

/* A message without headers; key and value are copied. NULL with a fault without memory. */
struct outgoing *outgoing_new(const char *topic, const void *key, size_t key_len, const void *value,
                              size_t value_len, struct fault *fault) __attribute__((warn_unused_result));

/* Adds a header; the value is copied, NULL stands for none. */
int outgoing_header(struct outgoing *message, const char *name, const void *value, size_t len,
                    struct fault *fault) __attribute__((warn_unused_result));

/* Adds a header of text; NULL adds none. */
int outgoing_text(struct outgoing *message, const char *name, const char *text, struct fault *fault)
    __attribute__((warn_unused_result));

/* A message as it came (key, value, headers), bound for another topic; headers whose names begin with `without` are left
 * out. NULL with a fault without memory. */
struct outgoing *outgoing_forward(const char *topic, const rd_kafka_message_t *message, const char *without,
                                  struct fault *fault) __attribute__((warn_unused_result));

/* About how many bytes Kafka has to take for a message as it came. */
size_t outgoing_forward_size(const rd_kafka_message_t *message);

/* Wipes and frees the message and all behind it in its list. NULL is harmless. */
void outgoing_free(struct outgoing *message);

/* Hands a copy of the message to the producer. Fails with "kafka". */
int outgoing_produce(const struct outgoing *message, rd_kafka_t *producer, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
