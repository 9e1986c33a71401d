#include "base/clock.h"
#include "outcome/dead.h"

#include "test_kafka.h"

#define ID "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"

static char requests[] = "requests", dead_topic[] = "dead", group[] = "dsard";
static const struct config config = {.kafka = {.group = group, .topics = {.dead = dead_topic}}};
static const struct fault why = {.code = "unsigned", .text = "the message has no signature"};

struct header {
    const char *name;
    const void *value;
    size_t len;
};

#define TEXT(text)  text, sizeof(text) - 1
#define COUNT(list) (sizeof(list) / sizeof *(list))

struct stage {
    struct test_kafka kafka;
    rd_kafka_message_t *read[16]; /* librdkafka's consumer does not end before them */
    size_t n_read;
};

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    if (!stage)
        return -1;
    test_kafka_open(&stage->kafka);
    rd_kafka_mock_topic_create(stage->kafka.cluster, requests, 1, 1);
    rd_kafka_mock_topic_create(stage->kafka.cluster, dead_topic, 2, 1);
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    for (size_t i = 0; i < stage->n_read; i++)
        rd_kafka_message_destroy(stage->read[i]);
    test_kafka_close(&stage->kafka);
    free(stage);
    return 0;
}

/* Publishes a message, which it frees, and reads it back as Kafka gives it out, to be the stage's. */
static rd_kafka_message_t *publish(struct stage *stage, struct outgoing *message)
{
    const struct test_kafka *kafka = &stage->kafka;
    struct fault fault;
    rd_kafka_t *producer = test_client(kafka, RD_KAFKA_PRODUCER);
    message->partition = 0; /* where the consumer looks */
    assert_int_equal(outgoing_produce(message, producer, &fault), 0);
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    rd_kafka_destroy(producer);
    int64_t low, high;
    assert_int_equal(rd_kafka_query_watermark_offsets(kafka->consumer, message->topic, 0, &low, &high, 10000),
                     0);
    test_seek(kafka, message->topic, high - 1);
    outgoing_free(message);
    rd_kafka_message_t *read = test_next(kafka, 10000);
    assert_non_null(read);
    assert_true(stage->n_read < COUNT(stage->read));
    stage->read[stage->n_read++] = read;
    return read;
}

static struct outgoing *make(const char *topic, const void *key, size_t key_len, const void *value,
                             size_t len, const struct header *headers, size_t n_headers)
{
    struct fault fault;
    struct outgoing *message = outgoing_new(topic, key, key_len, value, len, &fault);
    assert_non_null(message);
    for (size_t i = 0; i < n_headers; i++)
        assert_int_equal(outgoing_header(message, headers[i].name, headers[i].value, headers[i].len, &fault),
                         0);
    return message;
}

