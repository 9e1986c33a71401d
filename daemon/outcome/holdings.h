/* holdings: the partitions that this worker has been given, and in which membership of the consumer group.
 *
 * A part of the desk, under its lock: not thread-safe. For this room only.
 */
#ifndef DSAR_OUTCOME_HOLDINGS_H
#define DSAR_OUTCOME_HOLDINGS_H

#include "config/config.h"
#include "outcome/item.h"
#include "outcome/offsets.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

enum partition_kind { PARTITION_REQUESTS, PARTITION_RETRY, PARTITION_CONTROL };

struct partition {
    struct partition *next;
    char *topic;
    int32_t number;
    enum partition_kind kind;
    const struct retry_tier *tier; /* PARTITION_RETRY */
    bool owned;
    bool paused;
    uint64_t epoch;          /* raised whenever it comes or goes */
    struct offsets *offsets; /* NULL when not owned */
};

/* A membership of the consumer group: kept while a batch still speaks for it. */
struct membership {
    unsigned n_users;
    rd_kafka_consumer_group_metadata_t *group;
};

struct holdings {
    const struct config *config;
    struct partition *partitions;
    struct membership *membership; /* NULL before the first assignment */
};

void holdings_wipe(struct holdings *holdings);

/* Takes over partitions with what is committed for them and `group`; sets the offsets to read from. */
int holdings_take(struct holdings *holdings, rd_kafka_topic_partition_list_t *partitions,
                  rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
    __attribute__((warn_unused_result));

void holdings_give_up(struct holdings *holdings, const rd_kafka_topic_partition_list_t *partitions);

/* NULL when it was never ours. */
struct partition *holdings_find(const struct holdings *holdings, const char *topic, int32_t number);

/* NULL is harmless. */
void membership_leave(struct membership *membership);

/* Adds what a commit says of the partition to the list. */
int partition_commit(const struct partition *partition, rd_kafka_topic_partition_list_t *offsets,
                     struct fault *fault) __attribute__((warn_unused_result));

/* Whether the item's partition is no longer ours, or no longer in the same turn. */
bool item_is_orphan(const struct item *item);

#endif
