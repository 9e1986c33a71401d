#include "test_gather.h"

/* Far less than any deadline, pause or keep-alive of these tests; more than what starting a few processes takes. */
#define SOON_MS 8000

/* The request ends with `code` as a whole, long before anything that its sources wait for. */
static void expect_end(struct stage *stage, const char *code)
{
    int64_t before_ms = clock_now_ms();
    assert_int_equal(ask(stage), -1);
    assert_string_equal(stage->fault.code, code);
    assert_in_range(clock_now_ms() - before_ms, 0, SOON_MS);
}

static void make_patient(struct stage *stage)
{
    for (size_t i = 0; i < SOURCES_MAX; i++)
        stage->sources[i].deadline_s = stage->sources[i].resolve_deadline_s = stage->sources[i].keep_alive_s =
            60;
}

static void one_fetch_that_ends_the_request_stops_the_others(void **state)
{
    struct stage *stage = *state;
    make_patient(stage);
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD ",'heed']]}");
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[['meet','large']]}");
    open_up(stage);
    expect_end(stage, "too_large");
    assert_asked(stage, 0, "fetch things email=alice@example.test\ncancelled\n");
}

static void one_look_up_that_ends_the_request_stops_the_others(void **state)
{
    struct stage *stage = *state;
    make_patient(stage);
    add(stage, "panel",
        HELLO("'resolve':{'needs':['email'],'yields':['username']},",
              THINGS("'email'")) ",'resolve':['heed']}");
    add(stage, "billing",
        HELLO("'resolve':{'needs':['email'],'yields':['client_id']},",
              THINGS("'email'")) ",'resolve':['meet',"
                                 "{'type':'identity','kind':'client_id','value':'1'},{'type':'identity','"
                                 "kind':'client_id','value':'2'},"
                                 "{'type':'identity','kind':'client_id','value':'3'}]}");
    open_up(stage);
    expect_end(stage, "ambiguous");
    assert_asked(stage, 0, "resolve email=alice@example.test\ncancelled\n");
}

static void the_pause_before_another_try_ends_too(void **state)
{
    struct stage *stage = *state;
    stage->config.retry.first_ms = stage->config.retry.max_ms = 60000;
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}");
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[['meet','large']]}");
    open_up(stage);
    expect_end(stage, "too_large");
    assert_int_equal(count_asked(stage, 0), 1);
}

static void waiting_for_a_place_ends_too(void **state)
{
    struct stage *stage = *state;
    enum breaker_admission admission;
    add(stage, "panel", HELLO("", THINGS("'email'")) "}");
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[['large']]}");
    open_up(stage);
    struct catalog_source *panel = &stage->catalog->sources[0];
    for (unsigned i = 0; i < panel->config->max_concurrent; i++)
        assert_int_equal(catalog_enter(panel, stage->cancel, &admission, &stage->fault), 0);
    expect_end(stage, "too_large");
    assert_asked(stage, 0, "");
}

static void a_request_that_is_cancelled_between_tries_ends_as_cancelled(void **state)
{
    static const char *const plays[] = {HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}",
                                        HELLO("'resolve':{'needs':['email'],'yields':['username']},",
                                              THINGS("'email'")) ",'resolve':['crash']}"};
    struct stage *stage = *state;
    for (size_t i = 0; i < 2; i++) {
        pthread_t other;
        stage->config.retry.first_ms = stage->config.retry.max_ms = 60000;
        add(stage, "panel", plays[i]);
        open_up(stage);
        assert_int_equal(pthread_create(&other, NULL, cancel_once_asked, stage), 0);
        expect_end(stage, "cancelled");
        pthread_join(other, NULL);
        void *next, *old = stage;
        assert_int_equal(set_up(&next), 0);
        *state = stage = next;
        assert_int_equal(tear_down(&old), 0);
    }
}

static void what_ends_one_request_leaves_another_alone(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[['large'],[" RECORD "," END "]]}");
    open_up(stage);
    expect_end(stage, "too_large");
    assert_false(cancel_raised(stage->cancel));
    assert_int_equal(ask(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
}

/* --- one that answers a byte now and then --- */

static int64_t first_done_ms;

static void note_first(void *ctx, size_t n_done, size_t n_sources)
{
    if (n_done == 1)
        first_done_ms = clock_now_ms();
}

/* Of two sources, one dribbles; that one is the gap, with this code, and the other did not wait for it. */
static void expect_dribble(struct stage *stage, const char *code)
{
    add(stage, "panel", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD ",'dribble']]}");
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD "," END "]]}");
    stage->config.retry.attempts = 1;
    stage->progress_cb = note_first;
    open_up(stage);
    int64_t before_ms = clock_now_ms();
    assert_int_equal(ask(stage), 0);
    int64_t after_ms = clock_now_ms();
    assert_source(stage, 0, SOURCE_FAILED, code);
    assert_source(stage, 1, SOURCE_COMPLETE, NULL);
    assert_in_range(after_ms - before_ms, 3000, SOON_MS);
    assert_true(first_done_ms < after_ms - 1000);
    struct reader *reader = archive(stage);
    assert_int_equal(reader_n_entries(reader), 2);
    assert_true(test_find(reader, "shop/things.json") < 2);
    reader_free(reader);
}

static void the_deadline_ends_a_source_that_dribbles(void **state)
{
    struct stage *stage = *state;
    stage->sources[0].deadline_s = 3;
    expect_dribble(stage, "source_timeout");
}

static void bytes_of_one_message_are_no_signs_of_life(void **state)
{
    struct stage *stage = *state;
    stage->sources[0].keep_alive_s = 3;
    expect_dribble(stage, "source_silent");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_fetch_that_ends_the_request_stops_the_others),
        TEST(one_look_up_that_ends_the_request_stops_the_others),
        TEST(the_pause_before_another_try_ends_too),
        TEST(waiting_for_a_place_ends_too),
        TEST(a_request_that_is_cancelled_between_tries_ends_as_cancelled),
        TEST(what_ends_one_request_leaves_another_alone),
        TEST(the_deadline_ends_a_source_that_dribbles),
        TEST(bytes_of_one_message_are_no_signs_of_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
