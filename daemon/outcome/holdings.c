#include "outcome/holdings.h"

#include <stdlib.h>
#include <string.h>

void membership_leave(struct membership *membership)
{
    if (!membership || --membership->n_users)
        return;
    rd_kafka_consumer_group_metadata_destroy(membership->group);
    free(membership);
}

void holdings_wipe(struct holdings *holdings)
{
    while (holdings->partitions) {
        struct partition *partition = holdings->partitions;
        holdings->partitions = partition->next;
        offsets_free(partition->offsets);
        free(partition->topic);
        free(partition);
    }
    membership_leave(holdings->membership);
    holdings->membership = NULL;
}

struct partition *holdings_find(const struct holdings *holdings, const char *topic, int32_t number)
{
    struct partition *partition = holdings->partitions;
    while (partition && (partition->number != number || strcmp(partition->topic, topic) != 0))
        partition = partition->next;
    return partition;
}

static void find_kind(struct partition *partition, const struct config *config)
{
    partition->kind =
        strcmp(partition->topic, config->kafka.topics.control) == 0 ? PARTITION_CONTROL : PARTITION_REQUESTS;
    for (size_t i = 0; i < config->retry.n_tiers; i++) {
        if (strcmp(partition->topic, config->retry.tiers[i].topic) == 0) {
            partition->kind = PARTITION_RETRY;
            partition->tier = &config->retry.tiers[i];
        }
    }
}

static struct partition *make_partition(struct holdings *holdings, const char *topic, int32_t number)
{
    struct partition *partition = calloc(1, sizeof *partition);
    char *copy = strdup(topic);
    if (!partition || !copy) {
        free(partition);
        free(copy);
        return NULL;
    }
    *partition = (struct partition){.next = holdings->partitions, .topic = copy, .number = number};
    find_kind(partition, holdings->config);
    holdings->partitions = partition;
    return partition;
}

static int take_one(struct holdings *holdings, rd_kafka_topic_partition_t *assigned, struct fault *fault)
{
    struct partition *partition = holdings_find(holdings, assigned->topic, assigned->partition);
    if (!partition)
        partition = make_partition(holdings, assigned->topic, assigned->partition);
    if (!partition)
        return fault_retry(fault, "no_memory", "no memory for partition %s/%d", assigned->topic,
                           (int)assigned->partition);
    bool committed = assigned->offset >= 0;
    offsets_free(partition->offsets);
    partition->offsets = NULL;
    if (offsets_new(&partition->offsets, committed ? assigned->offset : 0,
                    committed ? assigned->metadata : NULL, assigned->metadata_size, fault))
        return fault_prefix(fault, "partition %s/%d", assigned->topic, (int)assigned->partition);
    partition->owned = true;
    partition->paused = false;
    partition->epoch++;
    if (!committed)
        assigned->offset = RD_KAFKA_OFFSET_BEGINNING;
    return 0;
}

int holdings_take(struct holdings *holdings, rd_kafka_topic_partition_list_t *partitions,
                  rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
{
    struct membership *membership = calloc(1, sizeof *membership);
    if (!membership) {
        rd_kafka_consumer_group_metadata_destroy(group);
        return fault_retry(fault, "no_memory", "no memory for a membership of the consumer group");
    }
    *membership = (struct membership){.n_users = 1, .group = group};
    membership_leave(holdings->membership);
    holdings->membership = membership;
    for (int i = 0; i < partitions->cnt; i++)
        if (take_one(holdings, &partitions->elems[i], fault))
            return -1;
    return 0;
}

void holdings_give_up(struct holdings *holdings, const rd_kafka_topic_partition_list_t *partitions)
{
    for (int i = 0; i < partitions->cnt; i++) {
        const rd_kafka_topic_partition_t *given = &partitions->elems[i];
        struct partition *partition = holdings_find(holdings, given->topic, given->partition);
        if (!partition)
            continue;
        partition->owned = false;
        partition->epoch++;
        offsets_free(partition->offsets);
        partition->offsets = NULL;
    }
}

int partition_commit(const struct partition *partition, rd_kafka_topic_partition_list_t *offsets,
                     struct fault *fault)
{
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(offsets, partition->topic, partition->number);
    struct buf text;
    buf_init(&text, OFFSETS_METADATA_MAX + 1);
    int result = offsets_metadata(partition->offsets, &text, fault);
    if (result == 0 && text.len) {
        element->metadata = strdup(text.data);
        element->metadata_size = text.len;
        if (!element->metadata)
            result = fault_retry(fault, "no_memory", "no memory for a commit");
    }
    element->offset = offsets_base(partition->offsets);
    buf_wipe(&text);
    return result;
}

bool item_is_orphan(const struct item *item)
{
    return !item->partition->owned || item->partition->epoch != item->epoch;
}
