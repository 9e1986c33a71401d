#include "outcome/receipt.h"
#include "test_records.h"

#define ID    "2c0e5a1e-0000-4000-8000-000000000001"
#define OTHER "2c0e5a1e-0000-4000-8000-000000000002"

static const unsigned char sha256[32] = {0xab, 0xcd};
static const struct origin here = {"requests", 3, 9007199254740993};

/* 0, or -1 with a fault. `bundle` may be NULL. */
static int take(struct receipt **receipt, const struct records *records, const char *bundle,
                struct fault *fault)
{
    json_t *data = json_pack("{s:i}", "results_count", 7);
    const struct receipt_facts facts = {.request = ID,
                                        .body_sha256 = sha256,
                                        .origin = &here,
                                        .bundle = bundle,
                                        .type = EVENT_COMPLETED,
                                        .event_data = data};
    int result = receipt_take(receipt, &facts, records, fault);
    json_decref(data);
    if (result)
        assert_null(*receipt);
    return result;
}

/* Stores ATTEMPT.zip and a receipt of it; the one that counts. */
static struct receipt *leave(const struct stage *stage, const char *attempt)
{
    char bundle[64];
    struct fault fault;
    struct receipt *receipt;
    snprintf(bundle, sizeof bundle, "%s.zip", attempt);
    put_object(stage, ID, bundle, "bundle", 6);
    assert_int_equal(take(&receipt, &stage->records, bundle, &fault), 0);
    return receipt;
}

static struct receipt *find_by(const struct records *records)
{
    struct receipt *receipt;
    struct fault fault;
    assert_int_equal(receipt_find(&receipt, records, ID, &fault), 0);
    return receipt;
}

static struct receipt *find(const struct stage *stage)
{
    return find_by(&stage->records);
}

static void what_was_left_is_found_again(void **state)
{
    const struct stage *stage = *state;
    assert_null(find(stage));
    receipt_free(leave(stage, "a"));
    struct receipt *receipt = find(stage);
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
    struct receipt *receipt;
    assert_int_equal(take(&receipt, &stage->records, NULL, &fault), 0);
    receipt_free(receipt);
    receipt = find(stage);
    assert_non_null(receipt);
    assert_null(receipt->bundle);
    receipt_free(receipt);
}

static void none_is_left_of_a_bundle_that_is_gone(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt;
    assert_int_equal(take(&receipt, &stage->records, "a.zip", &fault), -1);
    assert_string_equal(fault.code, "bundle_gone");
    assert_true(fault.retryable);
    assert_null(find(stage));
    assert_false(has_object(stage, ID, "receipt"));
}

static void one_that_is_found_is_made_durable(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt;
    receipt_free(leave(stage, "a"));
    disk_fails = true;
    assert_int_equal(receipt_find(&receipt, &stage->records, ID, &fault), -1);
    assert_null(receipt);
    assert_string_equal(fault.code, "store_failed");
}

static void a_bundle_may_go_later(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    receipt_free(leave(stage, "a"));
    assert_int_equal(store_remove(stage->store, ID, "a.zip", &fault), 0);
    struct receipt *receipt = find(stage);
    assert_non_null(receipt);
    receipt_free(receipt);
}

static void the_first_one_counts(void **state)
{
    const struct stage *stage = *state;
    struct receipt *first = leave(stage, "b"), *second = leave(stage, "a"), *found = find(stage);
    assert_string_equal(second->bundle, "b.zip");
    assert_string_equal(second->event_id, first->event_id);
    assert_string_equal(found->event_id, first->event_id);
    receipt_free(first);
    receipt_free(second);
    receipt_free(found);
}

static void none_takes_the_place_of_one_that_cannot_be_made_durable(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct receipt *receipt;
    receipt_free(leave(stage, "a"));
    disk_fails = true;
    assert_int_equal(take(&receipt, &stage->records, NULL, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
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
    struct receipt *receipt;
    assert_int_equal(take(&receipt, &old_records, NULL, &fault), 0);
    receipt_free(receipt);
    receipt = find_by(&new_records);
    assert_non_null(receipt);
    receipt_free(receipt);
    /* one that may be genuine is not passed over */
    assert_int_equal(receipt_find(&receipt, &records_without, ID, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_true(fault.retryable);
    assert_null(receipt);
    keyring_free(before);
    keyring_free(after);
    keyring_free(without);
    json_decref(old_key);
    json_decref(new_key);
}

/* Nobody can tell what was published. */
static void expect_bad(const struct stage *stage, const char *request)
{
    struct fault fault;
    struct receipt *receipt;
    assert_int_equal(receipt_find(&receipt, &stage->records, request, &fault), -1);
    assert_null(receipt);
    assert_string_equal(fault.code, "bad_record");
    assert_true(fault.retryable);
    if (strcmp(request, ID) == 0)
        assert_int_equal(take(&receipt, &stage->records, NULL, &fault), -1);
}

static void one_that_is_not_genuine_is_waited_for(void **state)
{
    const struct stage *stage = *state;
    static const char *const texts[] = {"", "garbage", "{\"receipt\":1}\nx\n"};
    struct fault fault;
    struct buf text;
    receipt_free(leave(stage, "a"));
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "receipt", &text, &fault), 0);
    /* another request's */
    put_object(stage, OTHER, "receipt", text.data, text.len);
    expect_bad(stage, OTHER);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put_object(stage, ID, "receipt", texts[i], strlen(texts[i]));
        expect_bad(stage, ID);
    }
    put_object(stage, ID, "receipt", text.data, text.len);
    receipt_free(find(stage));
    buf_wipe(&text);
}

static void so_is_one_that_says_too_little(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *json = json_pack("{s:i,s:s}", "receipt", 1, "request", ID);
    assert_int_equal(record_store(&stage->records, ID, "receipt", "receipt", json, &fault), 0);
    json_decref(json);
    expect_bad(stage, ID);
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
        TEST(the_first_one_counts),
        TEST(none_takes_the_place_of_one_that_cannot_be_made_durable),
        TEST(those_of_a_retired_key_still_count),
        TEST(one_that_is_not_genuine_is_waited_for),
        TEST(so_is_one_that_says_too_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
