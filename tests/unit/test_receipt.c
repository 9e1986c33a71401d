#include "outcome/receipt.h"
#include "test_records.h"

#define ID    "2c0e5a1e-0000-4000-8000-000000000001"
#define OTHER "2c0e5a1e-0000-4000-8000-000000000002"

static const struct request request = {.id = ID, .sha256 = {0xab, 0xcd}};
static const struct origin here = {"requests", 3, 9007199254740993}, there = {"requests", 3, 7};

static struct receipt *make(const struct origin *origin, const char *bundle)
{
    struct receipt *receipt;
    struct fault fault;
    json_t *data = json_pack("{s:i}", "results_count", 7);
    const struct receipt_facts facts = {
        .request = &request, .origin = origin, .bundle = bundle, .type = EVENT_COMPLETED, .event_data = data};
    assert_int_equal(receipt_make(&receipt, &facts, &fault), 0);
    json_decref(data);
    return receipt;
}

/* Stores ATTEMPT.zip and the receipt of it. */
static void leave(const struct stage *stage, const struct origin *origin, const char *attempt)
{
    char bundle[64];
    struct fault fault;
    snprintf(bundle, sizeof bundle, "%s.zip", attempt);
    put_object(stage, ID, bundle, "bundle", 6);
    struct receipt *receipt = make(origin, bundle);
    assert_int_equal(receipt_store(receipt, &stage->records, attempt, &fault), 0);
    receipt_free(receipt);
}

static struct receipt *find_by(const struct records *records, const struct origin *origin, size_t n_bad)
{
    struct receipt *receipt;
    struct fault fault;
    size_t n;
    assert_int_equal(receipt_find(&receipt, records, ID, origin, &n, &fault), 0);
    assert_int_equal(n, n_bad);
    return receipt;
}

static struct receipt *find(const struct stage *stage, const struct origin *origin)
{
    return find_by(&stage->records, origin, 0);
}

static void what_was_left_is_found_again(void **state)
{
    const struct stage *stage = *state;
    assert_null(find(stage, &here));
    leave(stage, &here, "a");
    struct receipt *receipt = find(stage, &here);
    assert_non_null(receipt);
    assert_string_equal(receipt->request, ID);
    assert_memory_equal(receipt->body_sha256, "abcd0000", 8);
    assert_int_equal(strlen(receipt->body_sha256), 64);
    assert_true(origin_equal(&receipt->origin, &here));
    assert_string_equal(receipt->bundle, "a.zip");
    assert_int_equal(receipt->type, EVENT_COMPLETED);
    assert_int_equal(strlen(receipt->event_id), 36);
    assert_int_equal(json_integer_value(json_object_get(receipt->event_data, "results_count")), 7);
    receipt_free(receipt);
}

static void an_outcome_without_a_bundle_leaves_one_too(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt = make(&here, NULL);
    assert_int_equal(receipt_store(receipt, &stage->records, "a", &fault), 0);
    receipt_free(receipt);
    receipt = find(stage, &here);
    assert_non_null(receipt);
    assert_null(receipt->bundle);
    receipt_free(receipt);
}

static void none_is_left_of_a_bundle_that_is_gone(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt = make(&here, "a.zip");
    assert_int_equal(receipt_store(receipt, &stage->records, "a", &fault), -1);
    assert_string_equal(fault.code, "bundle_gone");
    assert_true(fault.retryable);
    receipt_free(receipt);
    assert_null(find(stage, &here));
    assert_false(has_object(stage, ID, "a.receipt"));
}

static void one_that_is_found_is_made_durable(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt;
    size_t n_bad;
    leave(stage, &here, "a");
    disk_fails = true;
    assert_int_equal(receipt_find(&receipt, &stage->records, ID, &here, &n_bad, &fault), -1);
    assert_null(receipt);
    assert_string_equal(fault.code, "store_failed");
}

static void a_bundle_may_go_later(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    leave(stage, &here, "a");
    assert_int_equal(store_remove(stage->store, ID, "a.zip", &fault), 0);
    struct receipt *receipt = find(stage, &here);
    assert_non_null(receipt);
    receipt_free(receipt);
}

