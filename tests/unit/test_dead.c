#include "outcome/dead.h"

#include "test_kafka.h"

static char dead_topic[] = "dead";
static const struct config config = {.kafka = {.topics = {.dead = dead_topic}}};
static const struct fault why = {.code = "unsigned", .text = "the message has no signature"};

static void assert_header(const struct outgoing *letter, const char *name, const char *expected)
{
    const void *value;
    size_t len;
    assert_int_equal(rd_kafka_header_get_last(letter->headers, name, &value, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(value, expected, len);
}

static rd_kafka_message_t *one_message(struct test_kafka *kafka)
{
    test_kafka_open(kafka);
    rd_kafka_mock_topic_create(kafka->cluster, "requests", 1, 1);
    test_produce(kafka, "requests", 1);
    test_seek(kafka, "requests", 0);
    rd_kafka_message_t *message = test_next(kafka, 10000);
    assert_non_null(message);
    return message;
}

static void a_letter_is_the_message_and_why(void **state)
{
    struct test_kafka kafka;
    struct fault fault;
    rd_kafka_message_t *message = one_message(&kafka);
    struct outgoing *letter = dead_letter(&config, message, &why, &fault);
    assert_non_null(letter);
    assert_string_equal(letter->topic, "dead");
    assert_int_equal(letter->key_len, 1);
    assert_memory_equal(letter->key, "0", 1);
    assert_int_equal(letter->value_len, 5);
    assert_memory_equal(letter->value, "value", 5);
    assert_header(letter, "dsar-dead-code", "unsigned");
    assert_header(letter, "dsar-dead-text", "the message has no signature");
    assert_header(letter, "dsar-dead-topic", "requests");
    assert_header(letter, "dsar-dead-partition", "0");
    assert_header(letter, "dsar-dead-offset", "0");
    outgoing_free(letter);
    rd_kafka_message_destroy(message);
    test_kafka_close(&kafka);
}

/* Kafka refuses messages of a megabyte from a producer: such a letter would hold up every outcome of the worker. */
static void of_a_message_that_is_too_large_only_the_facts_are_kept(void **state)
{
    struct test_kafka kafka;
    struct fault fault;
    rd_kafka_message_t *message = one_message(&kafka);
    char *large = calloc(1, DEAD_BYTES_MAX + 1);
    assert_non_null(large);
    void *payload = message->payload;
    message->payload = large;
    message->len = DEAD_BYTES_MAX + 1;
    struct outgoing *letter = dead_letter(&config, message, &why, &fault);
    message->payload = payload;
    message->len = 5;
    assert_non_null(letter);
    assert_null(letter->key);
    assert_null(letter->value);
    assert_header(letter, "dsar-dead-bytes", "655361");
    assert_header(letter, "dsar-dead-sha256",
                  "5cc195044dbfa004d6e1770b2f5c92d2afc6a144f3fbb56860afc549dfb04586");
    assert_header(letter, "dsar-dead-offset", "0");
    outgoing_free(letter);
    free(large);
    rd_kafka_message_destroy(message);
    test_kafka_close(&kafka);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_is_the_message_and_why),
        cmocka_unit_test(of_a_message_that_is_too_large_only_the_facts_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
