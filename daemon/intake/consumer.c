#include "intake/consumer.h"

#include "intake/client.h"

#include <stdlib.h>
#include <string.h>

#define COMMITTED_MS    10000
#define COMMITTED_TRIES 6

struct consumer {
    struct client_opaque opaque; /* first: log callbacks look for it */
    rd_kafka_t *client;
    struct consumer_callbacks callbacks;
    bool failed;
    struct fault fault;
};

int consumer_committed(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions,
                       struct fault *fault)
{
    rd_kafka_resp_err_t error = partitions->cnt
                                    ? rd_kafka_committed(consumer->client, partitions, COMMITTED_MS)
                                    : RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; !error && i < partitions->cnt; i++)
        error = partitions->elems[i].err;
    return error
               ? fault_retry(fault, "kafka", "committed offsets cannot be read: %s", rd_kafka_err2str(error))
               : 0;
}

/* The membership under which the partitions are held. NULL once we are no longer in the group: librdkafka then gives one
 * without a member, and brokers refuse nothing that is committed with that. Whether there is a member is asked afterwards:
 * there cannot be another one before the assignment is answered. */
static rd_kafka_consumer_group_metadata_t *take_membership(struct consumer *consumer)
{
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer->client);
    char *member = rd_kafka_memberid(consumer->client);
    const bool joined = member && *member;
    if (member)
        rd_kafka_mem_free(consumer->client, member);
    if (group && !joined) {
        rd_kafka_consumer_group_metadata_destroy(group);
        group = NULL;
    }
    return group;
}

static int read_committed_offsets(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions)
{
    for (unsigned tried = 1; consumer_committed(consumer, partitions, &consumer->fault); tried++) {
        log_fault(consumer->opaque.log, LOG_LEVEL_WARNING, NULL, "kafka consumer", &consumer->fault);
        if (tried == COMMITTED_TRIES)
            return -1;
    }
    return 0;
}

/* What takes time comes after the membership: if that is over by the end, what is committed with it is refused. */
static int take_assignment(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_consumer_group_metadata_t *group = take_membership(consumer);
    if (!group) {
        log_line(consumer->opaque.log, LOG_LEVEL_WARNING, NULL,
                 "kafka consumer: removed from the group before an assignment was taken; joining again");
        rd_kafka_assign(consumer->client, NULL);
        return 0;
    }
    if (read_committed_offsets(consumer, partitions)) {
        rd_kafka_consumer_group_metadata_destroy(group);
        return -1;
    }
    if (consumer->callbacks.assigned(consumer->callbacks.ctx, partitions, group, &consumer->fault))
        return -1;
    rd_kafka_resp_err_t error = rd_kafka_assign(consumer->client, partitions);
    if (error)
        return fault_retry(&consumer->fault, "kafka", "the assignment was not accepted: %s",
                           rd_kafka_err2str(error));
    return 0;
}

static void rebalance_cb(rd_kafka_t *client, rd_kafka_resp_err_t error,
                         rd_kafka_topic_partition_list_t *partitions, void *ctx)
{
    struct consumer *consumer = ctx;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        /* asked through rd_kafka_assign even then: the group must not wait for us */
        if (consumer->failed || take_assignment(consumer, partitions)) {
            consumer->failed = true;
            rd_kafka_assign(client, NULL);
        }
        return;
    }
    bool lost = error != RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS || rd_kafka_assignment_lost(client);
    consumer->callbacks.revoked(consumer->callbacks.ctx, partitions, lost);
    /* a partition stays paused when it is assigned again, and then nobody would resume it */
    rd_kafka_resume_partitions(client, partitions);
    rd_kafka_assign(client, NULL);
}

static int subscribe(struct consumer *consumer, const struct config *config, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(8);
    rd_kafka_topic_partition_list_add(topics, config->kafka.topics.requests, RD_KAFKA_PARTITION_UA);
    rd_kafka_topic_partition_list_add(topics, config->kafka.topics.control, RD_KAFKA_PARTITION_UA);
    for (size_t i = 0; i < config->retry.n_tiers; i++)
        rd_kafka_topic_partition_list_add(topics, config->retry.tiers[i].topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error ? fault_set(fault, "kafka", "topics cannot be subscribed to: %s", rd_kafka_err2str(error))
                 : 0;
}

int consumer_open(struct consumer **consumer, const struct config *config, struct log *log,
                  const struct consumer_callbacks *callbacks, struct fault *fault)
{
    /* `session.timeout.ms` and the like may be set by the configuration, so it is applied first */
    static const char *const properties[][2] = {
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"isolation.level", "read_committed"},
        {"partition.assignment.strategy", "range"},
        {"queued.min.messages", "10"},
        {"queued.max.messages.kbytes", "2048"},
    };
    struct consumer *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for a consumer");
    new->opaque = (struct client_opaque){.log = log, .name = "consumer"};
    new->callbacks = *callbacks;
    rd_kafka_conf_t *conf = NULL;
    if (client_conf(&conf, config, fault))
        goto failed;
    rd_kafka_conf_set_opaque(conf, new);
    rd_kafka_conf_set_rebalance_cb(conf, rebalance_cb);
    int bad = client_set(conf, "group.id", config->kafka.group, fault);
    for (size_t i = 0; !bad && i < sizeof properties / sizeof *properties; i++)
        bad = client_set(conf, properties[i][0], properties[i][1], fault);
    if (bad) {
        rd_kafka_conf_destroy(conf);
        goto failed;
    }
    new->client = client_new(RD_KAFKA_CONSUMER, conf, "consumer", fault);
    if (!new->client)
        goto failed;
    rd_kafka_poll_set_consumer(new->client);
    if (subscribe(new, config, fault))
        goto failed;
    *consumer = new;
    return 0;
failed:
    consumer_close(new);
    return -1;
}

int consumer_poll(struct consumer *consumer, int timeout_ms, rd_kafka_message_t **message,
                  struct fault *fault)
{
    *message = NULL;
    rd_kafka_message_t *next = rd_kafka_consumer_poll(consumer->client, timeout_ms);
    if (consumer->failed) {
        if (next)
            rd_kafka_message_destroy(next);
        *fault = consumer->fault;
        return -1;
    }
    if (!next)
        return 0;
    if (!next->err) {
        *message = next;
        return 0;
    }
    rd_kafka_resp_err_t error = next->err;
    char text[256];
    snprintf(text, sizeof text, "%s", rd_kafka_message_errstr(next));
    rd_kafka_message_destroy(next);
    if (error == RD_KAFKA_RESP_ERR__FATAL)
        return fault_set(fault, "kafka", "consumer: %s", text);
    if (error != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        log_line(consumer->opaque.log, LOG_LEVEL_WARNING, NULL, "kafka consumer: %s", text);
    return 0;
}

void consumer_pause(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions)
{
    if (partitions->cnt)
        rd_kafka_pause_partitions(consumer->client, partitions);
}

void consumer_resume(struct consumer *consumer, rd_kafka_topic_partition_list_t *partitions)
{
    if (partitions->cnt)
        rd_kafka_resume_partitions(consumer->client, partitions);
}

void consumer_leave(struct consumer *consumer)
{
    rd_kafka_consumer_close(consumer->client);
}

void consumer_close(struct consumer *consumer)
{
    if (!consumer)
        return;
    if (consumer->client)
        rd_kafka_destroy(consumer->client);
    free(consumer);
}
