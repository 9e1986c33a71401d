#include "gather/breaker.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FAILURES 3
#define OPEN_S   10
#define OPEN_MS  10000

/* A breaker, the time of its tests, and what it wrote. */
struct stage {
    struct breaker breaker;
    int64_t now_ms;
    int fd;
    struct log *log;
};

static void set_up(struct stage *stage, unsigned failures)
{
    *stage = (struct stage){.now_ms = 1000, .fd = memfd_create("log", MFD_CLOEXEC)};
    stage->log = log_new(stage->fd, LOG_LEVEL_DEBUG, false);
    assert_non_null(stage->log);
    breaker_init(&stage->breaker, "panel", failures, OPEN_S);
}

static void tear_down(struct stage *stage)
{
    breaker_destroy(&stage->breaker);
    log_free(stage->log);
    close(stage->fd);
}

static enum breaker_admission admit(struct stage *stage)
{
    bool refuses = breaker_refuses(&stage->breaker, stage->now_ms);
    enum breaker_admission admission = breaker_admit(&stage->breaker, stage->now_ms);
    assert_int_equal(refuses, admission == BREAKER_REFUSED);
    return admission;
}

static void settle(struct stage *stage, enum breaker_admission admission, enum breaker_verdict verdict)
{
    breaker_settle(&stage->breaker, admission, verdict, stage->now_ms, stage->log);
}

static void try_it(struct stage *stage, enum breaker_admission expected, enum breaker_verdict verdict)
{
    assert_int_equal(admit(stage), expected);
    settle(stage, expected, verdict);
}

static void open_it(struct stage *stage)
{
    for (int i = 0; i < FAILURES; i++)
        try_it(stage, BREAKER_ADMITTED, BREAKER_FAILED);
}

static void expect_state(struct stage *stage, const char *name)
{
    assert_string_equal(breaker_state_name(breaker_state(&stage->breaker, stage->now_ms)), name);
}

/* How many lines hold `text`. */
static unsigned count_lines(const struct stage *stage, const char *text)
{
    char all[4096];
    unsigned n = 0;
    ssize_t len = pread(stage->fd, all, sizeof all - 1, 0);
    assert_true(len >= 0);
    all[len] = '\0';
    for (const char *at = all; (at = strstr(at, text)); at++)
        n++;
    return n;
}

