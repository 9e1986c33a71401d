#include "base/cancel.h"
#include "base/clock.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct cancel *make(void)
{
    struct cancel *cancel;
    struct fault fault;
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    return cancel;
}

static void a_flag_is_raised_for_good(void **state)
{
    struct cancel *cancel = make();
    struct pollfd p = {.fd = cancel_fd(cancel), .events = POLLIN};
    assert_false(cancel_raised(cancel));
    assert_int_equal(poll(&p, 1, 0), 0);
    for (int i = 0; i < 3; i++) {
        cancel_raise(cancel);
        assert_true(cancel_raised(cancel));
        assert_int_equal(poll(&p, 1, 0), 1);
        assert_true(cancel_wait(cancel, 0));
    }
    cancel_free(cancel);
    cancel_free(NULL);
}

static void waiting_ends_when_the_time_is_over(void **state)
{
    struct cancel *cancel = make();
    int64_t before_ms = clock_now_ms();
    assert_false(cancel_wait(cancel, 30));
    assert_in_range(clock_now_ms() - before_ms, 30, 2000);
    cancel_free(cancel);
}

static void *wait_long(void *cancel)
{
    return cancel_wait(cancel, 60000) ? cancel : NULL;
}

static void one_flag_wakes_all_who_wait(void **state)
{
    struct cancel *cancel = make();
    pthread_t waiting[4];
    void *raised;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&waiting[i], NULL, wait_long, cancel), 0);
    cancel_raise(cancel);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(waiting[i], &raised);
        assert_ptr_equal(raised, cancel);
    }
    cancel_free(cancel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_is_raised_for_good),
        cmocka_unit_test(waiting_ends_when_the_time_is_over),
        cmocka_unit_test(one_flag_wakes_all_who_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
