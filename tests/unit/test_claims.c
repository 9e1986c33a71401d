#include "base/clock.h"
#include "outcome/claims.h"
#include "test_records.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#define ID          "2c0e5a1e-0000-4000-8000-000000000001"
#define DEAD_MS     3000 /* three intervals */
#define DEADLINE_MS 15000
#define N_THREADS   8

static struct claims *new_claims(const struct stage *stage, const char *worker, struct log *log)
{
    const struct claims_options options = {
        .store = stage->store, .log = log, .worker = worker, .interval_s = 1};
    struct claims *claims;
    struct fault fault;
    if (claims_new(&claims, &options, &fault))
        fail_msg("%s", fault.text);
    return claims;
}

static struct claim *take(struct claims *claims, struct claim_sight *sight)
{
    struct claim *claim;
    struct fault fault;
    if (claim_take(claims, ID, sight, &claim, &fault))
        fail_msg("%s", fault.text);
    return claim;
}

static struct claim *take_at_once(struct claims *claims)
{
    struct claim_sight sight = {0};
    return take(claims, &sight);
}

static void pause_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* Looks again and again. Says how long it took. */
static struct claim *take_in_time(struct claims *claims, int64_t *took_ms)
{
    struct claim_sight sight = {0};
    struct claim *claim;
    int64_t start_ms = clock_now_ms();
    while (!(claim = take(claims, &sight))) {
        *took_ms = clock_now_ms() - start_ms;
        assert_true(*took_ms < DEADLINE_MS);
        pause_ms(50);
    }
    *took_ms = clock_now_ms() - start_ms;
    return claim;
}

/* What the file says; NULL without one. */
static json_t *content(const struct stage *stage)
{
    struct buf text;
    struct fault fault;
    buf_init(&text, 65536);
    json_t *json = NULL;
    if (store_read(stage->store, ID, "claim", &text, &fault) == 0)
        json = json_loadb(text.data, text.len, 0, NULL);
    else
        assert_string_equal(fault.code, "not_found");
    buf_wipe(&text);
    return json;
}

static json_int_t count_in(const struct stage *stage)
{
    json_t *json = content(stage);
    assert_non_null(json);
    json_int_t count = json_integer_value(json_object_get(json, "count"));
    json_decref(json);
    return count;
}

static void expect_worker(const struct stage *stage, const char *worker)
{
    json_t *json = content(stage);
    assert_string_equal(json_string_value(json_object_get(json, "worker")), worker);
    json_decref(json);
}

/* Waits until the claim has been renewed `n` times. */
static void await_renewals(const struct stage *stage, int n)
{
    int64_t until_ms = clock_now_ms() + DEADLINE_MS;
    json_int_t before = count_in(stage);
    while (count_in(stage) < before + n) {
        assert_true(clock_now_ms() < until_ms);
        pause_ms(20);
    }
}

static void a_claim_is_one_workers_until_it_is_released(void **state)
{
    const struct stage *stage = *state;
    struct claims *a = new_claims(stage, "a", NULL), *b = new_claims(stage, "b", NULL);
    struct claim *claim = take_at_once(a);
    assert_non_null(claim);
    assert_null(take_at_once(b));
    claim_release(claim);
    assert_null(content(stage));
    claim = take_at_once(b);
    assert_non_null(claim);
    assert_null(take_at_once(a));
    claim_release(claim);
    claim_release(NULL);
    claims_free(a);
    claims_free(b);
    claims_free(NULL);
}

static void a_worker_claims_a_request_once(void **state)
{
    const struct stage *stage = *state;
    struct claims *a = new_claims(stage, "a", NULL);
    struct claim *claim = take_at_once(a);
    assert_non_null(claim);
    assert_null(take_at_once(a));
    claim_release(claim);
    claims_free(a);
}

static void a_live_claim_is_never_taken_over(void **state)
{
    const struct stage *stage = *state;
    struct claims *a = new_claims(stage, "a", NULL), *b = new_claims(stage, "b", NULL);
    struct claim *claim = take_at_once(a);
    struct claim_sight sight = {0};
    for (int64_t until_ms = clock_now_ms() + DEAD_MS + 1500; clock_now_ms() < until_ms; pause_ms(50))
        assert_null(take(b, &sight));
    assert_true(clock_now_ms() - sight.since_ms < DEAD_MS);
    claim_release(claim);
    claims_free(a);
    claims_free(b);
}

