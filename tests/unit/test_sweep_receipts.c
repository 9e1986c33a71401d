/* Sweeps and receipts. */
#include "test_sweep.h"

static void what_a_sweep_that_died_has_hidden_is_judged_again(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    put_receipt(stage, NAMED ".zip");
    make_file(stage, ID "/.swept-" HIDDEN NAMED ".zip", true);
    make_file(stage, ID "/.swept-" HIDDEN OLD ".zip", true);
    make_file(stage, ID "/.swept-" HIDDEN YOUNG ".zip", false);
    expect_counts(stage, 0, 1, 0, 1);
    assert_true(there(stage, ID "/" NAMED ".zip"));
    assert_false(there(stage, ID "/.swept-" HIDDEN NAMED ".zip"));
    assert_false(there(stage, ID "/.swept-" HIDDEN OLD ".zip"));
    assert_true(there(stage, ID "/.swept-" HIDDEN YOUNG ".zip"));
}

static void one_that_cannot_be_read_keeps_every_bundle(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" OLD ".zip", true);
    make_folder(stage, ID "/receipt");
    expect_counts(stage, 0, 0, 0, 0);
    assert_true(there(stage, ID "/" OLD ".zip"));
}

static void that_of_another_attempt_or_of_none_keeps_no_bundle(void **state)
{
    static const char *const named[] = {NAMED ".zip", NULL};
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        put_receipt(stage, named[i]);
        make_file(stage, ID "/" OLD ".zip", true);
        expect_counts(stage, 0, 1, 0, 0);
        assert_int_equal(store_remove(stage->store, ID, "receipt", &fault), 0);
    }
}

static struct store_object *begun;

static void begin_receipt(const struct stage *stage)
{
    begun = begin_record(stage, A ".zip");
}

static void store_whole_receipt(const struct stage *stage)
{
    struct fault fault;
    assert_int_equal(store_receipt(stage, ID, A ".zip", &fault), 0);
}

static void fail_to_store_receipt(const struct stage *stage)
{
    struct fault fault;
    assert_int_equal(store_receipt(stage, ID, A ".zip", &fault), -1);
    assert_string_equal(fault.code, "bundle_gone");
}

static void a_receipt_in_the_making_keeps_its_bundle(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    begin_receipt(stage);
    expect_counts(stage, 0, 0, 0, 0);
    assert_int_equal(store_commit(begun, &fault), 0);
    expect_counts(stage, 0, 0, 0, 0);
    assert_true(there(stage, ID "/" A ".zip"));
}

