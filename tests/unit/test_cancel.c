#include "base/cancel.h"
#include "base/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

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

static struct cancel *make_below(const struct cancel *parent)
{
    struct cancel *cancel;
    struct fault fault;
    assert_int_equal(cancel_new_child(&cancel, parent, &fault), 0);
    return cancel;
}

static bool readable(const struct cancel *cancel)
{
    struct pollfd p = {.fd = cancel_fd(cancel), .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void assert_flag(const struct cancel *cancel, bool raised)
{
    assert_int_equal(cancel_raised(cancel), raised);
    assert_int_equal(readable(cancel), raised);
    assert_int_equal(cancel_wait(cancel, 0), raised);
}

static void a_flag_is_raised_with_the_one_above_it(void **state)
{
    struct cancel *top = make(), *middle = make_below(top), *bottom = make_below(middle);
    assert_flag(bottom, false);
    cancel_raise(top);
    assert_flag(middle, true);
    assert_flag(bottom, true);
    struct cancel *late = make_below(top);
    assert_flag(late, true);
    cancel_free(late);
    cancel_free(bottom);
    cancel_free(middle);
    cancel_free(top);
}

static void a_flag_leaves_those_above_and_beside_it_alone(void **state)
{
    struct cancel *top = make(), *one = make_below(top), *other = make_below(top);
    cancel_raise(one);
    assert_flag(one, true);
    assert_flag(top, false);
    assert_flag(other, false);
    cancel_free(one);
    assert_flag(top, false);
    cancel_raise(top);
    assert_flag(other, true);
    cancel_free(other);
    cancel_free(top);
}

static void raising_a_flag_wakes_those_who_wait_below(void **state)
{
    struct cancel *top = make(), *below[3];
    pthread_t waiting[3];
    void *raised;
    for (size_t i = 0; i < 3; i++) {
        below[i] = make_below(i ? below[i - 1] : top);
        assert_int_equal(pthread_create(&waiting[i], NULL, wait_long, below[i]), 0);
    }
    cancel_raise(top);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(waiting[i], &raised);
        assert_ptr_equal(raised, below[i]);
    }
    for (size_t i = 3; i-- > 0;)
        cancel_free(below[i]);
    cancel_free(top);
}

static struct cancel *for_signal;

static void raise_it(int number)
{
    (void)number;
    cancel_raise(for_signal);
}

static void a_signal_may_raise_what_stands_above(void **state)
{
    const struct sigaction action = {.sa_handler = raise_it};
    struct sigaction before;
    for_signal = make();
    struct cancel *below = make_below(for_signal);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    raise(SIGUSR1);
    assert_flag(below, true);
    sigaction(SIGUSR1, &before, NULL);
    cancel_free(below);
    cancel_free(for_signal);
}

static void without_descriptors_there_is_no_flag(void **state)
{
    struct cancel *top = make(), *below = NULL;
    struct rlimit before, few;
    struct fault fault;
    int next = fcntl(cancel_fd(top), F_DUPFD_CLOEXEC, 0);
    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    for (rlim_t more = 0; more < 2; more++) { /* none, and one where two are needed */
        few = (struct rlimit){(rlim_t)next + more, before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &few);
        int result = cancel_new_child(&below, top, &fault);
        setrlimit(RLIMIT_NOFILE, &before);
        assert_int_equal(result, -1);
        assert_string_equal(fault.code, "no_descriptor");
        assert_true(fault.retryable);
    }
    int again = fcntl(cancel_fd(top), F_DUPFD_CLOEXEC, 0);
    assert_int_equal(again, next); /* nothing was left open */
    close(again);
    cancel_free(top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_is_raised_for_good),
        cmocka_unit_test(waiting_ends_when_the_time_is_over),
        cmocka_unit_test(one_flag_wakes_all_who_wait),
        cmocka_unit_test(a_flag_is_raised_with_the_one_above_it),
        cmocka_unit_test(a_flag_leaves_those_above_and_beside_it_alone),
        cmocka_unit_test(raising_a_flag_wakes_those_who_wait_below),
        cmocka_unit_test(a_signal_may_raise_what_stands_above),
        cmocka_unit_test(without_descriptors_there_is_no_flag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
