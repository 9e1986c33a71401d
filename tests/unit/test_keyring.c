#include "base/jws.h"
#include "test_records.h"

#define TYPE    "dsard-receipt"
#define SUBJECT "2c0e5a1e-0000-4000-8000-000000000001"
#define VALUE   "what is signed"

/* Signs VALUE with TYPE and SUBJECT. */
static void sign(struct buf *jws, const json_t *key)
{
    struct fault fault;
    json_t *header = json_pack("{s:s,s:s}", "typ", TYPE, "sub", SUBJECT);
    buf_init(jws, JWS_MAX);
    assert_int_equal(jws_sign(jws, header, key, VALUE, strlen(VALUE), &fault), 0);
    json_decref(header);
}

static void expect_fault(const struct keyring *ring, const char *jws, const char *type, const char *subject,
                         const char *value, const char *code)
{
    struct fault fault;
    assert_int_equal(keyring_verify(ring, jws, type, subject, value, strlen(value), &fault), -1);
    assert_string_equal(fault.code, code);
    assert_false(fault.retryable);
}

static void what_the_signer_signed_holds_and_all_that_it_binds(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct buf jws;
    sign(&jws, keyring_signer(stage->keyring));
    assert_int_equal(keyring_verify(stage->keyring, jws.data, TYPE, SUBJECT, VALUE, strlen(VALUE), &fault),
                     0);
    expect_fault(stage->keyring, jws.data, "dsard-acceptance", SUBJECT, VALUE, "bad_signature");
    expect_fault(stage->keyring, jws.data, TYPE, "another", VALUE, "bad_signature");
    expect_fault(stage->keyring, jws.data, TYPE, SUBJECT, "something else", "bad_signature");
    expect_fault(stage->keyring, "garbage", TYPE, SUBJECT, VALUE, "bad_signature");
    buf_wipe(&jws);
}

static void a_key_that_is_not_of_the_ring_does_not_count(void **state)
{
    const struct stage *stage = *state;
    struct buf jws;
    json_t *stranger = make_key(stage, "stranger");
    sign(&jws, stranger);
    expect_fault(stage->keyring, jws.data, TYPE, SUBJECT, VALUE, "unknown_kid");
    buf_wipe(&jws);
    /* nor does one that takes a known name */
    json_object_set(stranger, "kid", json_object_get(keyring_signer(stage->keyring), "kid"));
    sign(&jws, stranger);
    expect_fault(stage->keyring, jws.data, TYPE, SUBJECT, VALUE, "bad_signature");
    buf_wipe(&jws);
    json_decref(stranger);
}

static void what_a_retired_key_signed_still_holds(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct buf by_first, by_second, by_third;
    json_t *first = make_key(stage, "first"), *second = make_key(stage, "second"),
           *third = make_key(stage, "third");
    sign(&by_first, first);
    sign(&by_second, second);
    sign(&by_third, third);
    write_set(stage, "retired", first, second);
    struct keyring *ring = load_ring(stage, "third", "retired");
    assert_true(json_equal(keyring_signer(ring), third));
    const struct buf *const all[] = {&by_first, &by_second, &by_third};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(keyring_verify(ring, all[i]->data, TYPE, SUBJECT, VALUE, strlen(VALUE), &fault), 0);
    keyring_free(ring);
    buf_wipe(&by_first);
    buf_wipe(&by_second);
    buf_wipe(&by_third);
    json_decref(first);
    json_decref(second);
    json_decref(third);
}

static void the_signer_may_be_among_the_retired(void **state)
{
    const struct stage *stage = *state;
    json_t *first = make_key(stage, "first"), *second = make_key(stage, "second");
    write_set(stage, "all", first, second);
    keyring_free(load_ring(stage, "second", "all"));
    write_set(stage, "twice", first, first);
    keyring_free(load_ring(stage, "second", "twice"));
    json_decref(first);
    json_decref(second);
}

static void expect_refusal(const struct stage *stage, const char *key, const char *retired, const char *code,
                           const char *named)
{
    char key_path[128], retired_path[128];
    struct keyring *keyring;
    struct fault fault;
    assert_int_equal(keyring_load(&keyring, path_of(stage, key, key_path),
                                  retired ? path_of(stage, retired, retired_path) : NULL, &fault),
                     -1);
    assert_null(keyring);
    assert_string_equal(fault.code, code);
    assert_non_null(strstr(fault.text, named));
}

static void files_that_cannot_be_used_are_named(void **state)
{
    const struct stage *stage = *state;
    char path[128];
    json_t *key = make_key(stage, "key"), *same_name = make_key(stage, "open");
    assert_int_equal(chmod(path_of(stage, "open", path), 0644), 0);
    expect_refusal(stage, "open", NULL, "file_mode", "/open");
    expect_refusal(stage, "absent", NULL, "file_unreadable", "/absent");
    expect_refusal(stage, "key", "absent", "file_unreadable", "/absent");
    expect_refusal(stage, "key", "key", "bad_key", "/key");
    json_object_set(same_name, "kid", json_object_get(key, "kid"));
    write_set(stage, "same-name", same_name, NULL);
    expect_refusal(stage, "key", "same-name", "bad_key", "/same-name: keys[0]");
    json_t *set = json_pack("{s:[O]}", "keys", key);
    write_json(stage, "private-set", set);
    expect_refusal(stage, "key", "private-set", "bad_key", "/private-set: keys[0]");
    json_decref(set);
    json_decref(same_name);
    json_decref(key);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(what_the_signer_signed_holds_and_all_that_it_binds),
        TEST(a_key_that_is_not_of_the_ring_does_not_count),
        TEST(what_a_retired_key_signed_still_holds),
        TEST(the_signer_may_be_among_the_retired),
        TEST(files_that_cannot_be_used_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