static void one_that_was_swept_itself_cannot_be_committed(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    begin_receipt(stage);
    struct sweep_counts counts;
    struct cancel *cancel;
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    /* whatever was written up to now is old */
    for (int i = 0; i < 2; i++)
        assert_int_equal(sweep_run(stage->store, -2, cancel, &counts, &fault), 0);
    cancel_free(cancel);
    assert_false(there(stage, ID "/" A ".zip"));
    assert_int_equal(store_commit(begun, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
    assert_false(there(stage, ID "/receipt"));
}

static void a_receipt_begun_while_its_bundle_is_hidden_brings_it_back(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.after = begin_receipt;
    expect_counts(stage, 0, 0, 0, 1);
    assert_true(there(stage, ID "/" A ".zip"));
    assert_int_equal(store_commit(begun, &fault), 0);
}

static void a_receipt_stored_before_its_bundle_is_hidden_brings_it_back(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.before = store_whole_receipt;
    expect_counts(stage, 0, 0, 0, 1);
    assert_true(there(stage, ID "/" A ".zip"));
    assert_true(there(stage, ID "/receipt"));
}

static void no_receipt_is_stored_of_a_hidden_bundle(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.after = fail_to_store_receipt;
    expect_counts(stage, 0, 1, 0, 0);
    assert_false(there(stage, ID "/" A ".zip"));
    assert_false(there(stage, ID "/receipt"));
}

struct storer {
    const struct stage *stage;
    int number;
    bool stored[N_ROUNDS];
    bool wrong;
};

/* Each round is about a request of its own. */
static void name_request(char request[40], int storer, int round)
{
    snprintf(request, 40, "2c0e5a1e-0000-4000-8000-%06x%06x", (unsigned)storer, (unsigned)round);
}

static void *store_late(void *arg)
{
    struct storer *storer = arg;
    struct fault fault;
    for (int i = 0; i < N_ROUNDS; i++) {
        char request[40], bundle[96];
        name_request(request, storer->number, i);
        snprintf(bundle, sizeof bundle, "%s/" A ".zip", request);
        make_folder(storer->stage, request);
        make_file(storer->stage, bundle, true);
        storer->stored[i] = store_receipt(storer->stage, request, A ".zip", &fault) == 0;
        if (!storer->stored[i] && strcmp(fault.code, "bundle_gone") != 0)
            storer->wrong = true;
    }
    return NULL;
}

struct sweeper {
    const struct stage *stage;
    atomic_bool *done;
    struct sweep_counts sum;
};

static void *sweep_on(void *arg)
{
    struct sweeper *sweeper = arg;
    while (!atomic_load(sweeper->done)) {
        struct sweep_counts counts = sweep(sweeper->stage);
        sweeper->sum.n_unnamed += counts.n_unnamed;
        sweeper->sum.n_put_back += counts.n_put_back;
    }
    return NULL;
}

static void there_is_never_a_receipt_without_its_bundle(void **state)
{
    const struct stage *stage = *state;
    struct storer storers[N_STORERS] = {0};
    struct sweeper sweepers[N_SWEEPS] = {0};
    pthread_t storing[N_STORERS], sweeping[N_SWEEPS];
    atomic_bool done;
    atomic_init(&done, false);
    for (int i = 0; i < N_SWEEPS; i++) {
        sweepers[i] = (struct sweeper){.stage = stage, .done = &done};
        assert_int_equal(pthread_create(&sweeping[i], NULL, sweep_on, &sweepers[i]), 0);
    }
    for (int i = 0; i < N_STORERS; i++) {
        storers[i].stage = stage;
        storers[i].number = i;
        assert_int_equal(pthread_create(&storing[i], NULL, store_late, &storers[i]), 0);
    }
    for (int i = 0; i < N_STORERS; i++)
        pthread_join(storing[i], NULL);
    atomic_store(&done, true);
    for (int i = 0; i < N_SWEEPS; i++)
        pthread_join(sweeping[i], NULL);
    size_t n_stored = 0, n_unnamed = sweep(stage).n_unnamed;
    for (int i = 0; i < N_SWEEPS; i++)
        n_unnamed += sweepers[i].sum.n_unnamed;
    for (int i = 0; i < N_STORERS; i++) {
        assert_false(storers[i].wrong);
        for (int k = 0; k < N_ROUNDS; k++) {
            char request[40], receipt[96], bundle[96];
            name_request(request, i, k);
            snprintf(receipt, sizeof receipt, "%s/receipt", request);
            snprintf(bundle, sizeof bundle, "%s/" A ".zip", request);
            assert_int_equal(there(stage, receipt), storers[i].stored[k]);
            assert_int_equal(there(stage, bundle), storers[i].stored[k]);
            n_stored += storers[i].stored[k];
        }
    }
    assert_int_equal(n_stored + n_unnamed, N_STORERS * N_ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_sweep_that_died_has_hidden_is_judged_again),
        TEST(one_that_cannot_be_read_keeps_every_bundle),
        TEST(that_of_another_attempt_or_of_none_keeps_no_bundle),
        TEST(a_receipt_in_the_making_keeps_its_bundle),
        TEST(one_that_was_swept_itself_cannot_be_committed),
        TEST(a_receipt_begun_while_its_bundle_is_hidden_brings_it_back),
        TEST(a_receipt_stored_before_its_bundle_is_hidden_brings_it_back),
        TEST(no_receipt_is_stored_of_a_hidden_bundle),
        TEST(there_is_never_a_receipt_without_its_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
