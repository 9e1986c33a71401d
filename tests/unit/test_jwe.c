#include "base/b64url.h"
#include "base/jwe.h"
#include "base/jwk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char secret[] = "{\"passphrase\":\"ABCDE-FGHJK\",\"token\":\"é\"}";

struct keys {
    json_t *own;
    json_t *public_key;
    json_t *other;
};

static int make_keys(void **state)
{
    static struct keys keys;
    struct fault fault;
    assert_int_equal(jwk_generate(&keys.own, JWK_SEAL, &fault), 0);
    assert_int_equal(jwk_generate(&keys.other, JWK_SEAL, &fault), 0);
    assert_int_equal(jwk_strip(&keys.public_key, keys.own, &fault), 0);
    *state = &keys;
    return 0;
}

static int drop_keys(void **state)
{
    struct keys *keys = *state;
    json_decref(keys->own);
    json_decref(keys->other);
    json_decref(keys->public_key);
    return 0;
}

static json_t *seal(const struct keys *keys, const char *name, const char *value)
{
    struct fault fault;
    json_t *jwe, *header = json_pack("{s:s}", name, value);
    assert_int_equal(jwe_seal(&jwe, header, keys->public_key, secret, &fault), 0);
    json_decref(header);
    return jwe;
}

/* The code with which opening fails; NULL when it does not. */
static const char *open_code(const json_t *jwe, const json_t *key, struct fault *fault)
{
    struct buf text;
    json_t *header;
    buf_init(&text, JWE_TEXT_MAX);
    int result = jwe_open(&text, &header, jwe, key, fault);
    if (result)
        assert_null(header);
    assert_true(result == 0 || text.len == 0);
    json_decref(header);
    buf_wipe(&text);
    return result ? fault->code : NULL;
}

static void a_sealed_text_opens_with_what_it_is_bound_to(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    struct buf text;
    json_t *header, *jwe = seal(keys, "request", "r1");
    buf_init(&text, JWE_TEXT_MAX);
    assert_int_equal(jwe_open(&text, &header, jwe, keys->own, &fault), 0);
    assert_string_equal(text.data, secret);
    assert_string_equal(json_string_value(json_object_get(header, "request")), "r1");
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "ECDH-ES+A256KW");
    assert_string_equal(json_string_value(json_object_get(header, "enc")), "A256GCM");
    assert_true(json_equal(json_object_get(header, "kid"), json_object_get(keys->own, "kid")));
    /* the ephemeral key is protected too, and holds no private part */
    assert_int_equal(json_object_size(json_object_get(header, "epk")), 4);
    assert_null(json_object_get(json_object_get(header, "epk"), "d"));
    assert_int_equal(json_object_size(header), 5);
    buf_wipe(&text);
    json_decref(header);
    json_decref(jwe);
}

static void two_seals_share_nothing(void **state)
{
    const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    json_t *a = seal(*state, "request", "r1"), *b = seal(*state, "request", "r1");
    for (size_t i = 0; i < 5; i++)
        assert_false(json_equal(json_object_get(a, members[i]), json_object_get(b, members[i])));
    json_decref(a);
    json_decref(b);
}

/* Made by another implementation, npm's jose 6, for the key of RFC 7515, appendix A.3. */
static void a_text_sealed_elsewhere_opens(void **state)
{
    static const char foreign[] =
        "{\"ciphertext\":\"jU8o4nhdJ04Zf7plVy53u9D770TNcbV8Q6TS2H9Gsw\",\"iv\":\"eNxDh7ljd-1sC6r7\","
        "\"tag\":\"i-Un7Ajz0UlIzcMxLC6vOw\","
        "\"encrypted_key\":\"d9kf0WhuHOfFV-aVIs6l2a9YMEkYc8hXJzEGJNZrr0wMfDw5nHMmig\","
        "\"protected\":"
        "\"eyJhbGciOiJFQ0RILUVTK0EyNTZLVyIsImVuYyI6IkEyNTZHQ00iLCJraWQiOiJvS0l5d3ZHVXBUVlR5eE1RM2J3SUll"
        "UVV1ZGZyX0NrTE1qQ0UxOUVDRC1VIiwicmVxdWVzdCI6InIxIiwiZXBrIjp7IngiOiJfa1c0ZXZLTnlla1lBMFZidm81UzFTZ2xo"
        "YXpyb1Jh"
        "TFJvMzcyeHdBSklVIiwiY3J2IjoiUC0yNTYiLCJrdHkiOiJFQyIsInkiOiJ2NENWcm1nSFhyWnRNcDBuTWs4NTliaXRxQmNiOUVx"
        "aDRYeWh6"
        "UHdGUHcwIn19\"}";
    struct fault fault;
    struct buf text;
    json_t *header, *jwe = json_loads(foreign, 0, NULL);
    json_t *key = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x",
                            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
                            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d",
                            "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI", "alg", "ECDH-ES+A256KW", "kid",
                            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    buf_init(&text, JWE_TEXT_MAX);
    assert_int_equal(jwe_open(&text, &header, jwe, key, &fault), 0);
    assert_string_equal(text.data, "{\"passphrase\":\"from elsewhere\"}");
    buf_wipe(&text);
    json_decref(header);
    json_decref(key);
    json_decref(jwe);
}

