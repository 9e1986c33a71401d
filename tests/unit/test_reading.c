#include "outcome/reading.h"

#include "test_portal.h"

static struct retry_tier tier = {topic_retry, 300};

static rd_kafka_message_t *parked(struct world *world, const rd_kafka_message_t *message)
{
    const struct parked facts = {{"requests", 0, 7}, CAME, 3};
    struct fault fault;
    struct outgoing *parking = parking_message(&tier, message, ID, &facts, world->stage->keyring, &fault);
    assert_non_null(parking);
    return send_message(world, parking);
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
        send_message(world, write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY));
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
        rd_kafka_message_t *first =
            send_message(world, write_message(world, REQUEST_TYPE, request_with(world, rows[i].own, value),
                                              rows[i].key, rows[i].lifetime_s));
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

static void a_parking_of_another_exporter_is_refused(void **state)
{
    struct world *world = *state;
    char value[VALUE_MAX];
    struct keyring *other = new_ring(world->stage, "other");
    rd_kafka_message_t *first =
        send_message(world, write_message(world, REQUEST_TYPE, request_with(world, "", value), PORTAL, DAY));
    rd_kafka_message_t *again = parked(world, first);
    struct item item = {.message = again, .tier = &tier};
    world->exporter.keyring = other;
    assert_unreadable(world, &item, "bad_parking");
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
    rd_kafka_message_t *first = send_message(world, unsigned_one);
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
    rd_kafka_message_t *misplaced = send_message(world, other_key);
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
    rd_kafka_message_t *message =
        send_message(world, write_message(world, REQUEST_TYPE,
                                          request_with(world, "\"envelope\":\"rar\",", value), PORTAL, DAY));
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
    rd_kafka_message_t *read = send_message(world, message);
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
    rd_kafka_message_t *message =
        send_message(world, write_message(world, CANCELLATION_TYPE, CANCEL, PORTAL, DAY));
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
    rd_kafka_message_t *message =
        send_message(world, write_message(world, CANCELLATION_TYPE, CANCEL, PORTAL, DAY));
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
            send_message(world, write_message(world, REQUEST_TYPE, rows[i].value, PORTAL, DAY));
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
        cmocka_unit_test_setup_teardown(a_parking_of_another_exporter_is_refused, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_is_parked_must_still_be_signed, make_world, end_world),
        cmocka_unit_test_setup_teardown(what_cannot_be_answered_says_why, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_cancel_needs_the_right_to_it, make_world, end_world),
        cmocka_unit_test_setup_teardown(a_cancel_is_no_request, make_world, end_world),
        cmocka_unit_test_setup_teardown(the_due_time_is_read_without_any_trust, make_world, end_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
