#include "outcome/reading.h"

#include "outcome/acceptance.h"

#include "test_portal.h"

#include <time.h>

static struct retry_tier tier = {topic_retry, 300};

static rd_kafka_message_t *parked(struct world *world, const rd_kafka_message_t *message)
{
    const struct parked facts = {{"requests", 0, 7}, CAME, 3};
    struct fault fault;
    struct outgoing *parking = parking_message(&tier, message, ID, &facts, world->stage->keyring, &fault);
    assert_non_null(parking);
    return send_message(parking);
}

static void assert_unreadable(const struct world *world, const struct item *item, const char *code)
{
    struct reading reading = {0};
    enum request_verdict verdict;
    struct fault why;
    assert_int_equal(reading_request(&reading, &world->exporter, item, &verdict, &why), -1);
    assert_string_equal(why.code, code);
    assert_false(why.retryable);
    reading_wipe(&reading);
}

static void read_well(const struct world *world, const struct item *item, struct reading *reading)
{
    enum request_verdict verdict;
    struct fault why;
    *reading = (struct reading){0};
    if (reading_request(reading, &world->exporter, item, &verdict, &why))
        fail_msg("%s", why.text);
    assert_int_equal(verdict, REQUEST_OK);
    assert_string_equal(reading->request->id, ID);
}

/* --- requests --- */

static void a_request_came_first_where_it_lies(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct reading reading;
    rd_kafka_message_t *message =
        send_message(write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY));
    struct item item = {.message = message, .received_unix_s = CAME};
    read_well(world, &item, &reading);
    assert_string_equal(reading.parked.origin.topic, "requests");
    assert_int_equal(reading.parked.origin.partition, 0);
    assert_int_equal(reading.parked.origin.offset, message->offset);
    assert_int_equal(reading.parked.received_unix_s, CAME);
    assert_int_equal(reading.parked.n_attempts, 0);
    assert_string_equal(reading.event->source, SOURCE);
    reading_wipe(&reading);
    assert_null(reading.request);

    /* the same bytes say nothing on a retry topic */
    item.tier = &tier;
    assert_unreadable(world, &item, "bad_parking");
    rd_kafka_message_destroy(message);
}

