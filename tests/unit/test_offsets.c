#include "outcome/offsets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct offsets *make(int64_t base, const char *metadata)
{
    struct fault fault;
    struct offsets *offsets;
    assert_int_equal(offsets_new(&offsets, base, metadata, metadata ? strlen(metadata) : 0, &fault), 0);
    return offsets;
}

static bool deliver(struct offsets *offsets, int64_t offset)
{
    struct fault fault;
    bool wanted;
    assert_int_equal(offsets_delivered(offsets, offset, &wanted, &fault), 0);
    return wanted;
}

static void finish(struct offsets *offsets, int64_t offset)
{
    offsets_stage(offsets, offset);
    offsets_settle(offsets, true);
}

static void assert_metadata(const struct offsets *offsets, const char *expected)
{
    struct fault fault;
    struct buf text;
    buf_init(&text, OFFSETS_METADATA_MAX + 64);
    assert_int_equal(offsets_metadata(offsets, &text, &fault), 0);
    assert_string_equal(text.len ? text.data : "", expected);
    buf_wipe(&text);
}

static void the_base_moves_only_over_what_is_done(void **state)
{
    struct offsets *offsets = make(10, NULL);
    for (int64_t o = 10; o < 15; o++)
        assert_true(deliver(offsets, o));
    finish(offsets, 12);
    finish(offsets, 14);
    assert_int_equal(offsets_base(offsets), 10);
    assert_metadata(offsets, "dsard1:2+1,1+1");
    assert_int_equal(offsets_runs(offsets), 2);
    finish(offsets, 10);
    assert_int_equal(offsets_base(offsets), 11);
    assert_metadata(offsets, "dsard1:1+1,1+1");
    finish(offsets, 11);
    assert_int_equal(offsets_base(offsets), 13);
    finish(offsets, 13);
    assert_int_equal(offsets_base(offsets), 15);
    assert_metadata(offsets, "");
    offsets_free(offsets);
}

static void a_restart_does_not_repeat_what_the_metadata_names(void **state)
{
    struct offsets *offsets = make(10, "dsard1:2+1,1+1");
    static const bool wanted[] = {true, true, false, true, false, true};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_int_equal(deliver(offsets, 10 + (int64_t)i), wanted[i]);
    offsets_free(offsets);
}

static void an_abort_opens_what_was_staged(void **state)
{
    struct offsets *offsets = make(0, NULL);
    deliver(offsets, 0);
    deliver(offsets, 1);
    offsets_stage(offsets, 0);
    assert_int_equal(offsets_base(offsets), 1);
    offsets_settle(offsets, false);
    assert_int_equal(offsets_base(offsets), 0);
    assert_metadata(offsets, "");
    offsets_free(offsets);
}

static void gaps_count_as_done(void **state)
{
    struct offsets *offsets = make(5, NULL);
    assert_true(deliver(offsets, 7)); /* 5 and 6 do not exist */
    assert_int_equal(offsets_base(offsets), 7);
    assert_true(deliver(offsets, 10));
    finish(offsets, 10);
    assert_int_equal(offsets_base(offsets), 7);
    assert_metadata(offsets, "dsard1:3+1"); /* who reads this finds 8 and 9 missing as well */
    finish(offsets, 7);
    assert_int_equal(offsets_base(offsets), 11);
    offsets_free(offsets);
}

/* As on a topic whose messages are produced in transactions: behind each is a marker. */
static void a_gap_is_told_of_between_what_is_done_alone(void **state)
{
    struct offsets *offsets = make(0, NULL);
    for (int64_t o = 0; o < 12; o += 2)
        assert_true(deliver(offsets, o));
    assert_metadata(offsets, "");
    assert_int_equal(offsets_runs(offsets), 0);
    finish(offsets, 4);
    assert_metadata(offsets, "dsard1:4+1");
    finish(offsets, 8);
    assert_metadata(offsets, "dsard1:4+1,3+1");
    finish(offsets, 6);
    assert_metadata(offsets, "dsard1:4+5");
    finish(offsets, 0);
    assert_int_equal(offsets_base(offsets), 2);
    assert_metadata(offsets, "dsard1:2+5");
    assert_int_equal(offsets_runs(offsets), 1);
    offsets_free(offsets);
}

