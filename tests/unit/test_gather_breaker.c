#include "test_gather.h"

#include <stdatomic.h>

#define FAILURES 5
#define THREADS  4
#define REQUESTS 1000

static void set_breaker(struct stage *stage, unsigned failures, unsigned open_s)
{
    stage->config.retry.breaker_failures = failures;
    stage->config.retry.breaker_open_s = open_s;
}

static void expect_state(struct stage *stage, const char *name)
{
    struct breaker *breaker = &stage->catalog->sources[0].breaker;
    assert_string_equal(breaker_state_name(breaker_state(breaker, clock_now_ms())), name);
}

/* Requests that several threads answer, as workers do. */
struct crowd {
    const struct stage *stage;
    atomic_int n_left;
    atomic_int n_wrong;
};

/* Answers the request on a stage of its own before the same sources: none of them answers, for now. */
static bool answer_one(const struct stage *stage)
{
    struct stage own = *stage;
    bool good = ask(&own) == 0 && !gather_result_complete(&own.result) &&
                gather_result_retryable(&own.result) && !gather_result_answered(&own.result);
    forget(&own);
    return good;
}

static void *answer_many(void *arg)
{
    struct crowd *crowd = arg;
    while (atomic_fetch_sub(&crowd->n_left, 1) > 0)
        if (!answer_one(crowd->stage))
            atomic_fetch_add(&crowd->n_wrong, 1);
    return NULL;
}

/* Answers a thousand requests; every one ends with a gap that another attempt may mend. */
static void answer_a_thousand(struct stage *stage)
{
    struct crowd crowd = {.stage = stage, .n_left = REQUESTS};
    pthread_t threads[THREADS];
    open_up(stage);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, answer_many, &crowd), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&crowd.n_wrong), 0);
    expect_state(stage, "open");
}

static void a_thousand_requests_hardly_ask_a_source_that_cannot_look_anybody_up(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, FAILURES, 600);
    add(stage, "panel",
        HELLO("'resolve':{'needs':['email'],'yields':['username']},",
              THINGS("'email'")) ",'resolve':['crash']}");
    answer_a_thousand(stage);
    /* one more for each that was at work when the last failure came */
    assert_in_range(count_asked(stage, 0), FAILURES, FAILURES + stage->sources[0].max_concurrent - 1);
}

static void a_thousand_requests_hardly_ask_a_source_that_gives_nothing(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, FAILURES, 600);
    stage->sources[0].max_concurrent = 1;
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}");
    answer_a_thousand(stage);
    assert_int_equal(count_asked(stage, 0), FAILURES);
}

static void failed_collections_alone_are_no_answer(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 2, 600);
    add(stage, "panel",
        HELLO("", THINGS("'email'")) ",'fetch':[[{'type':'end','collection':'things','status':'failed',"
                                     "'code':'source_unreachable','text':'no','retryable':true}]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "source_unreachable");
    expect_state(stage, "open");
}

static void an_answer_in_part_is_one(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 1, 600);
    add(stage, "panel",
        HELLO(
            "",
            THINGS(
                "'email'") ",{'name':'more','title':'More','category':'lies'}") ",'fetch':[[" RECORD "," END
                                                                                ",{'type':'end','collection':"
                                                                                "'more','status':'failed','"
                                                                                "code':'down','text':'no','"
                                                                                "retryable':true}]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_PARTIAL, "down");
    expect_state(stage, "closed");
}

static void no_pause_is_spent_on_a_source_that_is_left_alone(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 2, 600);
    stage->config.retry = (struct retry_config){
        .attempts = 20, .first_ms = 1, .max_ms = 60000, .breaker_failures = 2, .breaker_open_s = 600};
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}");
    assert_int_equal(gather(stage), 0);
    /* why it failed is known here, so it is not hidden behind the circuit */
    assert_source(stage, 0, SOURCE_FAILED, "source_crashed");
    assert_int_equal(count_asked(stage, 0), 2);
    stage->config.retry.first_ms = 60000;
    int64_t before_ms = clock_now_ms();
    assert_int_equal(ask(stage), 0);
    assert_in_range(clock_now_ms() - before_ms, 0, 5000);
    assert_source(stage, 0, SOURCE_FAILED, "circuit_open");
    assert_true(stage->result.sources[0].gap_retryable);
    assert_int_equal(count_asked(stage, 0), 2);
}

