#include "test_identity_keys.h"

static const char *kid_of(const json_t *key)
{
    return json_string_value(json_object_get(key, "kid"));
}

static void a_key_is_found_by_its_kid(void **state)
{
    json_t *old = a_seal_key(), *new = a_seal_key(), *stranger = a_seal_key();
    struct identity_keys *keys = load_identity_keys(json_pack("{s:[O,O]}", "keys", new, old));
    assert_true(json_equal(identity_keys_find(keys, kid_of(old)), old));
    assert_true(json_equal(identity_keys_find(keys, kid_of(new)), new));
    assert_null(identity_keys_find(keys, kid_of(stranger)));
    assert_null(identity_keys_find(keys, ""));
    identity_keys_free(keys);
    json_decref(old);
    json_decref(new);
    json_decref(stranger);
}

static void one_key_needs_no_set(void **state)
{
    json_t *key = a_seal_key();
    struct identity_keys *keys = load_identity_keys(json_incref(key));
    assert_true(json_equal(identity_keys_find(keys, kid_of(key)), key));
    identity_keys_free(keys);
    json_decref(key);
}

static void without_keys_none_is_found(void **state)
{
    assert_null(identity_keys_find(NULL, "any"));
    identity_keys_free(NULL);
}

static void a_file_that_cannot_be_used_gives_no_keys(void **state)
{
    char path[] = "/tmp/test_identity_keys.XXXXXX";
    struct fault fault;
    struct identity_keys *keys;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "{}", 2), 2);
    close(fd);
    assert_int_equal(identity_keys_load(&keys, path, &fault), -1);
    assert_string_equal(fault.code, "bad_key");
    assert_null(keys);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(identity_keys_load(&keys, path, &fault), -1);
    assert_string_equal(fault.code, "file_mode");
    unlink(path);
    assert_int_equal(identity_keys_load(&keys, path, &fault), -1);
    assert_string_equal(fault.code, "file_unreadable");
    assert_null(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_found_by_its_kid),
        cmocka_unit_test(one_key_needs_no_set),
        cmocka_unit_test(without_keys_none_is_found),
        cmocka_unit_test(a_file_that_cannot_be_used_gives_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
