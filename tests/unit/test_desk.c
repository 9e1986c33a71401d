/* What a desk gives out, and when. */
#include "test_desk.h"

static void what_is_due_first_goes_first(void **state)
{
    put_of(*state, TOPIC, 0, 3000);
    put_of(*state, TOPIC, 1, 1000);
    put_of(*state, TOPIC, 2, 2000);
    put_of(*state, TOPIC, 3, 1000);
    const int64_t now = clock_now_unix_s();
    struct desk_census census = census_of(*state);
    assert_int_equal(census.next_due_unix_s, 1000);
    assert_int_equal(census.n_at_risk, 4);
    answer(*state, take(*state, 1));
    answer(*state, take(*state, 3));
    answer(*state, take(*state, 2));
    answer(*state, take(*state, 0));
    put_of(*state, TOPIC, 4, now + 7200);
    struct batch batch;
    take_batch(*state, &batch, 4, 4, "");
    desk_settle(*state, &batch, true);
    census = census_of(*state);
    assert_int_equal(census.n_at_risk, 0);
    assert_int_equal(census.n_waiting, 1);
    assert_int_equal(census.next_due_unix_s, now + 7200);
}

/* The message is older than the tier's delay only after a while: the mock cluster keeps its time. */
static void a_parked_message_waits_and_takes_no_place(void **state)
{
    config.retry.tiers[0].delay_s = 3;
    test_produce(&kafka, RETRY, 1);
    assign_of(*state, RETRY, RD_KAFKA_OFFSET_INVALID, NULL);
    int64_t before_ms = clock_now_ms();
    put_of(*state, RETRY, N_MESSAGES, 0);
    assert_int_equal(census_of(*state).n_parked, 1);
    for (int64_t i = 0; i < 3; i++)
        put(*state, i);
    expect_flow(*state, 0, 0, NULL);
    struct item *item = take(*state, 0);
    assert_null(item->tier);
    answer(*state, item);
    answer(*state, take(*state, 1));
    answer(*state, take(*state, 2));
    struct item *parked = take(*state, N_MESSAGES);
    assert_in_range(clock_now_ms() - before_ms, 200, 20000);
    assert_ptr_equal(parked->tier, &config.retry.tiers[0]);
    answer(*state, parked);
    config.retry.tiers[0].delay_s = 1;
}

static void enough_parked_messages_stop_their_topic_only(void **state)
{
    assign_of(*state, RETRY, RD_KAFKA_OFFSET_INVALID, NULL);
    assign_of(*state, CONTROL, RD_KAFKA_OFFSET_INVALID, NULL);
    config.retry.tiers[0].delay_s = 3600;
    for (int64_t i = 0; i < 3; i++)
        put_of(*state, RETRY, i, 0);
    expect_flow(*state, 0, 0, NULL);
    put_of(*state, RETRY, 3, 0);
    expect_flow(*state, 1, 0, RETRY);
    expect_flow(*state, 0, 0, NULL);
    /* a withdrawn one is worked on at once */
    assert_true(desk_withdraw(*state, "2"));
    assert_false(desk_withdraw(*state, "9"));
    answer(*state, take(*state, 2));
    expect_flow(*state, 0, 0, NULL);
    assert_true(desk_withdraw(*state, "1"));
    answer(*state, take(*state, 1));
    expect_flow(*state, 0, 1, RETRY);
    config.retry.tiers[0].delay_s = 1;
}

static void control_is_read_while_requests_are_not(void **state)
{
    assign_of(*state, CONTROL, RD_KAFKA_OFFSET_INVALID, NULL);
    for (int64_t i = 0; i < 4; i++)
        put(*state, i);
    expect_flow(*state, 1, 0, TOPIC);
    struct item *running = take(*state, 0);
    put_of(*state, CONTROL, 0, 0); /* about request 0 */
    struct item *cancel = desk_take(*state, DESK_CONTROL);
    assert_non_null(cancel);
    assert_string_equal(rd_kafka_topic_name(cancel->message->rkt), CONTROL);
    assert_false(cancel_raised(running->cancel));
    assert_true(desk_withdraw(*state, "0"));
    assert_true(cancel_raised(running->cancel));
    assert_false(cancel_raised(cancel->cancel));
    answer(*state, cancel);
    answer(*state, running);
}

/* Whoever cancels waits until what may be committed already is. */
static void what_is_done_is_in_hand_until_it_is_committed(void **state)
{
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    assert_true(desk_withdraw(*state, "0"));
    take_batch(*state, &batch, 1, 1, "");
    assert_true(desk_withdraw(*state, "0"));
    desk_settle(*state, &batch, true);
    assert_false(desk_withdraw(*state, "0"));
}

static void what_is_withdrawn_while_it_is_parked_is_looked_at_at_once(void **state)
{
    put(*state, 0);
    struct item *item = take(*state, 0);
    assert_true(desk_withdraw(*state, "0"));
    item->outcome = OUTCOME_PARKED;
    answer(*state, item);
    assert_int_equal(census_of(*state).n_done, 0);
    assert_ptr_equal(take(*state, 0), item);
    assert_null(item->answers);
    assert_false(cancel_raised(item->cancel));
    item->outcome = OUTCOME_CANCELLED;
    answer(*state, item);
    assert_int_equal(census_of(*state).n_done, 1);
}

