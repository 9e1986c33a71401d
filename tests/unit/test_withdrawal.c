#include "outcome/withdrawal.h"
#include "test_records.h"

#define ID     "2c0e5a1e-0000-4000-8000-000000000001"
#define SOURCE "//portal.example"

static void withdraw(const struct stage *stage, unsigned char first, const char *source)
{
    const struct cancellation cancellation = {.id = ID, .sha256 = {first}};
    struct fault fault;
    if (withdrawal_store(&stage->records, &cancellation, source, &fault))
        fail_msg("%s", fault.text);
}

static bool is_withdrawn(const struct stage *stage, unsigned char first, const char *source)
{
    const struct request request = {.id = ID, .sha256 = {first}};
    struct fault fault;
    bool withdrawn;
    if (withdrawal_find(&stage->records, &request, source, &withdrawn, &fault))
        fail_msg("%s", fault.text);
    return withdrawn;
}

static void one_counts_for_the_same_body_and_source(void **state)
{
    const struct stage *stage = *state;
    assert_false(is_withdrawn(stage, 0xab, SOURCE));
    withdraw(stage, 0xab, SOURCE);
    assert_true(is_withdrawn(stage, 0xab, SOURCE));
    assert_false(is_withdrawn(stage, 0xac, SOURCE));
    assert_false(is_withdrawn(stage, 0xab, "//somebody.else"));
}

static void one_that_was_stored_before_is_as_good(void **state)
{
    const struct stage *stage = *state;
    withdraw(stage, 0xab, SOURCE);
    withdraw(stage, 0xab, SOURCE);
    assert_true(is_withdrawn(stage, 0xab, SOURCE));
}

static void a_bogus_one_does_not_stand_in_the_way(void **state)
{
    const struct stage *stage = *state;
    withdraw(stage, 0xac, SOURCE);
    withdraw(stage, 0xab, "//somebody.else");
    assert_false(is_withdrawn(stage, 0xab, SOURCE));
    withdraw(stage, 0xab, SOURCE);
    assert_true(is_withdrawn(stage, 0xab, SOURCE));
}

static void one_that_is_found_is_made_durable(void **state)
{
    const struct stage *stage = *state;
    const struct cancellation cancellation = {.id = ID, .sha256 = {0xab}};
    const struct request request = {.id = ID, .sha256 = {0xab}};
    struct fault fault;
    bool withdrawn;
    withdraw(stage, 0xab, SOURCE);
    disk_fails = true;
    assert_int_equal(withdrawal_find(&stage->records, &request, SOURCE, &withdrawn, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_int_equal(withdrawal_store(&stage->records, &cancellation, SOURCE, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
}

static int keep_name(const char *file, void *ctx)
{
    return snprintf(ctx, 128, "%s", file) < 0;
}

/* Writes the name of the only object. */
static void only_object(const struct stage *stage, char file[128])
{
    struct fault fault;
    assert_int_equal(store_each(stage->store, ID, keep_name, file, &fault), 0);
}

static void one_that_is_not_genuine_is_a_fault(void **state)
{
    const struct stage *stage = *state;
    const struct cancellation cancellation = {.id = ID, .sha256 = {0xab}};
    const struct request request = {.id = ID, .sha256 = {0xab}}, other = {.id = ID, .sha256 = {0xac}};
    char right[128], wrong[128];
    struct fault fault;
    struct buf text;
    bool withdrawn;
    withdraw(stage, 0xab, SOURCE);
    only_object(stage, right);
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, right, &text, &fault), 0);
    assert_int_equal(store_remove(stage->store, ID, right, &fault), 0);
    withdraw(stage, 0xac, SOURCE);
    only_object(stage, wrong);
    assert_string_not_equal(right, wrong);
    /* a genuine one under another's name */
    put_object(stage, ID, wrong, text.data, text.len);
    assert_int_equal(withdrawal_find(&stage->records, &other, SOURCE, &withdrawn, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    put_object(stage, ID, right, "{}\nx\n", 5);
    assert_int_equal(withdrawal_find(&stage->records, &request, SOURCE, &withdrawn, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_int_equal(withdrawal_store(&stage->records, &cancellation, SOURCE, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    buf_wipe(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(one_counts_for_the_same_body_and_source), TEST(one_that_was_stored_before_is_as_good),
        TEST(a_bogus_one_does_not_stand_in_the_way),   TEST(one_that_is_found_is_made_durable),
        TEST(one_that_is_not_genuine_is_a_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
