#include "outcome/publisher.h"

#include "test_kafka.h"

/* Request types and error codes of Kafka's protocol, as the mock cluster takes them. */
#define PRODUCE           0
#define END_TXN           26
#define TXN_OFFSET_COMMIT 28

struct stage {
    struct test_kafka kafka;
    struct config config;
    struct cancel *cancel;
    struct publisher *publisher;
    rd_kafka_consumer_group_metadata_t *group;
};

static int set_up(void **state)
{
    static char id[] = "dsard-test", group[] = "dsard", requests[] = "requests", events[] = "events",
                dead[] = "dead";
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    if (!stage)
        return -1;
    test_kafka_open(&stage->kafka);
    rd_kafka_mock_topic_create(stage->kafka.cluster, requests, 1, 1);
    rd_kafka_mock_topic_create(stage->kafka.cluster, events, 1, 1);
    rd_kafka_mock_topic_create(stage->kafka.cluster, dead, 1, 1);
    stage->config.kafka = (struct kafka_config){
        .brokers = stage->kafka.brokers,
        .group = group,
        .transactional_id = id,
        .topics = {.requests = requests, .events = events, .dead = dead, .control = events, .audit = events},
    };
    stage->group = rd_kafka_consumer_group_metadata_new(group);
    *state = stage;
    return cancel_new(&stage->cancel, &fault) ||
                   publisher_open(&stage->publisher, &stage->config, NULL, stage->cancel, &fault)
               ? -1
               : 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    publisher_close(stage->publisher);
    rd_kafka_consumer_group_metadata_destroy(stage->group);
    cancel_free(stage->cancel);
    test_kafka_close(&stage->kafka);
    free(stage);
    return 0;
}

static struct outgoing *message(const char *topic, const char *value)
{
    struct fault fault;
    struct outgoing *made = outgoing_new(topic, "key", 3, value, strlen(value), &fault);
    assert_non_null(made);
    assert_int_equal(outgoing_header(made, "ce_type", "x", 1, &fault), 0);
    return made;
}

/* Publishes one item with an event and a dead letter, and commits offset 1. */
static enum publisher_verdict publish(struct stage *stage, const char *value, struct fault *fault)
{
    struct item item = {.answers = message("events", value)};
    item.answers->next = message("dead", value);
    struct batch batch = {
        .items = &item, .n_items = 1, .offsets = rd_kafka_topic_partition_list_new(1), .group = stage->group};
    rd_kafka_topic_partition_list_add(batch.offsets, "requests", 0)->offset = 1;
    enum publisher_verdict verdict = publisher_commit(stage->publisher, &batch, stage->cancel, fault);
    rd_kafka_topic_partition_list_destroy(batch.offsets);
    outgoing_free(item.answers);
    return verdict;
}

static void expect_last(struct stage *stage, const char *topic, const char *value)
{
    rd_kafka_message_t *last = NULL, *next;
    rd_kafka_headers_t *headers;
    const void *header;
    size_t len;
    test_seek(&stage->kafka, topic, RD_KAFKA_OFFSET_BEGINNING);
    for (int timeout_ms = 10000; (next = test_next(&stage->kafka, timeout_ms)) != NULL; timeout_ms = 200) {
        if (last)
            rd_kafka_message_destroy(last);
        last = next;
    }
    assert_non_null(last);
    assert_int_equal(last->len, strlen(value));
    assert_memory_equal(last->payload, value, last->len);
    assert_int_equal(last->key_len, 3);
    assert_int_equal(rd_kafka_message_headers(last, &headers), 0);
    assert_int_equal(rd_kafka_header_get_last(headers, "ce_type", &header, &len), 0);
    assert_int_equal(len, 1);
    rd_kafka_message_destroy(last);
}

static void answers_and_offsets_are_committed(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    assert_int_equal(publish(stage, "one", &fault), PUBLISHER_COMMITTED);
    assert_int_equal(publish(stage, "two", &fault), PUBLISHER_COMMITTED);
    expect_last(stage, "events", "two");
    expect_last(stage, "dead", "two");
}

static void what_can_be_aborted_is_and_the_next_try_works(void **state)
{
    static const struct {
        int16_t request;
        rd_kafka_resp_err_t error;
    } faults[] = {{PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE},
                  {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION},
                  {TXN_OFFSET_COMMIT, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID}};
    struct stage *stage = *state;
    struct fault fault;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        rd_kafka_mock_push_request_errors(stage->kafka.cluster, faults[i].request, 1, faults[i].error);
        assert_int_equal(publish(stage, "one", &fault), PUBLISHER_ABORTED);
        assert_string_equal(fault.code, "kafka");
        assert_true(fault.retryable);
        enum publisher_verdict verdict = PUBLISHER_ABORTED;
        /* librdkafka spends one more transaction on the sequence number of a message that was refused */
        for (int tries = 0; verdict == PUBLISHER_ABORTED && tries < 2; tries++)
            verdict = publish(stage, "two", &fault);
        assert_int_equal(verdict, PUBLISHER_COMMITTED);
    }
    expect_last(stage, "events", "two");
}

static void what_passes_is_tried_again_within(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    rd_kafka_mock_push_request_errors(stage->kafka.cluster, TXN_OFFSET_COMMIT, 1,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    rd_kafka_mock_push_request_errors(stage->kafka.cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_NOT_COORDINATOR);
    assert_int_equal(publish(stage, "one", &fault), PUBLISHER_COMMITTED);
    expect_last(stage, "events", "one");
}

static void a_fenced_producer_can_do_no_more_until_it_is_renewed(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    rd_kafka_mock_push_request_errors(stage->kafka.cluster, END_TXN, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    assert_int_equal(publish(stage, "one", &fault), PUBLISHER_UNKNOWN);
    assert_int_equal(publish(stage, "two", &fault), PUBLISHER_UNKNOWN);
    assert_int_equal(publisher_renew(stage->publisher, stage->cancel, &fault), 0);
    assert_int_equal(publish(stage, "three", &fault), PUBLISHER_COMMITTED);
    expect_last(stage, "events", "three");
}

static void a_notice_needs_no_transaction(void **state)
{
    struct stage *stage = *state;
    publisher_notify(stage->publisher, message("events", "notice"));
    expect_last(stage, "events", "notice");
    publisher_notify(stage->publisher, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answers_and_offsets_are_committed), TEST(what_can_be_aborted_is_and_the_next_try_works),
        TEST(what_passes_is_tried_again_within), TEST(a_fenced_producer_can_do_no_more_until_it_is_renewed),
        TEST(a_notice_needs_no_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