static void a_gap_behind_a_full_map_does_not_lengthen_it(void **state)
{
    struct offsets *offsets = make(0, NULL);
    struct buf text;
    buf_init(&text, 2 * OFFSETS_METADATA_MAX);
    int64_t o = 1;
    do {
        assert_true(deliver(offsets, o - 1));
        assert_true(deliver(offsets, o));
        o += 2;
    } while (offsets_stage(offsets, o - 2));
    offsets_settle(offsets, true);
    assert_int_equal(offsets_metadata(offsets, &text, NULL), 0);
    const size_t full = text.len;
    for (int gaps = 0; gaps < 50; gaps++, o += 20) {
        assert_true(deliver(offsets, o));
        assert_int_equal(offsets_metadata(offsets, &text, NULL), 0);
        assert_int_equal(text.len, full);
    }
    offsets_free(offsets);
    buf_wipe(&text);
}

static void a_gap_over_open_offsets_of_a_former_owner_counts_as_done(void **state)
{
    struct offsets *offsets = make(0, "dsard1:3+1");
    assert_true(deliver(offsets, 2)); /* 0 and 1 were deleted by retention meanwhile */
    assert_int_equal(offsets_base(offsets), 2);
    offsets_free(offsets);
}

static void a_gap_before_what_a_former_owner_did_moves_the_base_past_it(void **state)
{
    /* 0 and 5 are open; 0 was deleted meanwhile, and what comes first is in the midst of what is done */
    struct offsets *offsets = make(0, "dsard1:1+4,1+2");
    assert_false(deliver(offsets, 2));
    assert_int_equal(offsets_base(offsets), 5);
    assert_metadata(offsets, "dsard1:1+2");
    assert_false(deliver(offsets, 4)); /* nor is there a 3 */
    assert_metadata(offsets, "dsard1:1+2");
    assert_true(deliver(offsets, 5));
    finish(offsets, 5);
    assert_int_equal(offsets_base(offsets), 8);
    offsets_free(offsets);
}

static void what_was_delivered_is_not_wanted_again(void **state)
{
    struct offsets *offsets = make(3, NULL);
    assert_false(deliver(offsets, 2));
    assert_true(deliver(offsets, 3));
    assert_false(deliver(offsets, 3));
    offsets_free(offsets);
}

static void foreign_metadata_is_refused(void **state)
{
    static const char *const bad[] = {"x",           "dsard1:",      "dsard1:1",
                                      "dsard1:1+",   "dsard1:0+1",   "dsard1:1+0",
                                      "dsard1:1+1,", "dsard1:1+1;2", "dsard1:99999999999999999999+1",
                                      "dsard2:1+1",  "dsard1:-1+1",  "dsard1:1+1 "};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        struct offsets *offsets;
        assert_int_equal(offsets_new(&offsets, 0, bad[i], strlen(bad[i]), &fault), -1);
    }
}

/* Random orders, restarts and aborts: never twice, never lost, whatever happens. */
static void random_histories_lose_and_repeat_nothing(void **state)
{
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        enum { N = 60 };
        bool exists[N], done[N] = {false}, delivered[N];
        for (int i = 0; i < N; i++)
            exists[i] = rand_r(&seed) % 5 != 0;
        exists[N - 1] = true;
        int64_t base = 0;
        char metadata[OFFSETS_METADATA_MAX + 64] = "";
        for (int life = 0; life < 20; life++) {
            struct offsets *offsets = make(base, metadata[0] ? metadata : NULL);
            memset(delivered, 0, sizeof delivered);
            for (int64_t o = base; o < N && rand_r(&seed) % 40; o++) {
                if (!exists[o])
                    continue;
                delivered[o] = deliver(offsets, o);
                assert_int_equal(delivered[o], !done[o]);
                if (rand_r(&seed) % 3 == 0)
                    continue;
                for (int pick = 0; pick < N; pick++) {
                    if (!delivered[pick] || done[pick] || rand_r(&seed) % 3)
                        continue;
                    assert_true(offsets_stage(offsets, pick));
                    bool committed = rand_r(&seed) % 4 != 0;
                    struct fault fault;
                    struct buf text;
                    buf_init(&text, sizeof metadata - 1);
                    assert_int_equal(offsets_metadata(offsets, &text, &fault), 0);
                    int64_t new_base = offsets_base(offsets);
                    offsets_settle(offsets, committed);
                    if (committed) {
                        done[pick] = true;
                        base = new_base;
                        strcpy(metadata, text.len ? text.data : ""); /* NOLINT: the maximum is its size */
                    }
                    buf_wipe(&text);
                    for (int64_t below = 0; below < base; below++)
                        assert_true(done[below] || !exists[below]);
                }
            }
            offsets_free(offsets);
        }
    }
}

