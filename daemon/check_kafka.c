#include "check_parts.h"

#include "intake/client.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_MS 10000

/* What the brokers say, and how the configuration's topics stand in it. */
struct kafka {
    const struct config *config;
    rd_kafka_t *client;
    const rd_kafka_metadata_t *metadata;
    int n_partitions; /* of the requests' topic */
    size_t n_topics;
    int result;
};

static void bad(struct kafka *kafka, const struct fault *fault)
{
    kafka->result = check_bad("kafka", fault);
}

/* NULL after having said why there is none that can be used. */
static const rd_kafka_metadata_topic_t *find_topic(struct kafka *kafka, const char *name)
{
    struct fault fault;
    for (int i = 0; i < kafka->metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &kafka->metadata->topics[i];
        if (strcmp(topic->topic, name) != 0)
            continue;
        if (!topic->err)
            return topic;
        fault_set(&fault, "kafka_topic", "topic %s: %s", name, rd_kafka_err2str(topic->err));
        bad(kafka, &fault);
        return NULL;
    }
    fault_set(&fault, "kafka_topic", "topic %s: it does not exist, or we may not see it", name);
    bad(kafka, &fault);
    return NULL;
}

static void try_topic(struct kafka *kafka, const char *name)
{
    struct fault fault;
    const rd_kafka_metadata_topic_t *topic = find_topic(kafka, name);
    kafka->n_topics++;
    for (int i = 0; topic && i < topic->partition_cnt; i++) {
        if (topic->partitions[i].leader >= 0)
            continue;
        fault_set(&fault, "kafka_topic", "topic %s: partition %d has no leader", name,
                  topic->partitions[i].id);
        bad(kafka, &fault);
    }
}

/* A request, its retries and its cancel meet at one worker only where these topics have equally many. */
static void try_partitioned(struct kafka *kafka, const char *name)
{
    struct fault fault;
    try_topic(kafka, name);
    for (int i = 0; i < kafka->metadata->topic_cnt; i++) {
        const rd_kafka_metadata_topic_t *topic = &kafka->metadata->topics[i];
        if (strcmp(topic->topic, name) != 0 || topic->err)
            continue;
        if (!kafka->n_partitions)
            kafka->n_partitions = topic->partition_cnt;
        if (topic->partition_cnt == kafka->n_partitions)
            continue;
        fault_set(&fault, "kafka_topic", "topic %s: expected %d partitions as topic %s has, not %d", name,
                  kafka->n_partitions, kafka->config->kafka.topics.requests, topic->partition_cnt);
        bad(kafka, &fault);
    }
}

static void try_topics(struct kafka *kafka)
{
    const struct topics_config *topics = &kafka->config->kafka.topics;
    const struct retry_config *retry = &kafka->config->retry;
    try_partitioned(kafka, topics->requests);
    try_partitioned(kafka, topics->control);
    for (size_t i = 0; i < retry->n_tiers; i++)
        try_partitioned(kafka, retry->tiers[i].topic);
    try_topic(kafka, topics->events);
    try_topic(kafka, topics->dead);
    try_topic(kafka, topics->audit);
}

/* Reading offsets shows that the group may be used, without joining it. */
static void try_group(struct kafka *kafka)
{
    struct fault fault;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, kafka->config->kafka.topics.requests, 0);
    rd_kafka_resp_err_t error = rd_kafka_committed(kafka->client, list, ANSWER_MS);
    if (!error)
        error = list->elems[0].err;
    if (error) {
        fault_set(&fault, "kafka_group", "group %s: offsets cannot be read: %s", kafka->config->kafka.group,
                  rd_kafka_err2str(error));
        bad(kafka, &fault);
    }
    rd_kafka_topic_partition_list_destroy(list);
}

static void try_brokers(struct kafka *kafka)
{
    struct fault fault;
    /* asked for all: a topic that is asked for by its name may be made by that */
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka->client, 1, NULL, &kafka->metadata, ANSWER_MS);
    if (error) {
        fault_set(&fault, "kafka", "no answer from %s: %s", kafka->config->kafka.brokers,
                  rd_kafka_err2str(error));
        bad(kafka, &fault);
        return;
    }
    try_topics(kafka);
    if (!kafka->result)
        try_group(kafka);
    if (!kafka->result) {
        char says[100];
        snprintf(says, sizeof says, "%d brokers, %zu topics, %d partitions", kafka->metadata->broker_cnt,
                 kafka->n_topics, kafka->n_partitions);
        check_good("kafka", says);
    }
    rd_kafka_metadata_destroy(kafka->metadata);
}

int check_kafka(const struct config *config, struct log *log)
{
    struct client_opaque opaque = {.log = log, .name = "check"};
    struct kafka kafka = {.config = config};
    rd_kafka_conf_t *conf;
    struct fault fault;
    if (!config->kafka.brokers) {
        printf("  %-16s not configured\n", "kafka");
        return 0;
    }
    if (client_conf(&conf, config, &fault))
        return check_bad("kafka", &fault);
    rd_kafka_conf_set_opaque(conf, &opaque);
    if (client_set(conf, "group.id", config->kafka.group, &fault)) {
        rd_kafka_conf_destroy(conf);
        return check_bad("kafka", &fault);
    }
    kafka.client = client_new(RD_KAFKA_CONSUMER, conf, "check", &fault);
    if (!kafka.client)
        return check_bad("kafka", &fault);
    try_brokers(&kafka);
    rd_kafka_destroy(kafka.client);
    return kafka.result;
}
