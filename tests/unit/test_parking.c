#include "outcome/parking.h"

#include "base/b64url.h"
#include "base/jws.h"

#include "test_kafka.h"
#include "test_records.h"

#define ID       "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define OTHER_ID "3c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define NOW      INT64_C(1795420800) /* 2026-11-23T08:00:00Z */
#define HOUR     3600
#define DAY      86400
#define HEADER   "dsar-parked"

static char topics[][16] = {"retry.5m", "retry.1h", "retry.6h"};
static struct retry_tier tiers[] = {{topics[0], 300}, {topics[1], HOUR}, {topics[2], 6 * HOUR}};
/* not the partition that the key would decide for */
static const struct origin origin = {.topic = "requests", .partition = 0, .offset = 0};

/* --- when and where --- */

static const char *place(unsigned n_attempts, int64_t since_received_s, int64_t until_due_s,
                         int64_t retry_after_s, size_t n_tiers)
{
    const struct config config = {
        .retry = {.tiers = tiers, .n_tiers = n_tiers, .horizon_s = 7 * DAY, .margin_s = DAY}};
    const struct parked parked = {origin, NOW - since_received_s, n_attempts};
    const struct retry_tier *tier;
    return parking_place(&config, &parked, NOW + until_due_s, NOW, retry_after_s * 1000, &tier) ? tier->topic
                                                                                                : "";
}

static void the_next_attempt_is_made_later_each_time_until_it_is_too_late(void **state)
{
    static const struct {
        const char *expected;
        unsigned n_attempts;
        int64_t since_received_s, until_due_s, retry_after_s;
        size_t n_tiers;
    } rows[] = {
        {"retry.5m", 1, 0, 30 * DAY, 0, 3},
        {"retry.1h", 2, 400, 30 * DAY, 0, 3},
        {"retry.6h", 3, 5000, 30 * DAY, 0, 3},
        {"retry.6h", 4, 30000, 30 * DAY, 0, 3},
        {"retry.6h", 4000000000, 30000, 30 * DAY, 0, 3},
        {"", 1, 0, 30 * DAY, 0, 0},
        {"retry.5m", 9, 0, 30 * DAY, 0, 1},
        /* the horizon */
        {"retry.6h", 9, 7 * DAY - 6 * HOUR, 30 * DAY, 0, 3},
        {"", 9, 7 * DAY - 6 * HOUR + 1, 30 * DAY, 0, 3},
        /* the margin before the due time */
        {"retry.5m", 1, 0, DAY + 300, 0, 3},
        {"", 1, 0, DAY + 299, 0, 3},
        {"", 1, 0, -5, 0, 3},
        /* what sources ask for */
        {"retry.5m", 1, 0, 30 * DAY, 300, 3},
        {"retry.1h", 1, 0, 30 * DAY, 301, 3},
        {"retry.6h", 1, 0, 30 * DAY, 2 * HOUR, 3},
        {"retry.6h", 1, 0, 30 * DAY, 20 * DAY, 3},
        {"retry.1h", 2, 0, 30 * DAY, 10, 3},
        {"retry.1h", 1, 0, DAY + 2 * HOUR, 5 * HOUR, 3},
        {"retry.5m", 1, 0, DAY + 300, 5 * HOUR, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(place(rows[i].n_attempts, rows[i].since_received_s, rows[i].until_due_s,
                         rows[i].retry_after_s, rows[i].n_tiers),
                   rows[i].expected) != 0)
            fail_msg("row %zu", i);
}

/* --- there and back --- */

/* One cluster serves all tests, and one assignment: librdkafka takes a second for each. */
static struct test_kafka kafka;
static rd_kafka_t *producer;

struct world {
    struct stage *stage;
    rd_kafka_message_t *request; /* as it came; whoever alters it puts it back */
};

static void assign(rd_kafka_topic_partition_list_t *list)
{
    assert_int_equal(rd_kafka_assign(kafka.consumer, list), 0);
    rd_kafka_topic_partition_list_destroy(list);
}

/* The next message that was produced. */
static rd_kafka_message_t *receive(const char *topic)
{
    rd_kafka_message_t *message = test_next(&kafka, 10000);
    assert_non_null(message);
    assert_string_equal(rd_kafka_topic_name(message->rkt), topic);
    assert_int_equal(message->partition, 0);
    return message;
}

static void produce(struct outgoing *message)
{
    struct fault fault;
    assert_int_equal(outgoing_produce(message, producer, &fault), 0);
    assert_int_equal(rd_kafka_flush(producer, 10000), 0);
    outgoing_free(message);
}

static rd_kafka_message_t *make_request(void)
{
    struct fault fault;
    struct outgoing *message = outgoing_new("requests", ID, strlen(ID), "value", 5, &fault);
    assert_non_null(message);
    message->partition = 0;
    assert_int_equal(outgoing_text(message, "ce_type", "org.dsard.request.v1", &fault), 0);
    assert_int_equal(outgoing_text(message, HEADER, "of an earlier attempt", &fault), 0);
    assert_int_equal(outgoing_header(message, "nothing", NULL, 0, &fault), 0);
    produce(message);
    return receive("requests");
}

static int open_kafka(void **state)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    test_kafka_open(&kafka);
    rd_kafka_mock_topic_create(kafka.cluster, "requests", 2, 1);
    rd_kafka_topic_partition_list_add(list, "requests", 0)->offset = 0;
    for (size_t i = 0; i < 3; i++) {
        rd_kafka_mock_topic_create(kafka.cluster, topics[i], 2, 1);
        for (int32_t k = 0; k < 2; k++)
            rd_kafka_topic_partition_list_add(list, topics[i], k)->offset = 0;
    }
    producer = test_client(&kafka, RD_KAFKA_PRODUCER);
    assign(list);
    *state = make_request();
    return 0;
}

