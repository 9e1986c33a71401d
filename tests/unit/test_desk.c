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
static struct config make_config(void)
{
    static char requests[] = TOPIC, control[] = CONTROL, retry[] = RETRY;
    static struct retry_tier tier = {.topic = retry, .delay_s = 1};
    return (struct config){
        .kafka = {.topics = {.requests = requests, .control = control}, .open_ranges = 200},
        .work = {.concurrent_requests = 2, .parked_max = 4},
        .retry = {.tiers = &tier, .n_tiers = 1, .margin_s = 3600}};
}

static struct config config;

static int open_kafka(void **state)
{
    test_kafka_open(&kafka);
    static const char *const topics[] = {TOPIC, CONTROL, RETRY};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        rd_kafka_mock_topic_create(kafka.cluster, topics[i], 1, 1);
        test_produce(&kafka, topics[i], N_MESSAGES);
    }
    return 0;
}

static int close_kafka(void **state)
{
    test_kafka_close(&kafka);
    return 0;
}

static void assign_of(struct desk *desk, const char *topic, int64_t offset, const char *metadata)
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

static void assign(struct desk *desk, int64_t offset, const char *metadata)
{
    assign_of(desk, TOPIC, offset, metadata);
}

static void give_up(struct desk *desk, bool lost, int wait_ms)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    desk_revoke(desk, list, lost, wait_ms);
    rd_kafka_topic_partition_list_destroy(list);
}

static int set_up(void **state)
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

static int tear_down(void **state)
{
    desk_free(*state);
    return 0;
}

/* Puts the message at `offset` of the topic on the desk. */
static void put_of(struct desk *desk, const char *topic, int64_t offset, int64_t due_unix_s)
{
    struct fault fault;
    test_seek(&kafka, topic, offset);
    rd_kafka_message_t *message = test_next(&kafka, 10000);
    assert_non_null(message);
    assert_int_equal(message ? message->offset : -1, offset);
    assert_int_equal(desk_put(desk, message, due_unix_s, &fault), 0);
}

static void put(struct desk *desk, int64_t offset)
{
    put_of(desk, TOPIC, offset, 0);
}

static struct desk_census census_of(struct desk *desk)
{
    struct desk_census census;
    desk_count(desk, &census);
    return census;
}

/* Expects that reading from `n_pause` partitions is stopped and from `n_resume` begun again; the first is `topic`. */
static void expect_flow(struct desk *desk, int n_pause, int n_resume, const char *topic)
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

static struct item *take(struct desk *desk, int64_t offset)
{
    struct item *item = desk_take(desk, DESK_REQUESTS);
    assert_non_null(item);
    assert_int_equal(item->message->offset, offset);
    return item;
}

static void answer(struct desk *desk, struct item *item)
{
    struct fault fault;
    item->answers = outgoing_new("events", "k", 1, "v", 1, &fault);
    assert_non_null(item->answers);
    item->fate = ITEM_DONE;
    desk_finish(desk, item);
}

static void take_batch(struct desk *desk, struct batch *batch, size_t n, int64_t base, const char *metadata)
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

static void what_is_done_is_committed_with_its_offset(void **state)
{
    struct batch batch;
    put(*state, 0);
    put(*state, 1);
    put(*state, 2);
    struct item *first = take(*state, 0), *second = take(*state, 1);
    answer(*state, take(*state, 2));
    take_batch(*state, &batch, 1, 0, "dsard1:2+1");
    desk_settle(*state, &batch, true);
    answer(*state, first);
    answer(*state, second);
    take_batch(*state, &batch, 2, 3, "");
    desk_settle(*state, &batch, true);
}

static void what_is_done_without_an_answer_is_committed_too(void **state)
{
    struct batch batch;
    put(*state, 0);
    struct item *item = take(*state, 0);
    item->fate = ITEM_DONE;
    desk_finish(*state, item);
    take_batch(*state, &batch, 1, 1, "");
    assert_null(batch.items->answers);
    desk_settle(*state, &batch, true);
}

/* One of them may be what made it fail: each is tried alone. */
static void an_abort_puts_everything_back_one_by_one(void **state)
{
    struct batch batch;
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    answer(*state, take(*state, 1));
    take_batch(*state, &batch, 2, 2, "");
    desk_settle(*state, &batch, false);
    int64_t before_ms = clock_now_ms();
    take_batch(*state, &batch, 1, 1, "");
    assert_in_range(clock_now_ms() - before_ms, 300, 5000);
    assert_non_null(batch.items->answers);
    desk_settle(*state, &batch, true);
    take_batch(*state, &batch, 1, 2, "");
    desk_settle(*state, &batch, true);
}

static void what_cannot_be_published_holds_up_no_other(void **state)
{
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, false);
    put(*state, 1);
    answer(*state, take(*state, 1));
    take_batch(*state, &batch, 1, 0, "dsard1:1+1"); /* the new one, at once and without the other */
    desk_settle(*state, &batch, true);
    take_batch(*state, &batch, 1, 2, "");
    desk_settle(*state, &batch, false);
    int64_t before_ms = clock_now_ms();
    take_batch(*state, &batch, 1, 2, "");
    assert_in_range(clock_now_ms() - before_ms, 800, 5000); /* the pause grows */
    desk_settle(*state, &batch, true);
}

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

