#include "base/jws.h"
#include "test_records.h"

#define ID    "2c0e5a1e-0000-4000-8000-000000000001"
#define OTHER "2c0e5a1e-0000-4000-8000-000000000002"

static void store_number(const struct stage *stage, const char *file, int number)
{
    struct fault fault;
    json_t *json = json_pack("{s:i}", "number", number);
    assert_int_equal(record_store(&stage->records, ID, file, "receipt", json, &fault), 0);
    json_decref(json);
}

static void expect_number(const struct stage *stage, const char *file, int number)
{
    struct fault fault;
    json_t *json;
    assert_int_equal(record_read(&stage->records, ID, file, "receipt", &json, &fault), 0);
    assert_int_equal(json_integer_value(json_object_get(json, "number")), number);
    json_decref(json);
}

static void expect_fault(const struct records *records, const char *request, const char *file,
                         const char *kind, const char *code)
{
    struct fault fault;
    json_t *json;
    assert_int_equal(record_read(records, request, file, kind, &json, &fault), -1);
    assert_null(json);
    assert_string_equal(fault.code, code);
}

static void what_was_stored_is_read_again(void **state)
{
    const struct stage *stage = *state;
    expect_fault(&stage->records, ID, "a", "receipt", "not_found");
    store_number(stage, "a", 7);
    expect_number(stage, "a", 7);
}

static void nobodys_record_is_replaced(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *json = json_pack("{s:i}", "number", 8);
    store_number(stage, "a", 7);
    assert_int_equal(record_store(&stage->records, ID, "a", "receipt", json, &fault), -1);
    assert_string_equal(fault.code, "exists");
    expect_number(stage, "a", 7);
    json_decref(json);
}

static void one_of_another_kind_or_request_is_not_genuine(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct buf text;
    store_number(stage, "a", 7);
    expect_fault(&stage->records, ID, "a", "acceptance", "bad_record");
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "a", &text, &fault), 0);
    put_object(stage, OTHER, "a", text.data, text.len);
    expect_fault(&stage->records, OTHER, "a", "receipt", "bad_record");
    buf_wipe(&text);
}

static void one_of_an_unknown_key_may_become_genuine(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *json;
    struct keyring *other = new_ring(stage, "theirs");
    const struct records theirs = {.store = stage->store, .keyring = other};
    store_number(stage, "a", 7);
    assert_int_equal(record_read(&theirs, ID, "a", "receipt", &json, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_true(fault.retryable);
    assert_non_null(strstr(fault.text, "retired_keys_file"));
    put_object(stage, ID, "a", "{}\nx\n", 5);
    assert_int_equal(record_read(&theirs, ID, "a", "receipt", &json, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_false(fault.retryable);
    keyring_free(other);
}

static void what_was_tampered_with_is_not_genuine(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    struct buf text;
    store_number(stage, "a", 7);
    buf_init(&text, 65536);
    assert_int_equal(store_read(stage->store, ID, "a", &text, &fault), 0);
    /* not the very last byte, a newline that says nothing */
    for (size_t at = 0; at + 1 < text.len; at += at < 40 ? 1 : 7) {
        text.data[at] ^= 1;
        put_object(stage, ID, "a", text.data, text.len);
        expect_fault(&stage->records, ID, "a", "receipt", "bad_record");
        text.data[at] ^= 1;
    }
    for (size_t len = 0; len + 2 < text.len; len += len < 40 ? 1 : 7) {
        put_object(stage, ID, "a", text.data, len);
        expect_fault(&stage->records, ID, "a", "receipt", "bad_record");
    }
    buf_wipe(&text);
}

static void one_that_is_too_large_is_not_stored(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    char *large = calloc(1, RECORD_MAX_BYTES);
    memset(large, 'x', RECORD_MAX_BYTES - 1);
    json_t *json = json_pack("{s:s}", "large", large);
    assert_int_equal(record_store(&stage->records, ID, "a", "receipt", json, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_false(fault.retryable);
    json_decref(json);
    /* the largest can be read again */
    large[RECORD_MAX_BYTES - JWS_MAX - strlen("{\"large\":\"\"}")] = '\0';
    json = json_pack("{s:s}", "large", large);
    assert_int_equal(record_store(&stage->records, ID, "a", "receipt", json, &fault), 0);
    json_decref(json);
    assert_int_equal(record_read(&stage->records, ID, "a", "receipt", &json, &fault), 0);
    json_decref(json);
    free(large);
}

static void one_that_is_too_large_is_not_genuine(void **state)
{
    const struct stage *stage = *state;
    char *large = calloc(1, RECORD_MAX_BYTES + 1);
    put_object(stage, ID, "a", large, RECORD_MAX_BYTES + 1);
    expect_fault(&stage->records, ID, "a", "receipt", "bad_record");
    free(large);
}

static void what_is_no_file_may_become_one(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    json_t *json;
    char path[128];
    store_number(stage, "a", 7);
    snprintf(path, sizeof path, "%s/" ID "/b", stage->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(record_read(&stage->records, ID, "b", "receipt", &json, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_stage, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(what_was_stored_is_read_again),
        TEST(nobodys_record_is_replaced),
        TEST(one_of_another_kind_or_request_is_not_genuine),
        TEST(one_of_an_unknown_key_may_become_genuine),
        TEST(what_was_tampered_with_is_not_genuine),
        TEST(one_that_is_too_large_is_not_stored),
        TEST(one_that_is_too_large_is_not_genuine),
        TEST(what_is_no_file_may_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