static int close_kafka(void **state)
{
    rd_kafka_message_destroy(*state);
    rd_kafka_destroy(producer);
    test_kafka_close(&kafka);
    return 0;
}

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *stage;
    if (!world || open_stage(&stage))
        return -1;
    world->stage = stage;
    world->request = *state;
    *state = world;
    return 0;
}

static int end_world(void **state)
{
    struct world *world = *state;
    void *stage = world->stage;
    free(world);
    return close_stage(&stage);
}

static struct outgoing *park(const struct world *world, const struct keyring *keyring)
{
    const struct parked parked = {origin, NOW, 2};
    struct fault fault;
    struct outgoing *message = parking_message(&tiers[1], world->request, ID, &parked, keyring, &fault);
    if (!message)
        fail_msg("%s", fault.text);
    return message;
}

static rd_kafka_message_t *parked_by(struct world *world, const struct keyring *keyring)
{
    produce(park(world, keyring));
    return receive(topics[1]);
}

static void assert_header(const rd_kafka_message_t *message, size_t at, const char *name, const char *value)
{
    rd_kafka_headers_t *headers;
    const char *found;
    const void *bytes;
    size_t len;
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_int_equal(rd_kafka_header_get_all(headers, at, &found, &bytes, &len), 0);
    assert_string_equal(found, name);
    assert_int_equal(len, value ? strlen(value) : 0);
    if (value)
        assert_memory_equal(bytes, value, len);
}

static void a_message_is_parked_as_it_came_and_says_where_from(void **state)
{
    struct world *world = *state;
    rd_kafka_message_t *message = parked_by(world, world->stage->keyring);
    rd_kafka_headers_t *headers;
    assert_int_equal(message->key_len, strlen(ID));
    assert_memory_equal(message->key, ID, message->key_len);
    assert_int_equal(message->len, 5);
    assert_memory_equal(message->payload, "value", 5);
    assert_header(message, 0, "ce_type", "org.dsard.request.v1");
    assert_header(message, 1, "nothing", NULL);
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_int_equal(rd_kafka_header_cnt(headers), 3);

    struct parked parked;
    struct fault fault;
    json_t *json;
    if (parking_read(&parked, &json, message, ID, world->stage->keyring, &fault))
        fail_msg("%s", fault.text);
    assert_true(origin_equal(&parked.origin, &origin));
    assert_int_equal(parked.received_unix_s, NOW);
    assert_int_equal(parked.n_attempts, 2);
    json_decref(json);
    rd_kafka_message_destroy(message);
}