/* What a worker that was killed has left. */
static void leave_claim(const struct stage *stage, const char *text)
{
    put_object(stage, ID, "claim", text, strlen(text));
}

static void expect_death(const struct stage *stage, const char *text)
{
    struct claims *b = new_claims(stage, "b", NULL);
    int64_t took_ms;
    leave_claim(stage, text);
    struct claim *claim = take_in_time(b, &took_ms);
    assert_true(took_ms >= DEAD_MS);
    expect_worker(stage, "b");
    claim_release(claim);
    claims_free(b);
}

static void a_dead_one_is_taken_over_after_three_intervals(void **state)
{
    expect_death(*state, "{\"worker\":\"a\",\"life\":\"0\",\"count\":7}");
}

static void what_is_no_claim_dies_as_well(void **state)
{
    char large[8192];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    expect_death(*state, large);
}

static void one_of_an_earlier_life_is_taken_over_at_once(void **state)
{
    const struct stage *stage = *state;
    leave_claim(stage, "{\"worker\":\"a\",\"life\":\"0\",\"count\":7}");
    struct claims *a = new_claims(stage, "a", NULL);
    struct claim *claim = take_at_once(a);
    assert_non_null(claim);
    await_renewals(stage, 1);
    claim_release(claim);
    assert_null(content(stage));
    claims_free(a);
}

static void one_that_was_taken_anew_is_another(void **state)
{
    const struct stage *stage = *state;
    struct claims *a = new_claims(stage, "a", NULL), *b = new_claims(stage, "b", NULL);
    struct claim_sight first = {0}, second = {0};
    struct claim *claim = take_at_once(a);
    assert_null(take(b, &first));
    claim_release(claim);
    claim = take_at_once(a);
    assert_null(take(b, &second));
    assert_int_not_equal(first.digest, second.digest);
    claim_release(claim);
    claims_free(a);
    claims_free(b);
}

/* Reads a log until a line holds `text`, or has not for `ms`. Counts such lines. */
static bool await_line(int fd, const char *text, int ms, int *n)
{
    char line[1024];
    size_t len = 0;
    int64_t until_ms = clock_now_ms() + ms;
    for (int64_t left_ms; (left_ms = until_ms - clock_now_ms()) > 0;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (poll(&ready, 1, (int)left_ms) <= 0 || read(fd, line + len, 1) != 1)
            continue;
        if (line[len++] != '\n' && len < sizeof line - 1)
            continue;
        line[len] = '\0';
        len = 0;
        if (strstr(line, text)) {
            (*n)++;
            return true;
        }
    }
    return false;
}

/* A worker that stops in the middle of its work, and when it goes on works until `go_fd` ends. */
static void be_a_zombie(const struct stage *stage, int log_fd, int go_fd)
{
    char end;
    struct log *log = log_new(log_fd, LOG_LEVEL_DEBUG, false);
    struct claims *a = new_claims(stage, "a", log);
    struct claim *claim = take_at_once(a);
    raise(SIGSTOP);
    if (read(go_fd, &end, 1) != 0)
        _exit(1);
    claim_release(claim);
    claims_free(a);
    log_free(log);
    _exit(0);
}

static void a_zombie_does_not_win_back(void **state)
{
    const struct stage *stage = *state;
    int log[2], go[2], status, n = 0;
    int64_t took_ms;
    assert_int_equal(pipe2(log, O_CLOEXEC), 0);
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid_t zombie = fork();
    assert_true(zombie >= 0);
    if (zombie == 0) {
        close(go[1]);
        be_a_zombie(stage, log[1], go[0]);
    }
    assert_int_equal(waitpid(zombie, &status, WUNTRACED), zombie);
    assert_true(WIFSTOPPED(status));
    expect_worker(stage, "a");
    struct claims *b = new_claims(stage, "b", NULL);
    struct claim *claim = take_in_time(b, &took_ms);
    assert_true(took_ms >= DEAD_MS);
    assert_int_equal(kill(zombie, SIGCONT), 0);
    assert_true(await_line(log[0], "no longer its own", DEADLINE_MS, &n));
    await_renewals(stage, 2);
    expect_worker(stage, "b");
    /* nor does it release what is no longer its own */
    close(go[1]);
    assert_int_equal(waitpid(zombie, &status, 0), zombie);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    expect_worker(stage, "b");
    claim_release(claim);
    assert_null(content(stage));
    claims_free(b);
    close(log[0]);
    close(log[1]);
    close(go[0]);
}