static void assert_header(const struct outgoing *letter, const char *name, const char *expected)
{
    const void *value;
    size_t len;
    assert_int_equal(rd_kafka_header_get_last(letter->headers, name, &value, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(value, expected, len);
}

static void assert_no_header(const struct outgoing *letter, const char *name)
{
    const void *value;
    size_t len;
    assert_int_equal(rd_kafka_header_get_last(letter->headers, name, &value, &len), RD_KAFKA_RESP_ERR__NOENT);
}

/* The headers are these in this order, byte for byte, and then only dsar-dead-*. */
static void assert_headers(const struct outgoing *message, const struct header *expected, size_t n)
{
    const char *name;
    const void *value;
    size_t len, i = 0;
    for (; rd_kafka_header_get_all(message->headers, i, &name, &value, &len) == 0; i++) {
        if (i >= n) {
            assert_int_equal(strncmp(name, "dsar-dead-", 10), 0);
            continue;
        }
        assert_string_equal(name, expected[i].name);
        assert_int_equal(len, expected[i].len);
        assert_true(!value == !expected[i].value);
        if (value)
            assert_memory_equal(value, expected[i].value, len);
    }
    assert_true(i >= n);
}

static struct outgoing *letter_of(const rd_kafka_message_t *message)
{
    struct fault fault;
    struct outgoing *letter = dead_letter(&config, message, &why, &fault);
    assert_non_null(letter);
    return letter;
}

/* --- letters --- */

static void a_letter_is_the_message_and_why(void **state)
{
    char text[24];
    const void *time;
    size_t len;
    int64_t unix_s, before_unix_s = clock_now_unix_s();
    rd_kafka_timestamp_type_t type;
    rd_kafka_message_t *message = publish(*state, make(requests, TEXT("key"), TEXT("value"), NULL, 0));
    struct outgoing *letter = letter_of(message);
    assert_string_equal(letter->topic, dead_topic);
    assert_int_equal(letter->partition, RD_KAFKA_PARTITION_UA);
    assert_int_equal(letter->key_len, 3);
    assert_memory_equal(letter->key, "key", 3);
    assert_int_equal(letter->value_len, 5);
    assert_memory_equal(letter->value, "value", 5);
    assert_header(letter, "dsar-dead-code", "unsigned");
    assert_header(letter, "dsar-dead-text", "the message has no signature");
    assert_header(letter, "dsar-dead-topic", "requests");
    assert_header(letter, "dsar-dead-partition", "0");
    assert_header(letter, "dsar-dead-offset", "0");
    snprintf(text, sizeof text, "%lld", (long long)rd_kafka_message_timestamp(message, &type));
    assert_header(letter, "dsar-dead-timestamp", text);
    assert_header(letter, "dsar-dead-timestamp-type", "CreateTime");
    assert_header(letter, "dsar-dead-consumer-group", "dsard");
    assert_int_equal(rd_kafka_header_get_last(letter->headers, "dsar-dead-time", &time, &len), 0);
    assert_int_equal(clock_parse(time, &unix_s, NULL), 0);
    assert_true(unix_s >= before_unix_s && unix_s <= clock_now_unix_s());
    assert_no_header(letter, "dsar-dead-bytes");
    outgoing_free(letter);
}

static void headers_stay_byte_for_byte_but_for_those_of_a_former_death(void **state)
{
    static const struct header sent[] = {{"dsar-dead-text", TEXT("alice@example.test")},
                                         {"ce_type", TEXT("x")},
                                         {"binary", TEXT("a\0\xff\nb")},
                                         {"twice", TEXT("1")},
                                         {"dsar-dead-settled", TEXT("replayed")},
                                         {"none", NULL, 0},
                                         {"empty", TEXT("")},
                                         {"twice", TEXT("2")},
                                         {"dsar-dead", TEXT("not ours")}};
    static const struct header kept[] = {{"ce_type", TEXT("x")},
                                         {"binary", TEXT("a\0\xff\nb")},
                                         {"twice", TEXT("1")},
                                         {"none", NULL, 0},
                                         {"empty", TEXT("")},
                                         {"twice", TEXT("2")},
                                         {"dsar-dead", TEXT("not ours")}};
    rd_kafka_message_t *message = publish(*state, make(requests, "", 0, "", 0, sent, COUNT(sent)));
    struct outgoing *letter = letter_of(message);
    assert_headers(letter, kept, COUNT(kept));
    assert_header(letter, "dsar-dead-text", "the message has no signature");
    assert_no_header(letter, "dsar-dead-settled");
    outgoing_free(letter);
}

/* Kafka refuses messages of a megabyte from a producer: such a letter would hold up every outcome of the worker. */
static void of_a_message_that_is_too_large_only_the_facts_are_kept(void **state)
{
    static const struct header headers[] = {{"ce_subject", TEXT("alice@example.test")}};
    rd_kafka_message_t *message =
        publish(*state, make(requests, TEXT(ID), TEXT("value"), headers, COUNT(headers)));
    char *large = calloc(1, DEAD_BYTES_MAX + 1);
    assert_non_null(large);
    void *payload = message->payload;
    message->payload = large;
    message->len = DEAD_BYTES_MAX + 1;
    struct outgoing *letter = letter_of(message);
    message->payload = payload;
    message->len = 5;
    assert_null(letter->key);
    assert_null(letter->value);
    assert_headers(letter, NULL, 0);
    assert_header(letter, "dsar-dead-bytes", "655361");
    assert_header(letter, "dsar-dead-sha256",
                  "5cc195044dbfa004d6e1770b2f5c92d2afc6a144f3fbb56860afc549dfb04586");
    assert_header(letter, "dsar-dead-offset", "0");
    rd_kafka_message_t *read = publish(*state, letter);
    struct dead_facts facts;
    struct dead_marker marker;
    assert_int_equal(dead_read(read, &facts, &marker), DEAD_LETTER);
    assert_false(facts.kept);
    assert_int_equal(facts.bytes, DEAD_BYTES_MAX + 1);
    assert_string_equal(facts.request, "");
    free(large);
}

/* --- and back --- */

static void a_letter_tells_its_facts_and_gives_the_message_back(void **state)
{
    static const struct header headers[] = {
        {"binary", TEXT("a\0b")}, {"none", NULL, 0}, {"twice", TEXT("1")}, {"twice", TEXT("2")}};
    struct fault fault;
    struct dead_facts facts;
    struct dead_marker marker;
    rd_kafka_message_t *message =
        publish(*state, make(requests, TEXT(ID), TEXT("\0value"), headers, COUNT(headers)));
    struct outgoing *letter = letter_of(message);
    rd_kafka_message_t *read = publish(*state, letter);
    assert_int_equal(dead_read(read, &facts, &marker), DEAD_LETTER);
    assert_int_equal(facts.place.partition, 0);
    assert_int_equal(facts.place.offset, 0);
    assert_int_equal(facts.state, DEAD_OPEN);
    assert_string_equal(facts.code, "unsigned");
    assert_string_equal(facts.text, "the message has no signature");
    assert_string_equal(facts.topic, "requests");
    assert_int_equal(facts.partition, 0);
    assert_int_equal(facts.offset, 0);
    assert_string_equal(facts.request, ID);
    assert_true(facts.kept);
    assert_int_equal(facts.bytes, 6);
    assert_true(facts.time_unix_s <= clock_now_unix_s() && facts.time_unix_s > clock_now_unix_s() - 60);

    struct outgoing *original = dead_original(read, "elsewhere", &fault);
    assert_non_null(original);
    assert_string_equal(original->topic, "elsewhere");
    assert_int_equal(original->key_len, sizeof ID - 1);
    assert_memory_equal(original->key, ID, sizeof ID - 1);
    assert_int_equal(original->value_len, 6);
    assert_memory_equal(original->value, "\0value", 6);
    assert_headers(original, headers, COUNT(headers));
    assert_no_header(original, "dsar-dead-code");
    outgoing_free(original);
}

static void what_is_missing_stays_missing_and_what_is_empty_empty(void **state)
{
    struct fault fault;
    for (int empty = 0; empty < 2; empty++) {
        const char *none = empty ? "" : NULL;
        rd_kafka_message_t *message = publish(*state, make(requests, none, 0, none, 0, NULL, 0));
        rd_kafka_message_t *read = publish(*state, letter_of(message));
        struct outgoing *original = dead_original(read, "elsewhere", &fault);
        assert_non_null(original);
        assert_int_equal(original->key != NULL, empty);
        assert_int_equal(original->value != NULL, empty);
        assert_int_equal(original->key_len + original->value_len, 0);
        outgoing_free(original);
    }
}

static void facts_are_fit_to_be_printed(void **state)
{
    static char long_text[600];
    memset(long_text, 'x', sizeof long_text);
    static const char *const keys[] = {"alice@example.test", "2C0E8F0A-6A58-4B0C-9D7E-0A1B2C3D4E5F", ID "0",
                                       "", "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5\n"};
    const struct header headers[] = {{"dsar-dead-code", TEXT("a\nb\x1b[2J\x9b\xc3\xa9\x7f")},
                                     {"dsar-dead-text", long_text, sizeof long_text},
                                     {"dsar-dead-topic", TEXT("t")},
                                     {"dsar-dead-partition", TEXT("2147483648")},
                                     {"dsar-dead-offset", TEXT("-1")},
                                     {"dsar-dead-bytes", TEXT("1x")},
                                     {"dsar-dead-time", TEXT("yesterday")}};
    struct dead_facts facts;
    struct dead_marker marker;
    for (size_t i = 0; i < COUNT(keys); i++) {
        rd_kafka_message_t *read =
            publish(*state, make(dead_topic, keys[i], strlen(keys[i]), TEXT("v"), headers, COUNT(headers)));
        assert_int_equal(dead_read(read, &facts, &marker), DEAD_LETTER);
        assert_string_equal(facts.code, "a?b?[2J????");
        assert_int_equal(strlen(facts.text), FAULT_TEXT_MAX - 1);
        assert_string_equal(facts.request, "");
        assert_int_equal(facts.partition, -1);
        assert_int_equal(facts.offset, -1);
        assert_int_equal(facts.time_unix_s, 0);
        assert_true(facts.kept);
    }
}

/* --- markers --- */

static void a_marker_lies_behind_its_letter_and_says_which(void **state)
{
    static const enum dead_state states[] = {DEAD_REPLAYED, DEAD_DROPPED};
    struct fault fault;
    struct dead_facts facts;
    struct dead_marker marker;
    for (size_t i = 0; i < COUNT(states); i++) {
        const struct dead_marker settled = {.place = {1, 4711}, .state = states[i]};
        struct outgoing *message = dead_marker(dead_topic, &settled, &fault);
        assert_non_null(message);
        assert_int_equal(message->partition, 1);
        assert_null(message->key);
        assert_null(message->value);
        assert_header(message, "dsar-dead-settled", dead_state_name(states[i]));
        rd_kafka_message_t *read = publish(*state, message);
        assert_int_equal(dead_read(read, &facts, &marker), DEAD_MARKER);
        assert_int_equal(marker.state, states[i]);
        assert_int_equal(marker.place.partition, 1);
        assert_int_equal(marker.place.offset, 4711);
    }
}

static void only_markers_are_markers(void **state)
{
    static const struct header settled[] = {{"dsar-dead-settled", TEXT("replayed")},
                                            {"dsar-dead-settled-partition", TEXT("0")},
                                            {"dsar-dead-settled-offset", TEXT("0")}};
    static const struct header letter[] = {{"dsar-dead-settled", TEXT("replayed")},
                                           {"dsar-dead-code", TEXT("tombstone")}};
    const struct {
        const char *value;
        const struct header *headers;
        size_t n_headers;
        enum dead_kind kind;
    } rows[] = {{"value", settled, COUNT(settled), DEAD_OTHER},
                {NULL, settled, COUNT(settled), DEAD_MARKER},
                {NULL, letter, COUNT(letter), DEAD_LETTER},
                {NULL, settled + 1, 2, DEAD_OTHER},
                {"value", NULL, 0, DEAD_OTHER}};
    struct dead_facts facts;
    struct dead_marker marker;
    for (size_t i = 0; i < COUNT(rows); i++) {
        rd_kafka_message_t *read = publish(*state, make(dead_topic, NULL, 0, rows[i].value,
                                                        rows[i].value ? strlen(rows[i].value) : 0,
                                                        rows[i].headers, rows[i].n_headers));
        assert_int_equal(dead_read(read, &facts, &marker), rows[i].kind);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_letter_is_the_message_and_why),
        TEST(headers_stay_byte_for_byte_but_for_those_of_a_former_death),
        TEST(of_a_message_that_is_too_large_only_the_facts_are_kept),
        TEST(a_letter_tells_its_facts_and_gives_the_message_back),
        TEST(what_is_missing_stays_missing_and_what_is_empty_empty),
        TEST(facts_are_fit_to_be_printed),
        TEST(a_marker_lies_behind_its_letter_and_says_which),
        TEST(only_markers_are_markers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