static void committed_is(rd_kafka_topic_partition_list_t *list, int64_t offset, const char *metadata)
{
    rd_kafka_topic_partition_t *element = rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    element->offset = offset;
    if (metadata) {
        element->metadata = strdup(metadata);
        element->metadata_size = strlen(metadata);
    }
}

/* The broker's word on a transaction whose answer was lost. */
static void an_unknown_transaction_is_settled_by_what_is_committed(void **state)
{
    static const struct {
        int64_t offset;
        const char *metadata;
        bool committed;
    } words[] = {
        {0, NULL, false}, {0, "dsard1:1+1", true}, {RD_KAFKA_OFFSET_INVALID, NULL, false}, {2, NULL, true}};
    struct fault fault;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct batch batch;
        give_up(*state, true, 0);
        assign(*state, 0, NULL);
        put(*state, 0);
        put(*state, 1);
        struct item *base = take(*state, 0);
        answer(*state, take(*state, 1));
        take_batch(*state, &batch, 1, 0, "dsard1:1+1");
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        committed_is(list, words[i].offset, words[i].metadata);
        bool committed;
        assert_int_equal(desk_find_committed(*state, &batch, list, &committed, &fault), 0);
        assert_int_equal(committed, words[i].committed);
        rd_kafka_topic_partition_list_destroy(list);
        desk_settle(*state, &batch, committed);
        assert_int_equal(census_of(*state).n_done, committed ? 0 : 1);
        answer(*state, base);
    }
}

static void an_unknown_transaction_with_foreign_words_stays_unknown(void **state)
{
    struct fault fault;
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    committed_is(list, 0, "somebody else's");
    bool committed;
    assert_int_equal(desk_find_committed(*state, &batch, list, &committed, &fault), -1);
    assert_string_equal(fault.code, "foreign_metadata");
    rd_kafka_topic_partition_list_destroy(list);
    desk_settle(*state, &batch, false);
    assert_int_equal(census_of(*state).n_done, 1);
}

/* Given to another meanwhile: then it is the other's, whatever the broker says. */
static void an_unknown_transaction_of_a_lost_partition_is_nobodys(void **state)
{
    struct fault fault;
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    give_up(*state, true, 0);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    committed_is(list, 0, NULL);
    bool committed;
    assert_int_equal(desk_find_committed(*state, &batch, list, &committed, &fault), 0);
    rd_kafka_topic_partition_list_destroy(list);
    desk_settle(*state, &batch, committed);
    assert_int_equal(census_of(*state).n_done, 0);
}

static void what_is_known_is_not_taken_twice(void **state)
{
    put(*state, 0);
    put(*state, 0);
    put(*state, 1);
    put(*state, 0);
    struct item *item = take(*state, 0);
    answer(*state, take(*state, 1));
    answer(*state, item);
}

static void what_the_commit_says_is_done_is_not_taken(void **state)
{
    struct batch batch;
    give_up(*state, false, 0);
    assign(*state, 3, "dsard1:1+1");
    put(*state, 2);
    put(*state, 3);
    put(*state, 4);
    put(*state, 5);
    answer(*state, take(*state, 3));
    answer(*state, take(*state, 5));
    take_batch(*state, &batch, 2, 6, "");
    desk_settle(*state, &batch, true);
}

static void what_is_dropped_is_not_committed(void **state)
{
    struct batch batch;
    put(*state, 0);
    put(*state, 1);
    desk_finish(*state, take(*state, 0));
    answer(*state, take(*state, 1));
    take_batch(*state, &batch, 1, 0, "dsard1:1+1");
    desk_settle(*state, &batch, true);
}

struct revoking {
    struct desk *desk;
    atomic_bool begun;
    atomic_bool ended;
};

static void *revoke_in_peace(void *arg)
{
    struct revoking *revoking = arg;
    atomic_store(&revoking->begun, true);
    give_up(revoking->desk, false, 60000);
    atomic_store(&revoking->ended, true);
    return NULL;
}

static void revoking_waits_until_what_is_done_is_published(void **state)
{
    struct revoking revoking = {.desk = *state};
    struct batch batch;
    pthread_t thread;
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    assert_int_equal(pthread_create(&thread, NULL, revoke_in_peace, &revoking), 0);
    while (!atomic_load(&revoking.begun))
        ;
    for (int i = 0; i < 50; i++) {
        assert_false(atomic_load(&revoking.ended));
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    desk_settle(*state, &batch, true);
    pthread_join(thread, NULL);
    /* what waited went with the partition */
    assign(*state, 1, NULL);
    put(*state, 2);
    answer(*state, take(*state, 2));
}

static void revoking_does_not_wait_forever(void **state)
{
    struct batch batch;
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    give_up(*state, false, 20);
    assign(*state, 0, NULL);
    desk_settle(*state, &batch, false); /* of the former epoch: it is not put back */
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, true);
}

