#include "outcome/acceptance.h"
#include "test_records.h"

#include <pthread.h>

#define ID        "2c0e5a1e-0000-4000-8000-000000000001"
#define SOURCE    "//portal.example"
#define N_THREADS 8
#define DUE       INT64_C(1798012800)

static const struct request request = {.id = ID, .due_unix_s = DUE, .sha256 = {0xab}},
                            altered = {.id = ID, .sha256 = {0xac}};
#define CAME INT64_C(1795420800)

static const struct origin here = {"requests", 3, 9007199254740993}, there = {"requests", 3, 7};

static enum acceptance take(const struct stage *stage, const struct request *which,
                            const struct origin *origin)
{
    struct fault fault;
    enum acceptance acceptance;
    int64_t received_unix_s = CAME;
    if (acceptance_take(&stage->records, which, SOURCE, origin, &received_unix_s, &acceptance, &fault))
        fail_msg("%s", fault.text);
    return acceptance;
}

static bool matches(const struct stage *stage, unsigned char first, const char *source)
{
    const unsigned char sha256[32] = {first};
    struct fault fault;
    struct origin origin;
    int64_t due;
    json_t *json;
    assert_int_equal(acceptance_find(&stage->records, ID, sha256, source, &json, &origin, &due, &fault), 0);
    if (json) {
        assert_true(origin_equal(&origin, &here));
        assert_int_equal(due, DUE);
    }
    json_decref(json);
    return json;
}

static void a_request_belongs_to_the_first_message(void **state)
{
    const struct stage *stage = *state;
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
    assert_int_equal(take(stage, &request, &there), ACCEPTANCE_REPEATED);
    assert_int_equal(take(stage, &altered, &there), ACCEPTANCE_DIFFERENT);
    /* a topic that was made anew counts its messages from the start */
    assert_int_equal(take(stage, &altered, &here), ACCEPTANCE_DIFFERENT);
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
}

static void each_part_of_the_origin_tells_messages_apart(void **state)
{
    const struct stage *stage = *state;
    static const struct origin others[] = {
        {"other", 3, 9007199254740993}, {"requests", 4, 9007199254740993}, {"requests", 3, 9007199254740992}};
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(take(stage, &request, &others[i]), ACCEPTANCE_REPEATED);
}

static void it_is_known_what_was_accepted(void **state)
{
    const struct stage *stage = *state;
    assert_false(matches(stage, 0xab, SOURCE));
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
    assert_true(matches(stage, 0xab, SOURCE));
    assert_false(matches(stage, 0xac, SOURCE));
    assert_false(matches(stage, 0xab, "//somebody.else"));
}

static void one_that_is_not_genuine_is_a_fault(void **state)
{
    const struct stage *stage = *state;
    int64_t came = CAME;
    const unsigned char sha256[32] = {0};
    struct fault fault;
    enum acceptance acceptance;
    struct origin origin;
    int64_t due;
    json_t *json;
    put_object(stage, ID, "accepted", "{}\nx\n", 5);
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &here, &came, &acceptance, &fault),
                     -1);
    assert_string_equal(fault.code, "bad_record");
    assert_false(fault.retryable);
    assert_int_equal(acceptance_find(&stage->records, ID, sha256, SOURCE, &json, &origin, &due, &fault), -1);
    assert_null(json);
    assert_string_equal(fault.code, "bad_record");
    json_t *empty = json_object();
    assert_int_equal(store_remove(stage->store, ID, "accepted", &fault), 0);
    assert_int_equal(record_store(&stage->records, ID, "accepted", "acceptance", empty, &fault), 0);
    json_decref(empty);
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &here, &came, &acceptance, &fault),
                     -1);
    assert_string_equal(fault.code, "bad_record");
}

static void one_that_is_found_is_made_durable(void **state)
{
    const struct stage *stage = *state;
    int64_t came = CAME;
    struct fault fault;
    enum acceptance acceptance;
    assert_int_equal(take(stage, &request, &here), ACCEPTANCE_OURS);
    disk_fails = true;
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &here, &came, &acceptance, &fault),
                     -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
}