static void any_change_is_seen(void **state)
{
    const struct keys *keys = *state;
    const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    struct fault fault;
    json_t *jwe = seal(keys, "request", "r1");
    for (size_t i = 0; i < 5; i++) {
        char text[2048];
        json_t *changed = json_deep_copy(jwe);
        snprintf(text, sizeof text, "%s", json_string_value(json_object_get(jwe, members[i])));
        char *middle = &text[strlen(text) / 2];
        *middle = *middle == 'A' ? 'B' : 'A';
        json_object_set_new(changed, members[i], json_string(text));
        assert_string_equal(open_code(changed, keys->own, &fault), "bad_jwe");
        json_decref(changed);
    }
    assert_null(open_code(jwe, keys->own, &fault));
    json_decref(jwe);
}

static void another_key_does_not_open(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    json_t *jwe = seal(keys, "request", "r1");
    assert_string_equal(open_code(jwe, keys->other, &fault), "wrong_key");
    json_object_set(keys->other, "kid", json_object_get(keys->own, "kid"));
    assert_string_equal(open_code(jwe, keys->other, &fault), "bad_jwe");
    json_decref(jwe);
}

static void compression_and_critical_members_are_refused(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    json_t *zip = seal(keys, "zip", "DEF"), *crit = seal(keys, "crit", "x");
    assert_string_equal(open_code(zip, keys->own, &fault), "bad_jwe");
    assert_non_null(strstr(fault.text, "no zip"));
    assert_string_equal(open_code(crit, keys->own, &fault), "bad_jwe");
    assert_non_null(strstr(fault.text, "no crit"));
    json_decref(zip);
    json_decref(crit);
}

static void a_header_that_is_not_ours_is_refused(void **state)
{
#define EPK_ON                                                                                               \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define EPK_OFF                                                                                              \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","               \
    "\"y\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}"
    static const struct {
        const char *header, *text;
    } bad[] = {
        {"", "protected header"},
        {"[]", "protected header"},
        {"{\"alg\":\"ECDH-ES+A256KW\",\"alg\":\"ECDH-ES+A256KW\"}", "protected header"},
        {"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"epk\":" EPK_ON "}", "expected ECDH-ES"},
        {"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":" EPK_ON "}", "expected ECDH-ES"},
        {"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A128GCM\",\"epk\":" EPK_ON "}", "expected ECDH-ES"},
        {"{\"alg\":\"PBES2-HS512+A256KW\",\"enc\":\"A256GCM\",\"p2c\":1000000000}", "expected ECDH-ES"},
        {"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\"}", "`epk`"},
        {"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":" EPK_OFF "}", "`epk`"},
        {"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"epk\":" EPK_ON "}", "it was changed"},
    };
    const struct keys *keys = *state;
    struct fault fault;
    json_t *jwe = seal(keys, "request", "r1");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf encoded;
        buf_init(&encoded, 4096);
        assert_int_equal(b64url_encode(&encoded, bad[i].header, strlen(bad[i].header), &fault), 0);
        json_object_set_new(jwe, "protected", json_string(encoded.data));
        assert_string_equal(open_code(jwe, keys->own, &fault), "bad_jwe");
        assert_non_null(strstr(fault.text, bad[i].text));
        buf_wipe(&encoded);
    }
    json_decref(jwe);
}