static void revoking_does_not_wait_for_what_was_aborted(void **state)
{
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, false);
    int64_t before_ms = clock_now_ms();
    give_up(*state, false, 60000);
    assert_in_range(clock_now_ms() - before_ms, 0, 5000);
}

static void what_is_lost_is_not_published(void **state)
{
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    struct item *running = take(*state, 1);
    int64_t before_ms = clock_now_ms();
    give_up(*state, true, 60000);
    assert_in_range(clock_now_ms() - before_ms, 0, 5000);
    answer(*state, running);
    assert_int_equal(census_of(*state).n_running + census_of(*state).n_done, 0);
    assign(*state, 0, NULL);
    put(*state, 0);
    put(*state, 1);
    take(*state, 0)->answers = NULL;
    take(*state, 1)->answers = NULL;
    assert_int_equal(census_of(*state).n_running, 2);
}

static void work_goes_on_when_its_message_comes_again(void **state)
{
    struct batch batch;
    put(*state, 0);
    struct item *running = take(*state, 0);
    give_up(*state, false, 0);
    assign(*state, 0, NULL);
    put(*state, 0);
    put(*state, 1);
    assert_int_equal(census_of(*state).n_running, 1);
    struct item *next = take(*state, 1);
    answer(*state, running);
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, true);
    answer(*state, next);
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

static void a_closed_desk_gives_no_batch(void **state)
{
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    desk_close(*state);
    assert_false(desk_batch(*state, 100, &batch));
    give_up(*state, false, 60000);
}

/* --- all kinds of threads at once --- */

struct crowd {
    struct desk *desk;
};

static void *work(void *arg)
{
    struct crowd *crowd = arg;
    struct fault fault;
    struct item *item;
    while ((item = desk_take(crowd->desk, DESK_REQUESTS)) != NULL) {
        item->answers = outgoing_new("events", "k", 1, "v", 1, &fault);
        item->fate = ITEM_DONE;
        desk_finish(crowd->desk, item);
    }
    return NULL;
}

struct ledger_of_batches {
    struct desk *desk;
    unsigned char seen[N_MESSAGES];
    int64_t base;
};

/* Every third transaction is aborted. */
static void *commit(void *arg)
{
    struct ledger_of_batches *ledger = arg;
    struct batch batch;
    for (unsigned n = 1; desk_batch(ledger->desk, 5, &batch); n++) {
        bool committed = n % 3 != 0;
        for (const struct item *item = batch.items; committed && item; item = item->next)
            ledger->seen[item->message->offset]++;
        if (committed)
            ledger->base = batch.offsets->elems[0].offset;
        desk_settle(ledger->desk, &batch, committed);
    }
    return NULL;
}

static void a_crowd_answers_each_message_once(void **state)
{
    struct crowd crowd = {.desk = *state};
    struct ledger_of_batches ledger = {.desk = *state};
    struct fault fault;
    pthread_t workers[3], committer;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&workers[i], NULL, work, &crowd), 0);
    assert_int_equal(pthread_create(&committer, NULL, commit, &ledger), 0);
    test_seek(&kafka, TOPIC, 0);
    for (int i = 0; i < N_MESSAGES; i++) {
        rd_kafka_message_t *message = test_next(&kafka, 10000);
        assert_non_null(message);
        assert_int_equal(desk_put(*state, message, 0, &fault), 0);
    }
    int64_t until_ms = clock_now_ms() + 20000;
    struct timespec moment = {.tv_nsec = 1000000};
    while ((census_of(*state).n_waiting || census_of(*state).n_running || census_of(*state).n_done) &&
           clock_now_ms() < until_ms)
        nanosleep(&moment, NULL);
    give_up(*state, false, 10000);
    desk_stop(*state);
    for (size_t i = 0; i < 3; i++)
        pthread_join(workers[i], NULL);
    desk_close(*state);
    pthread_join(committer, NULL);
    for (size_t i = 0; i < N_MESSAGES; i++)
        assert_int_equal(ledger.seen[i], 1);
    assert_int_equal(ledger.base, N_MESSAGES);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_is_committed_with_its_offset),
        TEST(what_is_done_without_an_answer_is_committed_too),
        TEST(an_abort_puts_everything_back_one_by_one),
        TEST(what_cannot_be_published_holds_up_no_other),
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
        TEST(an_unknown_transaction_is_settled_by_what_is_committed),
        TEST(an_unknown_transaction_with_foreign_words_stays_unknown),
        TEST(an_unknown_transaction_of_a_lost_partition_is_nobodys),
        TEST(what_is_known_is_not_taken_twice),
        TEST(what_the_commit_says_is_done_is_not_taken),
        TEST(what_is_dropped_is_not_committed),
        TEST(revoking_waits_until_what_is_done_is_published),
        TEST(revoking_does_not_wait_forever),
        TEST(revoking_does_not_wait_for_what_was_aborted),
        TEST(what_is_lost_is_not_published),
        TEST(work_goes_on_when_its_message_comes_again),
        TEST(reading_stops_when_the_desk_is_full_and_goes_on_at_half),
        TEST(a_stopped_desk_gives_nothing_out),
        TEST(a_closed_desk_gives_no_batch),
        TEST(a_crowd_answers_each_message_once),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