/* Signatures that expire, keys that are retired and due times that pass count from when it came first. */
static void a_parked_request_is_judged_by_when_it_came_first(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    const struct {
        const char *own, *code;
        int key;
        int64_t lifetime_s;
    } rows[] = {
        {"", "expired", PORTAL, 3600},
        {"", NULL, RETIRED, 30 * DAY},
        {DUE, "due_time_past", PORTAL, 30 * DAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reading reading = {0};
        rd_kafka_message_t *first = send_message(write_message(
            world, REQUEST_TYPE, request_with(world, rows[i].own, value), rows[i].key, rows[i].lifetime_s));
        rd_kafka_message_t *again = parked(world, first);
        struct item item = {.message = again, .received_unix_s = CAME + 2 * DAY, .tier = &tier};
        read_well(world, &item, &reading);
        assert_string_equal(reading.parked.origin.topic, "requests");
        assert_int_equal(reading.parked.origin.offset, 7);
        assert_int_equal(reading.parked.received_unix_s, CAME);
        assert_int_equal(reading.parked.n_attempts, 3);
        reading_wipe(&reading);

        /* as it would be if it came only now */
        struct item late = {.message = first, .received_unix_s = CAME + 2 * DAY};
        enum request_verdict verdict = REQUEST_OK;
        struct fault why = {0};
        int result = reading_request(&reading, &world->exporter, &late, &verdict, &why);
        if (rows[i].code)
            assert_string_equal(why.code, rows[i].code);
        else
            assert_int_equal(result, 0);
        reading_wipe(&reading);
        rd_kafka_message_destroy(again);
        rd_kafka_message_destroy(first);
    }
}

static void load_trust(struct world *world, const char *rights)
{
    char path[128];
    struct fault fault;
    json_t *set = json_pack(
        "{s:[o]}", "keys",
        entry(world->keys[rights ? PORTAL : ASKER], rights ? rights : "{\"rights\":[\"request\"]}"));
    write_json(world->stage, "changed", set);
    json_decref(set);
    trust_free(world->exporter.trust);
    assert_int_equal(trust_load(&world->exporter.trust, path_of(world->stage, "changed", path), &fault), 0);
}

/* As after a crash: by the time of the first reading, and whatever an operator has changed since. */
static void what_was_accepted_stays_genuine(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct reading reading = {0};
    enum request_verdict verdict;
    enum acceptance acceptance;
    struct fault why;
    rd_kafka_message_t *message =
        send_message(write_message(world, REQUEST_TYPE, request_with(world, DUE, value), PORTAL, 3600));
    struct item item = {.message = message, .received_unix_s = CAME};
    struct item late = {.message = message, .received_unix_s = CAME + 2 * DAY};
    assert_unreadable(world, &late, "expired");
    read_well(world, &item, &reading);
    int64_t came = CAME;
    assert_int_equal(acceptance_take(&world->stage->records, reading.request, SOURCE, &reading.parked.origin,
                                     &came, &acceptance, &why),
                     0);
    reading_wipe(&reading);
    read_well(world, &late, &reading);
    assert_int_equal(reading.parked.received_unix_s, CAME);
    reading_wipe(&reading);

    /* a copy is none that was accepted */
    rd_kafka_message_t *copy =
        send_message(write_message(world, REQUEST_TYPE, request_with(world, DUE, value), PORTAL, 3600));
    struct item other = {.message = copy, .received_unix_s = CAME + 2 * DAY};
    assert_unreadable(world, &other, "expired");
    rd_kafka_message_destroy(copy);

    static const struct {
        const char *rights, *code;
    } rows[] = {
        {NULL, "unknown_kid"},
        {"{\"rights\":[\"cancel\"]}", "no_right"},
        {"{\"rights\":[\"request\"],\"retired_at\":\"2026-01-01T00:00:00Z\"}", "retired_key"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        load_trust(world, rows[i].rights);
        assert_int_equal(reading_request(&reading, &world->exporter, &late, &verdict, &why), 0);
        assert_int_equal(verdict, REQUEST_UNANSWERABLE);
        assert_string_equal(why.code, rows[i].code);
        assert_string_equal(reading.request->id, ID);
        reading_wipe(&reading);
    }
    rd_kafka_message_destroy(message);
}

/* The same message again, as it would have been written some time ago. */
static rd_kafka_message_t *sent_ago(const rd_kafka_message_t *message, int64_t ago_s)
{
    rd_kafka_headers_t *headers;
    assert_int_equal(rd_kafka_message_headers(message, &headers), 0);
    assert_int_equal(rd_kafka_producev(post.producer, RD_KAFKA_V_TOPIC(topic_retry),
                                       RD_KAFKA_V_KEY(message->key, message->key_len),
                                       RD_KAFKA_V_VALUE(message->payload, message->len),
                                       RD_KAFKA_V_TIMESTAMP(((int64_t)time(NULL) - ago_s) * 1000),
                                       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                       RD_KAFKA_V_HEADERS(rd_kafka_headers_copy(headers)), RD_KAFKA_V_END),
                     0);
    return receive_message();
}

static void a_parking_of_another_exporter_is_refused(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct keyring *other = new_ring(world->stage, "other");
    rd_kafka_message_t *first =
        send_message(write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY));
    rd_kafka_message_t *again = parked(world, first);
    struct item item = {.message = again, .tier = &tier};
    struct reading reading = {0};
    enum request_verdict verdict;
    struct fault why;
    world->exporter.keyring = other;
    /* its key may become known, but not for ever */
    assert_int_equal(reading_request(&reading, &world->exporter, &item, &verdict, &why), -1);
    assert_string_equal(why.code, "unknown_kid");
    assert_true(why.retryable);
    reading_wipe(&reading);
    for (size_t i = 0; i < 2; i++) {
        const int64_t wait_s = 300 + 6 * 3600;
        rd_kafka_message_t *old = sent_ago(again, i ? wait_s : wait_s - 60);
        item.message = old;
        assert_int_equal(reading_request(&reading, &world->exporter, &item, &verdict, &why), -1);
        assert_int_equal(why.retryable, i == 0);
        assert_string_equal(why.code, i ? "bad_parking" : "unknown_kid");
        reading_wipe(&reading);
        rd_kafka_message_destroy(old);
    }
    rd_kafka_message_t *of_the_future = sent_ago(again, -DAY);
    item.message = of_the_future;
    assert_unreadable(world, &item, "bad_parking");
    rd_kafka_message_destroy(of_the_future);
    world->exporter.keyring = world->stage->keyring;
    rd_kafka_message_destroy(again);
    rd_kafka_message_destroy(first);
    keyring_free(other);
}

static void what_is_parked_must_still_be_signed(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct fault fault;
    struct outgoing *unsigned_one =
        write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY);
    assert_int_equal(rd_kafka_header_remove(unsigned_one->headers, SIGNATURE_HEADER), 0);
    rd_kafka_message_t *first = send_message(unsigned_one);
    rd_kafka_message_t *again = parked(world, first);
    struct item item = {.message = again, .tier = &tier};
    assert_unreadable(world, &item, "unsigned");
    item = (struct item){.message = first, .received_unix_s = CAME};
    assert_unreadable(world, &item, "unsigned");

    /* without trusted keys the key alone says which request it is */
    struct trust *trust = world->exporter.trust;
    struct reading reading;
    world->exporter.trust = NULL;
    read_well(world, &item, &reading);
    reading_wipe(&reading);
    world->exporter.trust = trust;
    rd_kafka_message_destroy(again);

    struct outgoing *other_key = outgoing_forward(topic_requests, first, "dsar-signature", &fault);
    assert_non_null(other_key);
    memcpy(other_key->key, OTHER_ID, strlen(OTHER_ID));
    rd_kafka_message_t *misplaced = send_message(other_key);
    item.message = misplaced;
    world->exporter.trust = NULL;
    assert_unreadable(world, &item, "sub_mismatch");
    world->exporter.trust = trust;
    rd_kafka_message_destroy(misplaced);
    rd_kafka_message_destroy(first);
}

