#include "base/jwk.h"
#include "outcome/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID    "2c0e5a1e-0000-4000-8000-000000000001"
#define OTHER "2c0e5a1e-0000-4000-8000-000000000002"

struct stage {
    char folder[32];
    struct store *store;
    json_t *key;
    json_t *other_key;
    struct request request;
    size_t n_bad;
};

static const struct origin here = {"requests", 3, 9007199254740993}, there = {"requests", 3, 7};

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    if (!stage)
        return -1;
    snprintf(stage->folder, sizeof stage->folder, "/tmp/dsard-receipt-XXXXXX");
    stage->request = (struct request){.id = ID, .sha256 = {0xab, 0xcd}};
    *state = stage;
    return !mkdtemp(stage->folder) || store_open(&stage->store, stage->folder, &fault) ||
           jwk_generate(&stage->key, JWK_SIGN, &fault) || jwk_generate(&stage->other_key, JWK_SIGN, &fault);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    char command[64];
    store_close(stage->store);
    json_decref(stage->key);
    json_decref(stage->other_key);
    snprintf(command, sizeof command, "rm -rf %s", stage->folder);
    free(stage);
    return system(command);
}

/* Stores a receipt that names `bundle`. */
static void leave(struct stage *stage, const struct origin *origin, const char *bundle, const char *attempt,
                  const json_t *key)
{
    struct receipt *receipt;
    struct fault fault;
    json_t *data = json_pack("{s:i}", "results_count", 7);
    const struct receipt_facts facts = {.request = &stage->request,
                                        .origin = origin,
                                        .bundle = bundle,
                                        .type = EVENT_COMPLETED,
                                        .event_data = data};
    assert_int_equal(receipt_make(&receipt, &facts, &fault), 0);
    assert_int_equal(receipt_store(receipt, stage->store, attempt, key, &fault), 0);
    receipt_free(receipt);
    json_decref(data);
}

static struct receipt *find(struct stage *stage, const struct origin *origin)
{
    struct receipt *receipt;
    struct fault fault;
    assert_int_equal(receipt_find(&receipt, stage->store, ID, origin, stage->key, &stage->n_bad, &fault), 0);
    return receipt;
}

static void what_was_left_is_found_again(void **state)
{
    struct stage *stage = *state;
    assert_null(find(stage, &here));
    assert_int_equal(stage->n_bad, 0);
    leave(stage, &here, "a.zip", "a", stage->key);
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
    leave(*state, &here, NULL, "a", ((struct stage *)*state)->key);
    struct receipt *receipt = find(*state, &here);
    assert_non_null(receipt);
    assert_null(receipt->bundle);
    receipt_free(receipt);
}

static void the_one_of_the_same_origin_is_preferred(void **state)
{
    struct stage *stage = *state;
    static const struct origin elsewhere = {"requests", 1, 7};
    leave(stage, &there, "b.zip", "b", stage->key);
    leave(stage, &here, "a.zip", "a", stage->key);
    leave(stage, &elsewhere, "c.zip", "c", stage->key);
    struct receipt *receipt = find(stage, &here);
    assert_string_equal(receipt->bundle, "a.zip");
    receipt_free(receipt);
    receipt = find(stage, &there);
    assert_string_equal(receipt->bundle, "b.zip");
    receipt_free(receipt);
    static const struct origin unknown = {"requests", 2, 7};
    receipt = find(stage, &unknown);
    assert_non_null(receipt);
    assert_false(origin_equal(&receipt->origin, &unknown));
    receipt_free(receipt);
}

static void one_of_another_key_does_not_count(void **state)
{
    struct stage *stage = *state;
    leave(stage, &here, "a.zip", "a", stage->other_key);
    assert_null(find(stage, &here));
    assert_int_equal(stage->n_bad, 1);
}

static void what_was_tampered_with_does_not_count(void **state)
{
    struct stage *stage = *state;
    struct buf text;
    struct fault fault;
    leave(stage, &here, "a.zip", "a", stage->key);
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "a.receipt", &text, &fault), 0);
    /* not the very last byte, a newline that says nothing */
    for (size_t at = 0; at + 1 < text.len; at += at < 40 ? 1 : 13) {
        struct store_object *object;
        text.data[at] ^= 1;
        assert_int_equal(store_remove(stage->store, ID, "a.receipt", &fault), 0);
        assert_int_equal(store_begin(stage->store, ID, "a.receipt", &object, &fault), 0);
        assert_int_equal(store_write(object, text.data, text.len, &fault), 0);
        assert_int_equal(store_commit(object, &fault), 0);
        assert_null(find(stage, &here));
        assert_int_equal(stage->n_bad, 1);
        text.data[at] ^= 1;
    }
    buf_wipe(&text);
}

static void one_of_another_request_does_not_count(void **state)
{
    struct stage *stage = *state;
    struct buf text;
    struct fault fault;
    struct store_object *object;
    struct receipt *receipt;
    leave(stage, &here, "a.zip", "a", stage->key);
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "a.receipt", &text, &fault), 0);
    assert_int_equal(store_begin(stage->store, OTHER, "a.receipt", &object, &fault), 0);
    assert_int_equal(store_write(object, text.data, text.len, &fault), 0);
    assert_int_equal(store_commit(object, &fault), 0);
    assert_int_equal(receipt_find(&receipt, stage->store, OTHER, &here, stage->key, &stage->n_bad, &fault),
                     0);
    assert_null(receipt);
    assert_int_equal(stage->n_bad, 1);
    buf_wipe(&text);
}

static void a_good_one_is_found_among_bad_ones(void **state)
{
    struct stage *stage = *state;
    leave(stage, &here, "a.zip", "a", stage->other_key);
    leave(stage, &here, "b.zip", "b", stage->key);
    struct receipt *receipt = find(stage, &here);
    assert_string_equal(receipt->bundle, "b.zip");
    assert_int_equal(stage->n_bad, 1);
    receipt_free(receipt);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_left_is_found_again),
        TEST(an_outcome_without_a_bundle_leaves_one_too),
        TEST(the_one_of_the_same_origin_is_preferred),
        TEST(one_of_another_key_does_not_count),
        TEST(what_was_tampered_with_does_not_count),
        TEST(one_of_another_request_does_not_count),
        TEST(a_good_one_is_found_among_bad_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
