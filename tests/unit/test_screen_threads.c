#include "test_screen.h"

#include <pthread.h>
#include <stdatomic.h>

#define N_THREADS 4
#define N_CALLS   200

static const char records[] = "{\"a\":\"bob@example.org\",\"b\":[4111111111111111,\"\\n\"],\"s\":1}\n"
                              "{\"a\":\"" OWN "\",\"w\":{\"x\":1},\"c@d\":1}\n";
static const char screened[] = ",\n{\"a\":\"***@***\",\"b\":[\"************1111\",\"\\n\"]}"
                               ",\n{\"a\":\"" OWN "\",\"***@***\":1}";

struct shared {
    struct rig rig;
    atomic_int n_wrong;
};

/* cmocka's assertions are for one thread: others count what is wrong. */
static void *screen_often(void *ctx)
{
    struct shared *shared = ctx;
    struct fault fault;
    char out[3 * sizeof records];
    for (int i = 0; i < N_CALLS; i++) {
        size_t out_len;
        if (screen_records(shared->rig.screen, records, sizeof records - 1, out, sizeof out, &out_len,
                           &fault) ||
            out_len != sizeof screened - 1 || memcmp(out, screened, out_len) != 0)
            shared->n_wrong++;
    }
    return NULL;
}

static void *tally_often(void *ctx)
{
    struct shared *shared = ctx;
    struct fault fault;
    for (int i = 0; i < N_CALLS; i++) {
        struct ledger *ledger = ledger_new();
        if (!ledger || screen_tally(shared->rig.screen, ledger, "c", &fault))
            shared->n_wrong++;
        ledger_free(ledger);
    }
    return NULL;
}

static void threads_share_one_screen(void **state)
{
    struct shared shared = {.n_wrong = 0};
    pthread_t threads[N_THREADS], teller;
    rig_make(&shared.rig, "{\"/s\":\"secret\",\"/w\":\"withhold:trade_secret\"}");
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, screen_often, &shared), 0);
    assert_int_equal(pthread_create(&teller, NULL, tally_often, &shared), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(teller, NULL);
    assert_int_equal(shared.n_wrong, 0);
    char *counts = rig_counts(&shared.rig);
    assert_string_equal(
        counts, "{\"card_number\":800,\"secret\":800,\"third_party_email\":1600,\"trade_secret\":800}");
    free(counts);
    rig_free(&shared.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_one_screen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
