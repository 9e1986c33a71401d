#include "base/clock.h"
#include "outcome/desk.h"

#include "test_kafka.h"

#include <pthread.h>
#include <stdatomic.h>

#define TOPIC      "requests"
#define N_MESSAGES 200

static struct test_kafka kafka;

static int open_kafka(void **state)
{
    test_kafka_open(&kafka);
    rd_kafka_mock_topic_create(kafka.cluster, TOPIC, 1, 1);
    test_produce(&kafka, TOPIC, N_MESSAGES);
    return 0;
}

static int close_kafka(void **state)
{
    test_kafka_close(&kafka);
    return 0;
}

static void assign(struct desk *desk, int64_t offset, const char *metadata)
{
    struct fault fault;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(list, TOPIC, 0);
    partition->offset = offset;
    if (metadata) {
        partition->metadata = strdup(metadata);
        partition->metadata_size = strlen(metadata);
    }
    assert_int_equal(desk_assign(desk, list, rd_kafka_consumer_group_metadata_new("group"), &fault), 0);
    assert_int_equal(partition->offset, offset < 0 ? RD_KAFKA_OFFSET_BEGINNING : offset);
    rd_kafka_topic_partition_list_destroy(list);
}

static void revoke(struct desk *desk, bool lost, int wait_ms)
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
    if (desk_new(&desk, 4, &fault))
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

/* Puts the message at `offset` on the desk. */
static void put(struct desk *desk, int64_t offset)
{
    struct fault fault;
    test_seek(&kafka, TOPIC, offset);
    rd_kafka_message_t *message = test_next(&kafka, 10000);
    assert_non_null(message);
    assert_int_equal(message ? message->offset : -1, offset);
    assert_int_equal(desk_put(desk, message, &fault), 0);
}

static struct item *take(struct desk *desk, int64_t offset)
{
    struct item *item = desk_take(desk);
    assert_non_null(item);
    assert_int_equal(item->message->offset, offset);
    return item;
}

static void answer(struct desk *desk, struct item *item)
{
    struct fault fault;
    item->answers = outgoing_new("events", "k", 1, "v", 1, &fault);
    assert_non_null(item->answers);
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

static void an_abort_puts_everything_back(void **state)
{
    struct batch batch;
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    for (int i = 0; i < 2; i++) {
        take_batch(*state, &batch, 1, 1, "");
        assert_non_null(batch.items->answers);
        desk_settle(*state, &batch, false);
    }
    answer(*state, take(*state, 1));
    take_batch(*state, &batch, 2, 2, "");
    desk_settle(*state, &batch, true);
}

static void two_messages_of_one_request_are_never_worked_on_together(void **state)
{
    put(*state, 0);
    put(*state, 10); /* has the key of 0 */
    put(*state, 11);
    struct item *first = take(*state, 0);
    struct item *other = take(*state, 11);
    answer(*state, first);
    answer(*state, take(*state, 10));
    answer(*state, other);
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
    revoke(*state, false, 0);
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
    revoke(revoking->desk, false, 60000);
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
    revoke(*state, false, 20);
    assign(*state, 0, NULL);
    desk_settle(*state, &batch, false); /* of the former epoch: it is not put back */
    put(*state, 0);
    answer(*state, take(*state, 0));
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, true);
}

static void what_is_lost_is_not_published(void **state)
{
    put(*state, 0);
    put(*state, 1);
    answer(*state, take(*state, 0));
    struct item *running = take(*state, 1);
    int64_t before_ms = clock_now_ms();
    revoke(*state, true, 60000);
    assert_in_range(clock_now_ms() - before_ms, 0, 5000);
    answer(*state, running);
    assert_true(desk_has_room(*state));
    assign(*state, 0, NULL);
    put(*state, 0);
    put(*state, 1);
    take(*state, 0)->answers = NULL;
    take(*state, 1)->answers = NULL;
    assert_int_equal(desk_n_running(*state), 2);
}

static void work_goes_on_when_its_message_comes_again(void **state)
{
    struct batch batch;
    put(*state, 0);
    struct item *running = take(*state, 0);
    revoke(*state, false, 0);
    assign(*state, 0, NULL);
    put(*state, 0);
    put(*state, 1);
    assert_int_equal(desk_n_running(*state), 1);
    struct item *next = take(*state, 1);
    answer(*state, running);
    take_batch(*state, &batch, 1, 1, "");
    desk_settle(*state, &batch, true);
    answer(*state, next);
}

static void the_desk_is_full_and_has_room_again(void **state)
{
    for (int64_t i = 0; i < 3; i++)
        put(*state, i);
    assert_false(desk_full(*state));
    put(*state, 3);
    assert_true(desk_full(*state));
    desk_finish(*state, take(*state, 0));
    assert_false(desk_full(*state));
    assert_false(desk_has_room(*state));
    desk_finish(*state, take(*state, 1));
    assert_true(desk_has_room(*state));
}

static void a_stopped_desk_gives_nothing_out(void **state)
{
    put(*state, 0);
    put(*state, 1);
    struct item *running = take(*state, 0);
    desk_stop(*state);
    assert_null(desk_take(*state));
    put(*state, 2);
    assert_null(desk_take(*state));
    assert_int_equal(desk_n_running(*state), 1);
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
    revoke(*state, false, 60000);
}

/* --- all kinds of threads at once --- */

struct crowd {
    struct desk *desk;
    atomic_int with_key[10];
    atomic_int together; /* how often two of one key met */
};

static void *work(void *arg)
{
    struct crowd *crowd = arg;
    struct fault fault;
    struct item *item;
    while ((item = desk_take(crowd->desk)) != NULL) {
        size_t key = (size_t)(*(const char *)item->message->key - '0');
        if (atomic_fetch_add(&crowd->with_key[key], 1))
            atomic_fetch_add(&crowd->together, 1);
        item->answers = outgoing_new("events", "k", 1, "v", 1, &fault);
        atomic_fetch_sub(&crowd->with_key[key], 1);
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
        assert_int_equal(desk_put(*state, message, &fault), 0);
    }
    int64_t until_ms = clock_now_ms() + 20000;
    struct timespec moment = {.tv_nsec = 1000000};
    /* nothing waits any more once there is room and nobody works: what is done is published by the revoke */
    while ((desk_full(*state) || desk_n_running(*state) || !desk_has_room(*state)) &&
           clock_now_ms() < until_ms)
        nanosleep(&moment, NULL);
    revoke(*state, false, 10000);
    desk_stop(*state);
    for (size_t i = 0; i < 3; i++)
        pthread_join(workers[i], NULL);
    desk_close(*state);
    pthread_join(committer, NULL);
    for (size_t i = 0; i < N_MESSAGES; i++)
        assert_int_equal(ledger.seen[i], 1);
    assert_int_equal(ledger.base, N_MESSAGES);
    assert_int_equal(crowd.together, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_is_committed_with_its_offset),
        TEST(an_abort_puts_everything_back),
        TEST(two_messages_of_one_request_are_never_worked_on_together),
        TEST(what_is_known_is_not_taken_twice),
        TEST(what_the_commit_says_is_done_is_not_taken),
        TEST(what_is_dropped_is_not_committed),
        TEST(revoking_waits_until_what_is_done_is_published),
        TEST(revoking_does_not_wait_forever),
        TEST(what_is_lost_is_not_published),
        TEST(work_goes_on_when_its_message_comes_again),
        TEST(the_desk_is_full_and_has_room_again),
        TEST(a_stopped_desk_gives_nothing_out),
        TEST(a_closed_desk_gives_no_batch),
        TEST(a_crowd_answers_each_message_once),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