static void what_a_retired_key_signed_still_counts(void **state)
{
    struct world *world = *state;
    json_t *ours;
    struct fault fault;
    char path[128];
    assert_int_equal(jwk_load_private(&ours, path_of(world->stage, "ours", path), JWK_SIGN, &fault), 0);
    write_set(world->stage, "retired", ours, NULL);
    json_decref(make_key(world->stage, "next"));
    struct keyring *next = load_ring(world->stage, "next", "retired");
    rd_kafka_message_t *message = parked_by(world, world->stage->keyring);
    struct parked parked;
    json_t *json;
    assert_int_equal(parking_read(&parked, &json, message, ID, next, &fault), 0);
    json_decref(json);
    rd_kafka_message_destroy(message);
    keyring_free(next);
    json_decref(ours);
}

static void assert_bad(const struct world *world, const rd_kafka_message_t *message, const char *request)
{
    struct parked parked;
    struct fault fault;
    json_t *json;
    assert_int_equal(parking_read(&parked, &json, message, request, world->stage->keyring, &fault), -1);
    /* a byte of the key's name may have been changed: such a key may yet become known */
    bool unknown = strcmp(fault.code, "unknown_kid") == 0;
    assert_int_equal(fault.retryable, unknown);
    if (!unknown)
        assert_string_equal(fault.code, "bad_parking");
    assert_null(json);
}

static void what_others_made_or_changed_is_refused(void **state)
{
    struct world *world = *state;
    struct keyring *other = new_ring(world->stage, "other");
    rd_kafka_message_t *message = parked_by(world, other);
    struct parked parked;
    struct fault fault;
    json_t *json;
    /* it may be an exporter's that this one has yet to learn of */
    assert_int_equal(parking_read(&parked, &json, message, ID, world->stage->keyring, &fault), -1);
    assert_string_equal(fault.code, "unknown_kid");
    assert_true(fault.retryable);
    assert_null(json);
    rd_kafka_message_destroy(message);
    keyring_free(other);

    message = parked_by(world, world->stage->keyring);
    assert_bad(world, message, OTHER_ID);
    ((char *)message->payload)[0] = 'V';
    assert_bad(world, message, ID);
    ((char *)message->payload)[0] = 'v';
    message->len--;
    assert_bad(world, message, ID);
    rd_kafka_message_destroy(message);
}

/* The header's text of a message that is parked rightly; to be freed. */
static char *good_header(const struct world *world)
{
    struct outgoing *message = park(world, world->stage->keyring);
    const void *value;
    size_t len;
    assert_int_equal(rd_kafka_header_get_last(message->headers, HEADER, &value, &len), 0);
    char *text = strndup(value, len);
    outgoing_free(message);
    return text;
}

static void assert_bad_header(struct world *world, const void *text, size_t len)
{
    struct fault fault;
    struct outgoing *message = outgoing_forward(topics[0], world->request, HEADER, &fault);
    assert_non_null(message);
    message->partition = 0;
    if (text)
        assert_int_equal(outgoing_header(message, HEADER, text, len, &fault), 0);
    produce(message);
    rd_kafka_message_t *read = receive(topics[0]);
    assert_bad(world, read, ID);
    rd_kafka_message_destroy(read);
}

/* A payload that the exporter signed, with the type that it signs such things with or another. */
static char *signed_by_us(const struct world *world, const char *type, const char *payload)
{
    struct buf detached, compact;
    struct fault fault;
    buf_init(&detached, JWS_MAX);
    buf_init(&compact, JWS_MAX);
    json_t *header = json_pack("{s:s,s:s}", "typ", type, "sub", ID);
    assert_int_equal(
        jws_sign(&detached, header, keyring_signer(world->stage->keyring), payload, strlen(payload), &fault),
        0);
    const char *dots = strstr(detached.data, "..");
    assert_int_equal(buf_append(&compact, detached.data, (size_t)(dots - detached.data) + 1, &fault), 0);
    assert_int_equal(b64url_encode(&compact, payload, strlen(payload), &fault), 0);
    assert_int_equal(buf_append_text(&compact, dots + 1, &fault), 0);
    char *text = strdup(compact.data);
    json_decref(header);
    buf_wipe(&detached);
    buf_wipe(&compact);
    return text;
}