static void only_the_flattened_form_is_read(void **state)
{
    const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    const struct keys *keys = *state;
    struct fault fault;
    json_t *jwe = seal(keys, "request", "r1");
    for (size_t i = 0; i < 5; i++) {
        json_t *changed = json_deep_copy(jwe);
        json_object_set_new(changed, members[i], json_integer(1));
        assert_string_equal(open_code(changed, keys->own, &fault), "bad_jwe");
        json_object_del(changed, members[i]);
        assert_string_equal(open_code(changed, keys->own, &fault), "bad_jwe");
        json_decref(changed);
    }
    json_object_set_new(jwe, "header", json_object());
    assert_string_equal(open_code(jwe, keys->own, &fault), "bad_jwe");
    assert_string_equal(open_code(NULL, keys->own, &fault), "bad_jwe");
    json_decref(jwe);
}

static void the_header_is_read_without_the_key(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    json_t *header, *jwe = seal(keys, "request", "r1");
    assert_int_equal(jwe_header(&header, jwe, &fault), 0);
    assert_true(json_equal(json_object_get(header, "kid"), json_object_get(keys->own, "kid")));
    assert_string_equal(json_string_value(json_object_get(header, "request")), "r1");
    json_decref(header);
    json_object_del(jwe, "tag");
    assert_int_equal(jwe_header(&header, jwe, &fault), -1);
    assert_string_equal(fault.code, "bad_jwe");
    assert_null(header);
    json_decref(jwe);
}

static void a_text_of_any_length_opens(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 4, 15, 16, 17, 4096, JWE_TEXT_MAX - 1, JWE_TEXT_MAX};
    static char text[JWE_TEXT_MAX + 1];
    const struct keys *keys = *state;
    json_t *header = json_object();
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct fault fault;
        struct buf opened;
        json_t *jwe, *found;
        memset(text, 'x', sizeof text);
        text[lengths[i]] = '\0';
        assert_int_equal(jwe_seal(&jwe, header, keys->public_key, text, &fault), 0);
        buf_init(&opened, lengths[i]);
        assert_int_equal(jwe_open(&opened, &found, jwe, keys->own, &fault), 0);
        assert_int_equal(opened.len, lengths[i]);
        assert_string_equal(opened.data ? opened.data : "", text);
        json_decref(found);
        buf_wipe(&opened);
        json_decref(jwe);
    }
    json_decref(header);
}

static void a_text_that_the_caller_has_no_room_for_is_refused(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    struct buf text;
    json_t *header, *jwe = seal(keys, "request", "r1");
    buf_init(&text, strlen(secret) - 1);
    assert_int_equal(jwe_open(&text, &header, jwe, keys->own, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_int_equal(text.len, 0);
    assert_null(header);
    buf_wipe(&text);
    json_decref(jwe);
}

static void a_text_that_is_too_long_is_not_sealed(void **state)
{
    const struct keys *keys = *state;
    struct fault fault;
    static char text[JWE_TEXT_MAX + 2];
    json_t *jwe, *header = json_object();
    memset(text, 'x', sizeof text);
    text[JWE_TEXT_MAX] = '\0';
    assert_int_equal(jwe_seal(&jwe, header, keys->public_key, text, &fault), 0);
    assert_null(open_code(jwe, keys->own, &fault));
    json_decref(jwe);
    text[JWE_TEXT_MAX] = 'x';
    text[JWE_TEXT_MAX + 1] = '\0';
    assert_int_equal(jwe_seal(&jwe, header, keys->public_key, text, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_null(jwe);
    json_decref(header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sealed_text_opens_with_what_it_is_bound_to, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(two_seals_share_nothing, make_keys, drop_keys),
        cmocka_unit_test(a_text_sealed_elsewhere_opens),
        cmocka_unit_test_setup_teardown(any_change_is_seen, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(another_key_does_not_open, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(compression_and_critical_members_are_refused, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(a_header_that_is_not_ours_is_refused, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(only_the_flattened_form_is_read, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(the_header_is_read_without_the_key, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(a_text_of_any_length_opens, make_keys, drop_keys),
        cmocka_unit_test_setup_teardown(a_text_that_the_caller_has_no_room_for_is_refused, make_keys,
                                        drop_keys),
        cmocka_unit_test_setup_teardown(a_text_that_is_too_long_is_not_sealed, make_keys, drop_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
