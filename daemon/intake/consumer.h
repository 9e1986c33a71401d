/* consumer: takes messages from Kafka: requests, those that were put off, and cancels.
 *
 * One thread uses it, but for consumer_committed. Rebalances are told through two callbacks, from within consumer_poll and
 * consumer_close. The assignor is eager (`range`), since librdkafka before 2.10 loses assignments in
 * cooperative rebalances.
 */
#ifndef DSAR_INTAKE_CONSUMER_H
#define DSAR_INTAKE_CONSUMER_H

#include "base/log.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>

struct consumer;

struct consumer_callbacks {
    /* These partitions are ours now. Each element carries what is committed: offset (below 0: nothing) and
     * metadata. The callee may change the offsets, from which reading then starts. `group` identifies this
     * membership for transactional commits; it is the callee's to destroy. -1 with a fault stops the
     * consumer. */
    int (*assigned)(void *ctx, rd_kafka_topic_partition_list_t *partitions,
                    rd_kafka_consumer_group_metadata_t *group, struct fault *fault);
    /* These are no longer ours once this returns; with `lost` they already are not, and nothing can be
     * committed. */
    void (*revoked)(void *ctx, const rd_kafka_topic_partition_list_t *partitions, bool lost);
    void *ctx;
};

int consumer_open(struct consumer **consumer, const struct config *config, struct log *log,
                  const struct consumer_callbacks *callbacks, struct fault *fault)
    __attribute__((warn_unused_result));

/* The next message within `timeout_ms`, to be destroyed by the caller; NULL when there is none. Temporary
 * errors are logged and passed over; a fatal one, or one of a callback, gives -1. */
int consumer_poll(struct consumer *consumer, int timeout_ms, rd_kafka_message_t **message,
                  struct fault *fault) __attribute__((warn_unused_result));

/* Stops taking messages from partitions, or goes on. What was fetched ahead may still come, or come again. */
void consumer_pause(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions);
void consumer_resume(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions);

/* Asks what is committed now for the partitions: fills each element's offset and metadata. Offsets of transactions
 * that have not ended are waited for. Fails with "kafka", retryable. For any thread. */
int consumer_committed(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions,
                       struct fault *fault) __attribute__((warn_unused_result));

/* Leaves the group; revoked is called. Messages may still be in hand. */
void consumer_leave(struct consumer *consumer);

/* Frees. All messages must have been destroyed. NULL is harmless. */
void consumer_close(struct consumer *consumer);

#endif