static void await_half_open(struct stage *stage)
{
    struct breaker *breaker = &stage->catalog->sources[0].breaker;
    int64_t until_ms = clock_now_ms() + 10000;
    while (breaker_state(breaker, clock_now_ms()) != BREAKER_HALF_OPEN && clock_now_ms() < until_ms)
        usleep(10000);
    expect_state(stage, "half_open");
}

static void a_source_that_is_back_is_asked_again(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 2, 1);
    add(stage, "panel",
        HELLO("", THINGS("'email'")) ",'fetch':[['crash'],['crash'],['crash'],[" RECORD "," END "]]}");
    assert_int_equal(gather(stage), 0);
    expect_state(stage, "open");
    await_half_open(stage);
    assert_int_equal(ask(stage), 0); /* one try, which fails: it is not tried again in place */
    assert_source(stage, 0, SOURCE_FAILED, "source_crashed");
    assert_int_equal(count_asked(stage, 0), 3);
    expect_state(stage, "open");
    assert_int_equal(ask(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "circuit_open");
    await_half_open(stage);
    assert_int_equal(ask(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
    expect_state(stage, "closed");
    assert_int_equal(count_asked(stage, 0), 4);
}

static void the_others_are_delivered(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 1, 600);
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}");
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD "," END "]]}");
    assert_int_equal(gather(stage), 0);
    assert_int_equal(ask(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "circuit_open");
    assert_source(stage, 1, SOURCE_COMPLETE, NULL);
}

static void what_is_wrong_with_one_request_is_not_counted(void **state)
{
    struct stage *stage = *state;
    set_breaker(stage, 1, 600);
    add(stage, "panel",
        HELLO("", THINGS("'email'")) ",'fetch':[[" FAILED("forbidden",
                                                          "false") "],['large'],[{'type':'surprise'}]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "forbidden");
    expect_state(stage, "closed");
    assert_int_equal(ask(stage), -1); /* ours: the record does not fit into a block */
    expect_state(stage, "closed");
    assert_int_equal(ask(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "source_protocol");
    expect_state(stage, "closed");
}

static void a_cancelled_try_is_not_counted(void **state)
{
    struct stage *stage = *state;
    pthread_t other;
    set_breaker(stage, 1, 600);
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[['heed']]}");
    assert_int_equal(pthread_create(&other, NULL, cancel_once_asked, stage), 0);
    assert_int_equal(gather(stage), -1);
    pthread_join(other, NULL);
    assert_string_equal(stage->fault.code, "cancelled");
    expect_state(stage, "closed");
}

static void *answer_one_alone(void *stage)
{
    return answer_one(stage) ? stage : NULL;
}

/* Nobody waits for a place at a source that is to be left alone: not even for one that is taken. */
static void those_who_wait_at_the_gate_go_when_it_opens(void **state)
{
    struct stage *stage = *state;
    pthread_t waiting;
    void *good;
    set_breaker(stage, 1, 600);
    add(stage, "panel", HELLO("", THINGS("'email'")) "}");
    open_up(stage);
    struct catalog_source *panel = &stage->catalog->sources[0];
    enum breaker_admission admission;
    for (unsigned i = 0; i < panel->config->max_concurrent; i++)
        assert_int_equal(catalog_enter(panel, stage->cancel, &admission, &stage->fault), 0);
    assert_int_equal(pthread_create(&waiting, NULL, answer_one_alone, stage), 0);
    usleep(50000); /* whether it waits by then or not, it must not get through */
    breaker_settle(&panel->breaker, admission, BREAKER_FAILED, clock_now_ms(), NULL);
    pthread_join(waiting, &good);
    assert_ptr_equal(good, stage);
    assert_int_equal(count_asked(stage, 0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_thousand_requests_hardly_ask_a_source_that_cannot_look_anybody_up),
        TEST(a_thousand_requests_hardly_ask_a_source_that_gives_nothing),
        TEST(failed_collections_alone_are_no_answer),
        TEST(an_answer_in_part_is_one),
        TEST(no_pause_is_spent_on_a_source_that_is_left_alone),
        TEST(a_source_that_is_back_is_asked_again),
        TEST(the_others_are_delivered),
        TEST(what_is_wrong_with_one_request_is_not_counted),
        TEST(a_cancelled_try_is_not_counted),
        TEST(those_who_wait_at_the_gate_go_when_it_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
