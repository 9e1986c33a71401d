/* A desk and messages on it, from librdkafka's mock cluster, for tests. */
#ifndef DSAR_TEST_DESK_H
#define DSAR_TEST_DESK_H

#include "base/clock.h"
#include "outcome/desk.h"

#include "test_kafka.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#define TOPIC      "requests"
#define CONTROL    "control"
#define RETRY      "retry"
#define N_MESSAGES 200

static struct test_kafka kafka;

/* Two requests at a time, so four in hand. */
static inline struct config make_config(void)
{
    static char requests[] = TOPIC, control[] = CONTROL, retry[] = RETRY;
    static struct retry_tier tier = {.topic = retry, .delay_s = 1};
    return (struct config){
        .kafka = {.topics = {.requests = requests, .control = control}, .open_ranges = 200},
        .work = {.concurrent_requests = 2, .parked_max = 4},
        .retry = {.tiers = &tier, .n_tiers = 1, .margin_s = 3600}};
}

static struct config config;

static inline int open_kafka(void **state)
{
    test_kafka_open(&kafka);
    static const char *const topics[] = {TOPIC, CONTROL, RETRY};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        rd_kafka_mock_topic_create(kafka.cluster, topics[i], 1, 1);
        test_produce(&kafka, topics[i], N_MESSAGES);
    }
    return 0;
}

static inline int close_kafka(void **state)
{
    test_kafka_close(&kafka);
    return 0;
}

static inline void assign_of(struct desk *desk, const char *topic, int64_t offset, const char *metadata)
{
    struct fault fault;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(list, topic, 0);
    partition->offset = offset;
    if (metadata) {
        partition->metadata = strdup(metadata);
        partition->metadata_size = strlen(metadata);
    }
    assert_int_equal(desk_assign(desk, list, rd_kafka_consumer_group_metadata_new("group"), &fault), 0);
    assert_int_equal(partition->offset, offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : offset);
    rd_kafka_topic_partition_list_destroy(list);
}

static inline void assign(struct desk *desk, int64_t offset, const char *metadata)
{
    assign_of(desk, TOPIC, offset, metadata);
}

static inline void give_up(struct desk *desk, bool lost, int wait_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    desk_revoke(desk, list, lost, wait_ms);
    rd_kafka_topic_partition_list_destroy(list);
}

static inline int set_up(void **state)
{
    struct fault fault;
    struct desk *desk = NULL;
    config = make_config();
    if (desk_new(&desk, &config, &fault))
        return -1;
    assign(desk, RD_KAFKA_OFFSET_INVALID, NULL);
    *state = desk;
    return 0;
}

static inline int tear_down(void **state)
{
    desk_free(*state);
    return 0;
}

/* Puts the message at `offset` of the topic on the desk. */
static inline void put_of(struct desk *desk, const char *topic, int64_t offset, int64_t due_unix_s)
{
    struct fault fault;
    test_seek(&kafka, topic, offset);
    rd_kafka_message_t *message = test_next(&kafka, 10000);
    assert_non_null(message);
    assert_int_equal(message ? message->offset : -1, offset);
    assert_int_equal(desk_put(desk, message, due_unix_s, &fault), 0);
}

static inline void put(struct desk *desk, int64_t offset)
{
    put_of(desk, TOPIC, offset, 0);
}

static inline struct desk_census census_of(struct desk *desk)
{
    struct desk_census census;
    desk_count(desk, &census);
    return census;
}

/* Expects that reading from `n_pause` partitions is stopped and from `n_resume` begun again; the first is `topic`. */
static inline void expect_flow(struct desk *desk, int n_pause, int n_resume, const char *topic)
{
    struct fault fault;
    struct desk_flow flow;
    assert_int_equal(desk_flow(desk, &flow, &fault), 0);
    assert_int_equal(flow.pause->cnt, n_pause);
    assert_int_equal(flow.resume->cnt, n_resume);
    if (n_pause + n_resume)
        assert_string_equal((n_pause ? flow.pause : flow.resume)->elems[0].topic, topic);
    rd_kafka_topic_partition_list_destroy(flow.pause);
    rd_kafka_topic_partition_list_destroy(flow.resume);
}

static inline struct item *take(struct desk *desk, int64_t offset)
{
    struct item *item = desk_take(desk, DESK_REQUESTS);
    assert_non_null(item);
    assert_int_equal(item->message->offset, offset);
    return item;
}

static inline void answer(struct desk *desk, struct item *item)
{
    struct fault fault;
    item->answers = outgoing_new("events", "k", 1, "v", 1, &fault);
    assert_non_null(item->answers);
    item->fate = ITEM_DONE;
    desk_finish(desk, item);
}

static inline void take_batch(struct desk *desk, struct batch *batch, size_t n, int64_t base,
                              const char *metadata)
{
    assert_true(desk_batch(desk, 100, batch));
    assert_int_equal(batch->n_items, n);
    assert_int_equal(batch->offsets->cnt, 1);
    assert_string_equal(batch->offsets->elems[0].topic, TOPIC);
    assert_int_equal(batch->offsets->elems[0].offset, base);
    assert_int_equal(batch->offsets->elems[0].metadata_size, strlen(metadata));
    if (*metadata)
        assert_memory_equal(batch->offsets->elems[0].metadata, metadata, strlen(metadata));
    assert_non_null(batch->group);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
