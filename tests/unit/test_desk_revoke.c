/* Partitions that a desk has to give up. */
#include "test_desk.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(revoking_waits_until_what_is_done_is_published), TEST(revoking_does_not_wait_forever),
        TEST(revoking_does_not_wait_for_what_was_aborted),    TEST(what_is_lost_is_not_published),
        TEST(work_goes_on_when_its_message_comes_again),
    };
    return cmocka_run_group_tests(tests, open_kafka, close_kafka);
}