static void a_wide_gap_costs_nothing_while_nothing_is_pending(void **state)
{
    struct offsets *offsets = make(0, NULL);
    const int64_t first = (int64_t)5 << 30; /* what retention has left of a busy topic */
    assert_true(deliver(offsets, first));
    assert_false(deliver(offsets, first - 1));
    assert_int_equal(offsets_base(offsets), first);
    finish(offsets, first);
    assert_int_equal(offsets_base(offsets), first + 1);
    assert_true(deliver(offsets, 2 * first));
    assert_int_equal(offsets_base(offsets), 2 * first);
    offsets_free(offsets);
}

/* A request that takes hours, and all that ends meanwhile. */
static void a_long_job_at_the_base_holds_up_nothing(void **state)
{
    struct offsets *offsets = make(0, NULL);
    assert_true(deliver(offsets, 0));
    for (int64_t o = 1; o <= 100000; o++) {
        assert_true(deliver(offsets, o));
        assert_true(offsets_stage(offsets, o));
        offsets_settle(offsets, true);
    }
    assert_int_equal(offsets_base(offsets), 0);
    assert_metadata(offsets, "dsard1:1+100000");
    finish(offsets, 0);
    assert_int_equal(offsets_base(offsets), 100001);
    assert_metadata(offsets, "");
    offsets_free(offsets);
}

static void more_than_a_commit_can_tell_of_is_not_staged(void **state)
{
    struct offsets *offsets = make(0, NULL);
    struct buf text;
    buf_init(&text, OFFSETS_METADATA_MAX);
    int64_t o = 0, refused;
    for (; o < 10000; o++)
        assert_true(deliver(offsets, o));
    for (o = 1; offsets_stage(offsets, o); o += 2)
        offsets_settle(offsets, true);
    refused = o;
    assert_true(refused < 3000);
    assert_int_equal(offsets_metadata(offsets, &text, NULL), 0);
    assert_true(text.len > OFFSETS_METADATA_MAX - 8);
    /* one that closes a gap makes room for it */
    assert_true(offsets_stage(offsets, 0));
    assert_true(offsets_stage(offsets, 2));
    assert_true(offsets_stage(offsets, refused));
    offsets_settle(offsets, true);
    assert_int_equal(offsets_base(offsets), 4);
    assert_int_equal(offsets_metadata(offsets, &text, NULL), 0);
    struct offsets *next = make(4, text.data);
    assert_true(offsets_done(next, refused));
    assert_false(offsets_done(next, refused + 1));
    assert_true(offsets_done(next, 3));
    assert_false(offsets_done(next, 4));
    assert_false(offsets_done(next, 1000000));
    offsets_free(next);
    offsets_free(offsets);
    buf_wipe(&text);
}

static void metadata_beyond_the_limit_is_refused(void **state)
{
    char long_text[OFFSETS_METADATA_MAX + 64] = "dsard1:1+1";
    struct offsets *offsets;
    struct fault fault;
    while (strlen(long_text) <= OFFSETS_METADATA_MAX)
        strcat(long_text, ",1+1"); /* NOLINT: it ends soon enough */
    assert_int_equal(offsets_new(&offsets, 0, long_text, strlen(long_text), &fault), -1);
    assert_string_equal(fault.code, "foreign_metadata");
}

static void what_was_not_delivered_is_not_staged(void **state)
{
    struct offsets *offsets = make(5, NULL);
    assert_false(offsets_stage(offsets, 5));
    assert_true(deliver(offsets, 5));
    assert_false(offsets_stage(offsets, 4));
    assert_true(offsets_stage(offsets, 5));
    assert_false(offsets_stage(offsets, 5));
    offsets_free(offsets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_base_moves_only_over_what_is_done),
        cmocka_unit_test(a_restart_does_not_repeat_what_the_metadata_names),
        cmocka_unit_test(an_abort_opens_what_was_staged),
        cmocka_unit_test(gaps_count_as_done),
        cmocka_unit_test(a_gap_is_told_of_between_what_is_done_alone),
        cmocka_unit_test(a_gap_behind_a_full_map_does_not_lengthen_it),
        cmocka_unit_test(a_gap_over_open_offsets_of_a_former_owner_counts_as_done),
        cmocka_unit_test(a_gap_before_what_a_former_owner_did_moves_the_base_past_it),
        cmocka_unit_test(what_was_delivered_is_not_wanted_again),
        cmocka_unit_test(foreign_metadata_is_refused),
        cmocka_unit_test(random_histories_lose_and_repeat_nothing),
        cmocka_unit_test(a_wide_gap_costs_nothing_while_nothing_is_pending),
        cmocka_unit_test(a_long_job_at_the_base_holds_up_nothing),
        cmocka_unit_test(more_than_a_commit_can_tell_of_is_not_staged),
        cmocka_unit_test(metadata_beyond_the_limit_is_refused),
        cmocka_unit_test(what_was_not_delivered_is_not_staged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
