/* What answers a cancel. */
#include "test_office.h"

static void a_cancel_that_comes_first_is_noted_down(void **state)
{
    struct office *office = *state;
    char id[128];
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_NONE);
    assert_null(cancel.answers);
    wipe_control(&cancel);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    wipe(&item);
}

static void after_its_end_the_bundle_is_revoked(void **state)
{
    struct office *office = *state;
    char stored[128], id[128], again[128];
    complete(office, stored);
    struct item cancel = control(office, &office->cancellation);
    assert_event(&cancel, "org.dsard.expired.v1", id);
    assert_non_null(to_topic(&cancel, topic_audit));
    wipe_control(&cancel);
    assert_false(has_object(office->world->stage, ID, "attempt.zip"));
    assert_true(has_object(office->world->stage, ID, "receipt"));

    /* as it would be after a crash before that was published, or when it is cancelled twice */
    cancel = control(office, &office->cancellation);
    assert_string_equal(assert_event(&cancel, "org.dsard.expired.v1", again), id);
    wipe_control(&cancel);
}

static void a_cancel_of_another_request_changes_nothing(void **state)
{
    struct office *office = *state;
    char stored[128];
    complete(office, stored);
    office->cancellation.sha256[0] ^= 1;
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_null(cancel.answers);
    wipe_control(&cancel);
    assert_true(has_object(office->world->stage, ID, "attempt.zip"));
}

/* The message is the desk's from here on. */
static void put_first_on_desk(struct office *office)
{
    struct fault fault;
    rd_kafka_message_t *message = office->first;
    office->first = NULL;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic_requests, 0)->offset = message->offset;
    assert_int_equal(desk_assign(office->desk, list, rd_kafka_consumer_group_metadata_new("g"), &fault), 0);
    rd_kafka_topic_partition_list_destroy(list);
    assert_int_equal(desk_put(office->desk, message, 0, &fault), 0);
}

static void a_cancel_waits_for_the_end_of_what_is_in_hand(void **state)
{
    struct office *office = *state;
    char stored[128], id[128];
    complete(office, stored);
    put_first_on_desk(office);
    struct item *item = desk_take(office->desk, DESK_REQUESTS);
    struct item cancel = control(office, &office->cancellation);
    for (int64_t ms = 1000; ms < 200000; ms *= 2) {
        assert_int_equal(cancel.fate, ITEM_LATER);
        assert_int_equal(cancel.later_ms, ms < 60000 ? ms : 60000);
        assert_null(cancel.answers);
        answer_control(&office->answerer, &cancel);
    }
    assert_true(has_object(office->world->stage, ID, "attempt.zip"));
    assert_true(cancel_raised(item->cancel));

    answer_request(&office->answerer, item);
    assert_event(item, "org.dsard.completed.v1", id);
    desk_finish(office->desk, item);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_LATER);

    struct batch batch;
    assert_true(desk_batch(office->desk, 10, &batch));
    desk_settle(office->desk, &batch, true);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_event(&cancel, "org.dsard.expired.v1", id);
    assert_false(has_object(office->world->stage, ID, "attempt.zip"));
    wipe_control(&cancel);
}

static void a_cancel_decides_what_has_not_ended(void **state)
{
    struct office *office = *state;
    char id[128], again[128];
    accept_first(office);
    for (int i = 0; i < 2; i++) {
        struct item cancel = control(office, &office->cancellation);
        assert_int_equal(cancel.fate, ITEM_DONE);
        assert_null(cancel.answers);
        wipe_control(&cancel);
    }
    assert_int_equal(count_receipts(office), 1);
    struct item item = ask(office, office->first);
    assert_event(&item, "org.dsard.cancelled.v1", id);
    assert_int_equal(item.outcome, OUTCOME_CANCELLED);
    wipe(&item);
    item = ask(office, office->first);
    assert_string_equal(assert_event(&item, "org.dsard.cancelled.v1", again), id);
    wipe(&item);
}

static void a_cancel_is_never_dropped(void **state)
{
    struct office *office = *state;
    char path[256];
    snprintf(path, sizeof path, "%s/" ID, office->world->stage->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    struct item cancel = control(office, &office->cancellation);
    for (int64_t ms = 1000; ms < 200000; ms *= 2) {
        assert_int_equal(cancel.fate, ITEM_LATER);
        assert_int_equal(cancel.later_ms, ms < 60000 ? ms : 60000);
        answer_control(&office->answerer, &cancel);
    }
    assert_int_equal(unlink(path), 0);
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    wipe_control(&cancel);
}

static void assert_cancel_dead(const struct office *office)
{
    char text[128];
    struct item cancel = control(office, &office->cancellation);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_DEAD);
    assert_string_equal(header(to_topic(&cancel, topic_dead), "dsar-dead-code", text), "bad_record");
    wipe_control(&cancel);
}

static void where_somebody_wrote_into_the_store_a_cancel_is_dead(void **state)
{
    struct office *office = *state;
    struct stage *stage = office->world->stage;
    struct fault fault;
    withdraw(office, SOURCE);
    put_object(stage, ID, "accepted", "{}\n", 3);
    assert_cancel_dead(office);
    assert_int_equal(store_remove(stage->store, ID, "accepted", &fault), 0);
    assert_int_equal(store_each(stage->store, ID, spoil_withdrawal, stage, &fault), 0);
    assert_cancel_dead(office);
}

static void a_cancel_that_cannot_be_read_is_dead(void **state)
{
    struct office *office = *state;
    char text[128];
    struct item cancel = {.received_unix_s = CAME};
    cancel.message = send_message(write_message(office->world, CANCELLATION_TYPE, CANCEL, ASKER, DAY));
    answer_control(&office->answerer, &cancel);
    assert_int_equal(cancel.fate, ITEM_DONE);
    assert_int_equal(cancel.outcome, OUTCOME_DEAD);
    assert_string_equal(header(to_topic(&cancel, topic_dead), "dsar-dead-code", text), "no_right");
    wipe_control(&cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_somebody_wrote_into_the_store_a_cancel_is_dead),
        TEST(a_cancel_that_comes_first_is_noted_down),
        TEST(after_its_end_the_bundle_is_revoked),
        TEST(a_cancel_of_another_request_changes_nothing),
        TEST(a_cancel_waits_for_the_end_of_what_is_in_hand),
        TEST(a_cancel_decides_what_has_not_ended),
        TEST(a_cancel_is_never_dropped),
        TEST(a_cancel_that_cannot_be_read_is_dead),
    };
    return cmocka_run_group_tests(tests, open_post, close_post);
}