static void what_cannot_be_answered_says_why(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct reading reading = {0};
    enum request_verdict verdict;
    struct fault why;
    rd_kafka_message_t *message = send_message(
        write_message(world, REQUEST_TYPE, request_with(world, "\"envelope\":\"rar\",", value), PORTAL, DAY));
    struct item item = {.message = message, .received_unix_s = CAME};
    assert_int_equal(reading_request(&reading, &world->exporter, &item, &verdict, &why), 0);
    assert_int_equal(verdict, REQUEST_UNANSWERABLE);
    assert_string_equal(why.code, "unknown_envelope");
    reading_wipe(&reading);
    rd_kafka_message_destroy(message);
}

/* --- cancels --- */

static void assert_no_cancel(struct world *world, struct outgoing *message, const char *code)
{
    struct reading reading = {0};
    struct cancellation cancellation;
    struct fault why;
    rd_kafka_message_t *read = send_message(message);
    struct item item = {.message = read, .received_unix_s = CAME};
    assert_int_equal(reading_cancellation(&reading, &world->exporter, &item, &cancellation, &why), -1);
    assert_string_equal(why.code, code);
    reading_wipe(&reading);
    rd_kafka_message_destroy(read);
}

static void a_cancel_needs_the_right_to_it(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct reading reading = {0};
    struct cancellation cancellation;
    struct fault why;
    rd_kafka_message_t *message = send_message(write_message(world, CANCELLATION_TYPE, CANCEL, PORTAL, DAY));
    struct item item = {.message = message, .received_unix_s = CAME};
    if (reading_cancellation(&reading, &world->exporter, &item, &cancellation, &why))
        fail_msg("%s", why.text);
    assert_string_equal(cancellation.id, ID);
    assert_int_equal(cancellation.sha256[1], 0xff);
    reading_wipe(&reading);
    rd_kafka_message_destroy(message);

    assert_no_cancel(world, write_message(world, CANCELLATION_TYPE, CANCEL, ASKER, DAY), "no_right");
    assert_no_cancel(world, write_message(world, CANCELLATION_TYPE, CANCEL, PORTAL, -1), "expired");
    assert_no_cancel(world, write_message(world, CANCELLATION_TYPE, "{}", PORTAL, DAY), "bad_cancel");
    assert_no_cancel(world, write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY),
                     "unknown_type");
}

static void a_cancel_is_no_request(void **state)
{
    struct world *world = *state;
    rd_kafka_message_t *message = send_message(write_message(world, CANCELLATION_TYPE, CANCEL, PORTAL, DAY));
    struct item item = {.message = message, .received_unix_s = CAME};
    assert_unreadable(world, &item, "unknown_type");
    rd_kafka_message_destroy(message);
}

/* --- the order of work --- */

static void the_due_time_is_read_without_any_trust(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    const struct {
        const char *value;
        int64_t due_unix_s;
    } rows[] = {
        {"{\"extensions\":{\"dsard\":{\"due_time\":\"2026-11-24T08:00:00Z\"}}}", CAME + DAY},
        {"{\"submitted_time\":\"2026-11-23T08:00:00Z\"}", CAME + 30 * DAY},
        {"{\"submitted_time\":\"2026-11-23T08:00:00Z\",\"extensions\":{\"dsard\":{\"due_time\":\"soon\"}}}",
         CAME + 30 * DAY},
        {"{\"submitted_time\":\"yesterday\"}", 0},
        {"{\"submitted_time\":5,\"extensions\":[]}", 0},
        {CANCEL, 0},
        {"[]", 0},
        {"no", 0},
        {request_with(world, DUE, value), CAME + DAY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        rd_kafka_message_t *message =
            send_message(write_message(world, REQUEST_TYPE, rows[i].value, PORTAL, DAY));
        assert_int_equal(reading_due(&config, message), rows[i].due_unix_s);
        rd_kafka_message_destroy(message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_came_first_where_it_lies, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_parked_request_is_judged_by_when_it_came_first, make_world,
                                        end_world),
        cmocka_unit_test_setup_teardown(what_was_accepted_stays_genuine, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_parking_of_another_exporter_is_refused, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_is_parked_must_still_be_signed, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_cannot_be_answered_says_why, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_cancel_needs_the_right_to_it, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_cancel_is_no_request, make_world, end_world),
        cmocka_unit_test_setup_teardown(the_due_time_is_read_without_any_trust, make_world, end_world),
    };
    return cmocka_run_group_tests(tests, open_post, close_post);
}