static void the_first_time_is_kept(void **state)
{
    const struct stage *stage = *state;
    enum acceptance acceptance;
    struct fault fault;
    bool accepted;
    int64_t came = CAME, again = CAME + 5, other = CAME + 9;
    assert_int_equal(acceptance_recall(&stage->records, &request, SOURCE, &here, &accepted, &again, &fault),
                     0);
    assert_false(accepted);
    assert_int_equal(again, CAME + 5);
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &here, &came, &acceptance, &fault),
                     0);
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &here, &again, &acceptance, &fault),
                     0);
    assert_int_equal(again, CAME);
    assert_int_equal(acceptance_take(&stage->records, &request, SOURCE, &there, &other, &acceptance, &fault),
                     0);
    assert_int_equal(acceptance, ACCEPTANCE_REPEATED);
    assert_int_equal(other, CAME + 9);

    const struct {
        const struct request *request;
        const char *source;
        const struct origin *origin;
        bool accepted;
    } rows[] = {
        {&request, SOURCE, &here, true},
        {&altered, SOURCE, &here, false},
        {&request, "//somebody.else", &here, false},
        {&request, SOURCE, &there, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t received_unix_s = 0;
        assert_int_equal(acceptance_recall(&stage->records, rows[i].request, rows[i].source, rows[i].origin,
                                           &accepted, &received_unix_s, &fault),
                         0);
        assert_int_equal(accepted, rows[i].accepted);
        assert_int_equal(received_unix_s, rows[i].accepted ? CAME : 0);
    }
}

static enum acceptance take_attempt(const struct stage *stage, unsigned n_attempts,
                                    const struct origin *place)
{
    enum acceptance acceptance;
    struct fault fault;
    if (acceptance_take_attempt(&stage->records, ID, n_attempts, place, &acceptance, &fault))
        fail_msg("%s", fault.text);
    return acceptance;
}

static void each_attempt_belongs_to_the_first_message(void **state)
{
    const struct stage *stage = *state;
    static const struct origin parked = {"retry", 3, 5}, copy = {"retry", 3, 6}, elsewhere = {"retry", 2, 5};
    assert_int_equal(take_attempt(stage, 1, &parked), ACCEPTANCE_OURS);
    assert_int_equal(take_attempt(stage, 1, &parked), ACCEPTANCE_OURS);
    assert_int_equal(take_attempt(stage, 1, &copy), ACCEPTANCE_REPEATED);
    assert_int_equal(take_attempt(stage, 1, &elsewhere), ACCEPTANCE_REPEATED);
    assert_int_equal(take_attempt(stage, 2, &copy), ACCEPTANCE_OURS);
    assert_int_equal(take_attempt(stage, 2, &parked), ACCEPTANCE_REPEATED);

    enum acceptance acceptance;
    struct fault fault;
    put_object(stage, ID, "attempt-3", "{}\nx\n", 5);
    assert_int_equal(acceptance_take_attempt(&stage->records, ID, 3, &parked, &acceptance, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    disk_fails = true;
    assert_int_equal(acceptance_take_attempt(&stage->records, ID, 1, &parked, &acceptance, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
}

struct racer {
    const struct stage *stage;
    pthread_barrier_t *start;
    struct request request;
    struct origin origin;
    enum acceptance acceptance;
    bool failed;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct fault fault;
    pthread_barrier_wait(racer->start);
    int64_t came = CAME;
    racer->failed = acceptance_take(&racer->stage->records, &racer->request, SOURCE, &racer->origin, &came,
                                    &racer->acceptance, &fault) != 0;
    return NULL;
}

static void of_many_at_once_exactly_one_has_it(void **state)
{
    for (int round = 0; round < 20; round++) {
        pthread_barrier_t start;
        pthread_t threads[N_THREADS];
        struct racer racers[N_THREADS];
        size_t n_ours = 0;
        pthread_barrier_init(&start, NULL, N_THREADS);
        for (size_t i = 0; i < N_THREADS; i++) {
            racers[i] = (struct racer){.stage = *state,
                                       .start = &start,
                                       .request = request,
                                       .origin = {"requests", (int32_t)i, round}};
            snprintf(racers[i].request.id, sizeof racers[i].request.id, "2c0e5a1e-0000-4000-8000-%012d",
                     round);
            assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
        }
        for (size_t i = 0; i < N_THREADS; i++)
            pthread_join(threads[i], NULL);
        for (size_t i = 0; i < N_THREADS; i++) {
            assert_false(racers[i].failed);
            n_ours += racers[i].acceptance == ACCEPTANCE_OURS;
            assert_int_not_equal(racers[i].acceptance, ACCEPTANCE_DIFFERENT);
        }
        assert_int_equal(n_ours, 1);
        pthread_barrier_destroy(&start);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(a_request_belongs_to_the_first_message),
        TEST(each_part_of_the_origin_tells_messages_apart),
        TEST(it_is_known_what_was_accepted),
        TEST(one_that_is_not_genuine_is_a_fault),
        TEST(one_that_is_found_is_made_durable),
        TEST(the_first_time_is_kept),
        TEST(each_attempt_belongs_to_the_first_message),
        TEST(of_many_at_once_exactly_one_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