static void headers_that_are_no_such_signature_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const texts[] = {"",      ".",    "..",    "...",         "a.b",
                                        "a.b.c", "a..c", "!.!.!", "e30.e30.e30", "\xff\xfe"};
    assert_bad_header(world, NULL, 0);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_bad_header(world, texts[i], strlen(texts[i]));
    char *good = good_header(world);
    size_t len = strlen(good);
    for (size_t at = 0; at < len; at += 7) {
        char *changed = strdup(good);
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        assert_bad_header(world, changed, len);
        free(changed);
    }
    assert_bad_header(world, good, len + 1); /* NUL */
    assert_bad_header(world, good, len - 1);
    char *large = malloc(100000);
    memset(large, 'A', 100000);
    assert_bad_header(world, large, 100000);
    free(large);
    free(good);
}

/* The value as it was parked, with a signature that it did not have. */
static void another_signature_is_refused(void **state)
{
    struct world *world = *state;
    struct outgoing *message = park(world, world->stage->keyring);
    struct fault fault;
    assert_int_equal(outgoing_text(message, "dsar-signature", "a..b", &fault), 0);
    produce(message);
    rd_kafka_message_t *read = receive(topics[1]);
    assert_bad(world, read, ID);
    rd_kafka_message_destroy(read);
}

static void what_we_signed_for_something_else_is_refused(void **state)
{
    struct world *world = *state;
#define DIGEST "cd42404d52ad55ccfa9aca4adc828aa5800ad9d385a0671fbcbf724118320619"
#define FACTS(received, attempts, digest)                                                                    \
    "{\"origin\":{\"topic\":\"t\",\"partition\":1,\"offset\":5},\"received\":\"" received                    \
    "\",\"attempts\":" attempts ",\"sha256\":\"" digest "\"}"
    static const struct {
        const char *type, *payload;
    } rows[] = {
        {"dsard-receipt", FACTS("2026-11-23T08:00:00Z", "1", DIGEST)},
        {"dsard-parked", "[]"},
        {"dsard-parked", "{}"},
        {"dsard-parked", "no"},
        {"dsard-parked", FACTS("yesterday", "1", DIGEST)},
        {"dsard-parked", FACTS("2026-11-23T08:00:00Z", "0", DIGEST)},
        {"dsard-parked", FACTS("2026-11-23T08:00:00Z", "-1", DIGEST)},
        {"dsard-parked", FACTS("2026-11-23T08:00:00Z", "\"1\"", DIGEST)},
        {"dsard-parked", FACTS("2026-11-23T08:00:00Z", "99999999999", DIGEST)},
        {"dsard-parked", FACTS("2026-11-23T08:00:00Z", "1", "00")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = signed_by_us(world, rows[i].type, rows[i].payload);
        assert_bad_header(world, text, strlen(text));
        free(text);
    }
}

static void what_kafka_might_not_take_is_not_parked(void **state)
{
    struct world *world = *state;
    const struct parked parked = {origin, NOW, 1};
    struct fault fault;
    void *payload = world->request->payload;
    char *large = calloc(1, PARKING_BYTES_MAX);
    assert_non_null(large);
    world->request->payload = large;
    world->request->len = PARKING_BYTES_MAX;
    assert_true(outgoing_forward_size(world->request) > PARKING_BYTES_MAX);
    assert_null(parking_message(&tiers[0], world->request, ID, &parked, world->stage->keyring, &fault));
    assert_string_equal(fault.code, "too_large");

    /* and what is parked, is taken */
    world->request->len -= 200;
    assert_true(outgoing_forward_size(world->request) <= PARKING_BYTES_MAX);
    struct outgoing *message = park(world, world->stage->keyring);
    produce(message);
    world->request->payload = payload;
    world->request->len = 5;
    free(large);
    rd_kafka_message_t *read = receive(topics[1]);
    assert_int_equal(read->len, PARKING_BYTES_MAX - 200);
    rd_kafka_message_destroy(read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_attempt_is_made_later_each_time_until_it_is_too_late),
        cmocka_unit_test_setup_teardown(a_message_is_parked_as_it_came_and_says_where_from, make_world,
                                        end_world),
        cmocka_unit_test_setup_teardown(what_a_retired_key_signed_still_counts, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_others_made_or_changed_is_refused, make_world, end_world),
        cmocka_unit_test_setup_teardown(headers_that_are_no_such_signature_are_refused, make_world,
                                        end_world),
        cmocka_unit_test_setup_teardown(another_signature_is_refused, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_we_signed_for_something_else_is_refused, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_kafka_might_not_take_is_not_parked, make_world, end_world),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
