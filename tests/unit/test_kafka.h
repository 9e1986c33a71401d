/* What the tests of the outcome share: librdkafka's mock cluster, and real messages from it. */
#ifndef DSAR_TEST_KAFKA_H
#define DSAR_TEST_KAFKA_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct test_kafka {
    rd_kafka_t *host;
    rd_kafka_mock_cluster_t *cluster;
    char brokers[256];
    rd_kafka_t *consumer;
};

static inline rd_kafka_t *test_client(const struct test_kafka *kafka, rd_kafka_type_t type)
{
    static const char *const properties[][2] = {{"log_level", "0"},
                                                {"group.id", "test"},
                                                {"fetch.wait.max.ms", "10"},
                                                {"auto.offset.reset", "earliest"},
                                                {"isolation.level", "read_committed"}};
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    size_t n = type == RD_KAFKA_CONSUMER ? 5 : 1;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof text), 0);
    if (*kafka->brokers)
        assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", kafka->brokers, text, sizeof text), 0);
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    assert_non_null(client);
    return client;
}

static inline void test_kafka_open(struct test_kafka *kafka)
{
    *kafka = (struct test_kafka){0};
    kafka->host = test_client(kafka, RD_KAFKA_PRODUCER);
    kafka->cluster = rd_kafka_mock_cluster_new(kafka->host, 1);
    assert_non_null(kafka->cluster);
    snprintf(kafka->brokers, sizeof kafka->brokers, "%s", rd_kafka_mock_cluster_bootstraps(kafka->cluster));
    kafka->consumer = test_client(kafka, RD_KAFKA_CONSUMER);
}

static inline void test_kafka_close(struct test_kafka *kafka)
{
    rd_kafka_destroy(kafka->consumer);
    rd_kafka_mock_cluster_destroy(kafka->cluster);
    rd_kafka_destroy(kafka->host);
}

/* Puts `n` messages on partition 0 of the topic, with the keys "0" to "9" again and again. */
static inline void test_produce(const struct test_kafka *kafka, const char *topic, size_t n)
{
    rd_kafka_t *producer = test_client(kafka, RD_KAFKA_PRODUCER);
    for (size_t i = 0; i < n; i++) {
        char key = (char)('0' + i % 10);
        assert_int_equal(rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(0),
                                           RD_KAFKA_V_KEY(&key, 1), RD_KAFKA_V_VALUE("value", 5),
                                           RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
                         0);
    }
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    rd_kafka_destroy(producer);
}

/* Reads on from `offset`. */
static inline void test_seek(const struct test_kafka *kafka, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
    assert_int_equal(rd_kafka_assign(kafka->consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The next message; NULL when none comes within `timeout_ms`. */
static inline rd_kafka_message_t *test_next(const struct test_kafka *kafka, int timeout_ms)
{
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka->consumer, timeout_ms);
        if (!message || !message->err)
            return message;
        rd_kafka_message_destroy(message);
    }
}

#endif