static void a_renewal_that_fails_is_told_once_and_tried_again(void **state)
{
    const struct stage *stage = *state;
    char place[128], away[128];
    int log[2], n = 0;
    assert_int_equal(pipe2(log, O_CLOEXEC), 0);
    struct log *lines = log_new(log[1], LOG_LEVEL_WARNING, false);
    struct claims *a = new_claims(stage, "a", lines);
    struct claim *claim = take_at_once(a);
    snprintf(place, sizeof place, "%s/" ID, stage->folder);
    snprintf(away, sizeof away, "%s/away", stage->folder);
    assert_int_equal(rename(place, away), 0);
    close(open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    assert_true(await_line(log[0], "cannot be renewed", DEADLINE_MS, &n));
    assert_false(await_line(log[0], "cannot be renewed", 2500, &n));
    assert_int_equal(unlink(place), 0);
    assert_int_equal(rename(away, place), 0);
    await_renewals(stage, 1);
    claim_release(claim);
    claims_free(a);
    log_free(lines);
    close(log[0]);
    close(log[1]);
}

struct racer {
    struct claims *claims;
    pthread_barrier_t *start;
    char request[40];
    struct claim *claim;
    bool failed;
};

static void *race(void *arg)
{
    struct racer *racer = arg;
    struct claim_sight sight = {0};
    struct fault fault;
    pthread_barrier_wait(racer->start);
    racer->failed = claim_take(racer->claims, racer->request, &sight, &racer->claim, &fault) != 0;
    return NULL;
}

/* `shared`: all threads are of one worker. */
static void expect_one_winner(const struct stage *stage, bool shared)
{
    struct racer racers[N_THREADS] = {0};
    pthread_barrier_t start;
    pthread_t threads[N_THREADS];
    pthread_barrier_init(&start, NULL, N_THREADS);
    for (size_t i = 0; i < N_THREADS; i++) {
        char worker[16];
        snprintf(worker, sizeof worker, "worker-%zu", i);
        racers[i].claims = shared && i ? racers[0].claims : new_claims(stage, worker, NULL);
        racers[i].start = &start;
    }
    for (int round = 0; round < 10; round++) {
        size_t n_taken = 0;
        for (size_t i = 0; i < N_THREADS; i++) {
            snprintf(racers[i].request, sizeof racers[i].request, "request-%d-%d", shared, round);
            assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
        }
        for (size_t i = 0; i < N_THREADS; i++)
            pthread_join(threads[i], NULL);
        for (size_t i = 0; i < N_THREADS; i++) {
            assert_false(racers[i].failed);
            n_taken += racers[i].claim != NULL;
            claim_release(racers[i].claim);
        }
        assert_int_equal(n_taken, 1);
    }
    for (size_t i = 0; i < (shared ? 1 : N_THREADS); i++)
        claims_free(racers[i].claims);
    pthread_barrier_destroy(&start);
}

static void of_many_at_once_exactly_one_has_it(void **state)
{
    expect_one_winner(*state, false);
    expect_one_winner(*state, true);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(a_claim_is_one_workers_until_it_is_released),
        TEST(a_worker_claims_a_request_once),
        TEST(a_live_claim_is_never_taken_over),
        TEST(a_dead_one_is_taken_over_after_three_intervals),
        TEST(what_is_no_claim_dies_as_well),
        TEST(one_of_an_earlier_life_is_taken_over_at_once),
        TEST(one_that_was_taken_anew_is_another),
        TEST(a_zombie_does_not_win_back),
        TEST(a_renewal_that_fails_is_told_once_and_tried_again),
        TEST(of_many_at_once_exactly_one_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