static void the_one_of_the_same_origin_is_preferred(void **state)
{
    const struct stage *stage = *state;
    static const struct origin elsewhere = {"requests", 1, 7}, unknown = {"requests", 2, 7};
    leave(stage, &there, "b");
    leave(stage, &here, "a");
    leave(stage, &elsewhere, "c");
    struct receipt *receipt = find(stage, &here);
    assert_string_equal(receipt->bundle, "a.zip");
    receipt_free(receipt);
    receipt = find(stage, &there);
    assert_string_equal(receipt->bundle, "b.zip");
    receipt_free(receipt);
    receipt = find(stage, &unknown);
    assert_non_null(receipt);
    assert_false(origin_equal(&receipt->origin, &unknown));
    receipt_free(receipt);
}

static void those_of_a_retired_key_still_count(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *old_key = make_key(stage, "old"), *new_key = make_key(stage, "new");
    struct keyring *before = load_ring(stage, "old", NULL);
    write_set(stage, "retired", old_key, NULL);
    struct keyring *after = load_ring(stage, "new", "retired"), *without = load_ring(stage, "new", NULL);
    const struct records old_records = {stage->store, before}, new_records = {stage->store, after},
                         records_without = {stage->store, without};
    struct receipt *receipt = make(&here, NULL);
    assert_int_equal(receipt_store(receipt, &old_records, "a", &fault), 0);
    receipt_free(receipt);
    receipt = find_by(&new_records, &here, 0);
    assert_non_null(receipt);
    receipt_free(receipt);
    /* one that may be genuine is not passed over */
    size_t n_bad;
    assert_int_equal(receipt_find(&receipt, &records_without, ID, &here, &n_bad, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_true(fault.retryable);
    assert_null(receipt);
    keyring_free(before);
    keyring_free(after);
    keyring_free(without);
    json_decref(old_key);
    json_decref(new_key);
}

/* Puts some bytes in the place of "a.receipt". */
static void spoil(const struct stage *stage, const char *text)
{
    put_object(stage, ID, "a.receipt", text, strlen(text));
}

static void those_that_are_not_genuine_do_not_count(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt;
    struct buf text;
    size_t n_bad;
    leave(stage, &here, "a");
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "a.receipt", &text, &fault), 0);
    /* another request's */
    put_object(stage, OTHER, "a.receipt", text.data, text.len);
    assert_int_equal(receipt_find(&receipt, &stage->records, OTHER, &here, &n_bad, &fault), 0);
    assert_null(receipt);
    assert_int_equal(n_bad, 1);
    spoil(stage, "");
    assert_null(find_by(&stage->records, &here, 1));
    spoil(stage, "{\"receipt\":1}\nx\n");
    assert_null(find_by(&stage->records, &here, 1));
    buf_wipe(&text);
}

static void one_that_says_too_little_does_not_count(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *json = json_pack("{s:i,s:s}", "receipt", 1, "request", ID);
    assert_int_equal(record_store(&stage->records, ID, "a.receipt", "receipt", json, &fault), 0);
    json_decref(json);
    assert_null(find_by(&stage->records, &here, 1));
}

static void a_good_one_is_found_among_bad_ones(void **state)
{
    const struct stage *stage = *state;
    spoil(stage, "garbage");
    leave(stage, &here, "b");
    put_object(stage, ID, "c.receipt", "garbage", 7);
    struct receipt *receipt = find_by(&stage->records, &here, 2);
    assert_string_equal(receipt->bundle, "b.zip");
    receipt_free(receipt);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(what_was_left_is_found_again),
        TEST(an_outcome_without_a_bundle_leaves_one_too),
        TEST(none_is_left_of_a_bundle_that_is_gone),
        TEST(one_that_is_found_is_made_durable),
        TEST(a_bundle_may_go_later),
        TEST(the_one_of_the_same_origin_is_preferred),
        TEST(those_of_a_retired_key_still_count),
        TEST(those_that_are_not_genuine_do_not_count),
        TEST(one_that_says_too_little_does_not_count),
        TEST(a_good_one_is_found_among_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