static void failures_one_after_another_open_it(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    expect_state(&stage, "closed");
    for (int i = 0; i + 1 < FAILURES; i++)
        try_it(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    expect_state(&stage, "closed");
    try_it(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    expect_state(&stage, "open");
    assert_int_equal(admit(&stage), BREAKER_REFUSED);
    stage.now_ms += OPEN_MS - 1;
    assert_int_equal(admit(&stage), BREAKER_REFUSED);
    tear_down(&stage);
}

static void an_answer_between_failures_keeps_it_closed(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    for (int i = 0; i < 4 * FAILURES; i++)
        try_it(&stage, BREAKER_ADMITTED, i % FAILURES ? BREAKER_FAILED : BREAKER_ANSWERED);
    expect_state(&stage, "closed");
    tear_down(&stage);
}

static void what_decides_nothing_is_not_counted(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    for (int i = 0; i < 4 * FAILURES; i++)
        try_it(&stage, BREAKER_ADMITTED, BREAKER_UNDECIDED);
    expect_state(&stage, "closed");
    /* nor does it stand between failures */
    for (int i = 0; i < FAILURES; i++) {
        try_it(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
        if (i + 1 < FAILURES)
            try_it(&stage, BREAKER_ADMITTED, BREAKER_UNDECIDED);
    }
    expect_state(&stage, "open");
    tear_down(&stage);
}

static void without_a_limit_it_stays_closed(void **state)
{
    struct stage stage;
    set_up(&stage, 0);
    for (int i = 0; i < 5000; i++)
        try_it(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    expect_state(&stage, "closed");
    tear_down(&stage);
}

static void one_try_decides_after_the_time(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    open_it(&stage);
    stage.now_ms += OPEN_MS;
    expect_state(&stage, "half_open");
    assert_int_equal(admit(&stage), BREAKER_TRIAL);
    expect_state(&stage, "half_open");
    assert_int_equal(admit(&stage), BREAKER_REFUSED);
    settle(&stage, BREAKER_TRIAL, BREAKER_ANSWERED);
    expect_state(&stage, "closed");
    /* and all is as at the beginning */
    open_it(&stage);
    stage.now_ms += OPEN_MS - 1;
    expect_state(&stage, "open");
    tear_down(&stage);
}

static void each_failed_trial_doubles_the_time_up_to_ten_times(void **state)
{
    static const int64_t times[] = {1, 2, 4, 8, 10, 10};
    struct stage stage;
    set_up(&stage, FAILURES);
    open_it(&stage);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        stage.now_ms += times[i] * OPEN_MS - 1;
        assert_int_equal(admit(&stage), BREAKER_REFUSED);
        stage.now_ms++;
        try_it(&stage, BREAKER_TRIAL, BREAKER_FAILED);
        expect_state(&stage, "open");
    }
    tear_down(&stage);
}

static void a_trial_that_decides_nothing_leaves_it_to_the_next(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    open_it(&stage);
    stage.now_ms += OPEN_MS;
    try_it(&stage, BREAKER_TRIAL, BREAKER_UNDECIDED);
    expect_state(&stage, "half_open");
    try_it(&stage, BREAKER_TRIAL, BREAKER_FAILED);
    stage.now_ms += 2 * OPEN_MS - 1;
    expect_state(&stage, "open");
    tear_down(&stage);
}

static void a_trial_that_takes_long_does_not_hold_up_the_next(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    open_it(&stage);
    stage.now_ms += OPEN_MS;
    assert_int_equal(admit(&stage), BREAKER_TRIAL);
    stage.now_ms += OPEN_MS - 1;
    assert_int_equal(admit(&stage), BREAKER_REFUSED);
    stage.now_ms++;
    try_it(&stage, BREAKER_TRIAL, BREAKER_ANSWERED);
    expect_state(&stage, "closed");
    tear_down(&stage);
}

static void what_was_let_through_before_it_opened_may_close_it_only(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    for (int i = 0; i < 3; i++)
        assert_int_equal(admit(&stage), BREAKER_ADMITTED);
    open_it(&stage);
    stage.now_ms += OPEN_MS - 1;
    settle(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    stage.now_ms++;
    assert_int_equal(admit(&stage), BREAKER_TRIAL); /* neither longer nor counted anew */
    settle(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    expect_state(&stage, "half_open");
    settle(&stage, BREAKER_ADMITTED, BREAKER_ANSWERED);
    expect_state(&stage, "closed");
    tear_down(&stage);
}

static void opening_and_closing_are_lines_in_the_log(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    open_it(&stage);
    assert_int_equal(count_lines(&stage, "source panel: it keeps failing, so it is left alone for 10 s"), 1);
    settle(&stage, BREAKER_ADMITTED, BREAKER_FAILED);
    stage.now_ms += OPEN_MS;
    try_it(&stage, BREAKER_TRIAL, BREAKER_FAILED);
    assert_int_equal(count_lines(&stage, "left alone for 20 s"), 1);
    stage.now_ms += 2 * OPEN_MS;
    try_it(&stage, BREAKER_TRIAL, BREAKER_ANSWERED);
    try_it(&stage, BREAKER_ADMITTED, BREAKER_ANSWERED);
    assert_int_equal(count_lines(&stage, "source panel: it answers again"), 1);
    assert_int_equal(count_lines(&stage, "\n"), 3);
    tear_down(&stage);
}

struct crowd {
    struct breaker *breaker;
    atomic_uint n_asked;
};

static void *ask_again_and_again(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 1000; i++) {
        enum breaker_admission admission = breaker_admit(crowd->breaker, 0);
        if (admission == BREAKER_REFUSED)
            continue;
        atomic_fetch_add(&crowd->n_asked, 1);
        breaker_settle(crowd->breaker, admission, BREAKER_FAILED, 0, NULL);
    }
    return NULL;
}

static void a_crowd_asks_hardly_more_often_than_one(void **state)
{
    struct stage stage;
    set_up(&stage, FAILURES);
    struct crowd crowd = {.breaker = &stage.breaker};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_again_and_again, &crowd), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    /* each thread may have been let through before the last failure was known */
    assert_in_range(atomic_load(&crowd.n_asked), FAILURES, FAILURES + 3);
    tear_down(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_one_after_another_open_it),
        cmocka_unit_test(an_answer_between_failures_keeps_it_closed),
        cmocka_unit_test(what_decides_nothing_is_not_counted),
        cmocka_unit_test(without_a_limit_it_stays_closed),
        cmocka_unit_test(one_try_decides_after_the_time),
        cmocka_unit_test(each_failed_trial_doubles_the_time_up_to_ten_times),
        cmocka_unit_test(a_trial_that_decides_nothing_leaves_it_to_the_next),
        cmocka_unit_test(a_trial_that_takes_long_does_not_hold_up_the_next),
        cmocka_unit_test(what_was_let_through_before_it_opened_may_close_it_only),
        cmocka_unit_test(opening_and_closing_are_lines_in_the_log),
        cmocka_unit_test(a_crowd_asks_hardly_more_often_than_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