/* A request that is worked on for hours, and others under its id: they hold up nothing. */
static void messages_of_one_request_wait_for_no_other(void **state)
{
    put(*state, 0);
    put(*state, 10); /* has the key of 0 */
    struct item *first = take(*state, 0);
    answer(*state, take(*state, 10));
    answer(*state, first);
}

static void what_is_to_be_looked_at_later_has_its_limit(void **state)
{
    assign_of(*state, CONTROL, RD_KAFKA_OFFSET_INVALID, NULL);
    for (int64_t i = 0; i < 4; i++) {
        expect_flow(*state, 0, 0, NULL);
        put(*state, i);
        struct item *item = take(*state, i);
        item->fate = ITEM_LATER;
        item->later_ms = 3600000;
        desk_finish(*state, item);
    }
    expect_flow(*state, 1, 0, TOPIC);
    assert_int_equal(census_of(*state).n_parked, 4);
}

static void waiting_takes_no_descriptor(void **state)
{
    assign_of(*state, RETRY, RD_KAFKA_OFFSET_INVALID, NULL);
    put_of(*state, RETRY, 0, 0);
    const int before = dup(0);
    for (int64_t i = 1; i < 4; i++)
        put_of(*state, RETRY, i, 0);
    const int after = dup(0);
    assert_int_equal(after, before + 1);
    close(before);
    close(after);
}

static void what_is_to_wait_is_looked_at_again(void **state)
{
    put(*state, 0);
    struct item *item = take(*state, 0);
    int64_t before_ms = clock_now_ms();
    item->fate = ITEM_LATER;
    item->later_ms = 300;
    desk_finish(*state, item);
    assert_int_equal(census_of(*state).n_parked, 1);
    assert_ptr_equal(take(*state, 0), item);
    assert_in_range(clock_now_ms() - before_ms, 250, 10000);
    answer(*state, item);
}

static void open_ranges_stop_reading(void **state)
{
    struct batch batch;
    config.kafka.open_ranges = 2;
    assign_of(*state, CONTROL, RD_KAFKA_OFFSET_INVALID, NULL);
    for (int64_t i = 0; i < 4; i++)
        put(*state, i);
    expect_flow(*state, 1, 0, TOPIC);
    struct item *items[4];
    for (int64_t i = 0; i < 4; i++)
        items[i] = take(*state, i);
    answer(*state, items[1]);
    answer(*state, items[3]);
    take_batch(*state, &batch, 2, 0, "dsard1:1+1,1+1");
    desk_settle(*state, &batch, true);
    /* there is room in hand, but not in the commit */
    expect_flow(*state, 0, 0, NULL);
    answer(*state, items[0]);
    take_batch(*state, &batch, 1, 2, "dsard1:1+1");
    desk_settle(*state, &batch, true);
    expect_flow(*state, 0, 1, TOPIC);
    answer(*state, items[2]);
}

static void reading_stops_when_the_desk_is_full_and_goes_on_at_half(void **state)
{
    for (int64_t i = 0; i < 3; i++)
        put(*state, i);
    expect_flow(*state, 0, 0, NULL);
    put(*state, 3);
    expect_flow(*state, 1, 0, TOPIC);
    desk_finish(*state, take(*state, 0));
    expect_flow(*state, 0, 0, NULL);
    desk_finish(*state, take(*state, 1));
    expect_flow(*state, 0, 1, TOPIC);
}

static void a_stopped_desk_gives_nothing_out(void **state)
{
    put(*state, 0);
    put(*state, 1);
    struct item *running = take(*state, 0);
    desk_stop(*state);
    assert_null(desk_take(*state, DESK_REQUESTS));
    put(*state, 2);
    assert_null(desk_take(*state, DESK_REQUESTS));
    assert_int_equal(census_of(*state).n_running, 1);
    assert_false(cancel_raised(running->cancel));
    desk_cancel_all(*state);
    assert_true(cancel_raised(running->cancel));
    struct batch batch;
    answer(*state, running);
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_due_first_goes_first),
        TEST(a_parked_message_waits_and_takes_no_place),
        TEST(enough_parked_messages_stop_their_topic_only),
        TEST(control_is_read_while_requests_are_not),
        TEST(what_is_done_is_in_hand_until_it_is_committed),
        TEST(what_is_withdrawn_while_it_is_parked_is_looked_at_at_once),
        TEST(messages_of_one_request_wait_for_no_other),
        TEST(what_is_to_be_looked_at_later_has_its_limit),
        TEST(waiting_takes_no_descriptor),
        TEST(what_is_to_wait_is_looked_at_again),
        TEST(open_ranges_stop_reading),
        TEST(reading_stops_when_the_desk_is_full_and_goes_on_at_half),
        TEST(a_stopped_desk_gives_nothing_out),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
