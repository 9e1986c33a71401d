/* What a desk commits, and what becomes of it. */
#include "test_desk.h"

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

static void a_closed_desk_gives_no_batch(void **state)
{
    struct batch batch;
    put(*state, 0);
    answer(*state, take(*state, 0));
    desk_close(*state);
    assert_false(desk_batch(*state, 100, &batch));
    give_up(*state, false, 60000);
}

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
    const struct CMUnitTest tests[] = {
        TEST(what_is_done_is_committed_with_its_offset),
        TEST(what_is_done_without_an_answer_is_committed_too),
        TEST(an_abort_puts_everything_back_one_by_one),
        TEST(what_cannot_be_published_holds_up_no_other),
        TEST(an_unknown_transaction_is_settled_by_what_is_committed),
        TEST(an_unknown_transaction_with_foreign_words_stays_unknown),
        TEST(an_unknown_transaction_of_a_lost_partition_is_nobodys),
        TEST(what_is_known_is_not_taken_twice),
        TEST(what_the_commit_says_is_done_is_not_taken),
        TEST(what_is_dropped_is_not_committed),
        TEST(a_closed_desk_gives_no_batch),
        TEST(a_crowd_answers_each_message_once),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
