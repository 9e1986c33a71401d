#include "base/b64url.h"
#include "base/jwk.h"
#include "base/jws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* RFC 7515, appendix A.3, with its payload taken out as appendix F says. */
static const char rfc_key[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static const char rfc_payload[] =
    "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";
#define RFC_SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RFC_COMPACT   "eyJhbGciOiJFUzI1NiJ9.." RFC_SIGNATURE

static json_t *rfc_public(void)
{
    struct fault fault;
    json_t *key, *jwk = json_loads(rfc_key, 0, NULL);
    assert_int_equal(jwk_public(&key, jwk, JWK_SIGN, &fault), 0);
    json_decref(jwk);
    return key;
}

static json_t *new_key(void)
{
    struct fault fault;
    json_t *key;
    assert_int_equal(jwk_generate(&key, JWK_SIGN, &fault), 0);
    return key;
}

/* A text whose header is `json` and whose signature is some 64 bytes. */
static void compact_of(struct buf *compact, const char *json)
{
    struct fault fault;
    buf_init(compact, 65536);
    assert_int_equal(b64url_encode(compact, json, strlen(json), &fault), 0);
    assert_int_equal(buf_append_text(compact, ".." RFC_SIGNATURE, &fault), 0);
}

static void the_example_of_rfc_7515_verifies(void **state)
{
    struct fault fault;
    json_t *key = rfc_public();
    assert_int_equal(jws_verify(RFC_COMPACT, key, rfc_payload, sizeof rfc_payload - 1, &fault), 0);
    assert_int_equal(jws_verify(RFC_COMPACT, key, rfc_payload, sizeof rfc_payload - 2, &fault), -1);
    assert_string_equal(fault.code, "bad_signature");
    json_decref(key);
}

static void a_payload_of_any_size_is_bound(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 3, 4095, 4096, 4097, 5 * 1024 * 1024 + 1};
    struct fault fault;
    json_t *key = new_key(), *public_key, *header = json_pack("{s:s, s:I}", "sub", "r", "iat", (json_int_t)1);
    char *payload = calloc(1, 5 * 1024 * 1024 + 2);
    assert_non_null(payload);
    assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct buf compact;
        buf_init(&compact, JWS_MAX);
        assert_int_equal(jws_sign(&compact, header, key, payload, sizes[i], &fault), 0);
        assert_int_equal(jws_verify(compact.data, public_key, payload, sizes[i], &fault), 0);
        assert_int_equal(jws_verify(compact.data, public_key, payload, sizes[i] + 1, &fault), -1);
        if (sizes[i]) {
            payload[sizes[i] / 2] ^= 1;
            assert_int_equal(jws_verify(compact.data, public_key, payload, sizes[i], &fault), -1);
            assert_string_equal(fault.code, "bad_signature");
            payload[sizes[i] / 2] ^= 1;
        }
        buf_wipe(&compact);
    }
    free(payload);
    json_decref(header);
    json_decref(public_key);
    json_decref(key);
}

static void the_header_is_given_back_with_alg_and_kid(void **state)
{
    struct fault fault;
    struct buf compact;
    json_t *key = new_key(), *read,
           *header = json_pack("{s:s, s:s, s:s}", "typ", "t", "alg", "none", "kid", "other");
    buf_init(&compact, JWS_MAX);
    assert_int_equal(jws_sign(&compact, header, key, "x", 1, &fault), 0);
    assert_int_equal(jws_header(&read, compact.data, &fault), 0);
    assert_int_equal(json_object_size(read), 3);
    assert_string_equal(json_string_value(json_object_get(read, "typ")), "t");
    assert_string_equal(json_string_value(json_object_get(read, "alg")), "ES256");
    assert_true(json_equal(json_object_get(read, "kid"), json_object_get(key, "kid")));
    assert_string_equal(json_string_value(json_object_get(header, "alg")), "none");
    json_decref(read);
    json_decref(header);
    json_decref(key);
    buf_wipe(&compact);
}

static void any_changed_character_is_seen(void **state)
{
    struct fault fault;
    struct buf compact;
    json_t *key = new_key(), *header = json_pack("{s:s}", "sub", "r");
    buf_init(&compact, JWS_MAX);
    assert_int_equal(jws_sign(&compact, header, key, "payload", 7, &fault), 0);
    for (size_t i = 0; i < compact.len; i++) {
        char was = compact.data[i];
        compact.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(jws_verify(compact.data, key, "payload", 7, &fault), -1);
        compact.data[i] = was;
    }
    /* the last character's two spare bits are no second way to write the same signature */
    compact.data[compact.len - 1]++;
    assert_int_equal(jws_verify(compact.data, key, "payload", 7, &fault), -1);
    compact.data[compact.len - 1]--;
    assert_int_equal(jws_verify(compact.data, key, "payload", 7, &fault), 0);
    buf_wipe(&compact);
    json_decref(header);
    json_decref(key);
}

static void another_key_does_not_verify(void **state)
{
    struct fault fault;
    json_t *key = new_key();
    assert_int_equal(jws_verify(RFC_COMPACT, key, rfc_payload, sizeof rfc_payload - 1, &fault), -1);
    assert_string_equal(fault.code, "bad_signature");
    json_decref(key);
}

static void the_key_decides_the_algorithm(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",  "{\"alg\":\"HS256\"}", "{\"alg\":\"ES384\"}",
                                          "{\"alg\":\"RS256\"}", "{\"alg\":\"es256\"}", "{\"kid\":\"k\"}"};
    struct fault fault;
    struct buf compact;
    json_t *key = rfc_public(), *seal;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        compact_of(&compact, headers[i]);
        assert_int_equal(jws_verify(compact.data, key, "x", 1, &fault), -1);
        assert_string_equal(fault.code, "wrong_algorithm");
        buf_wipe(&compact);
    }
    assert_int_equal(jwk_generate(&seal, JWK_SEAL, &fault), 0);
    assert_int_equal(jws_verify(RFC_COMPACT, seal, rfc_payload, sizeof rfc_payload - 1, &fault), -1);
    assert_string_equal(fault.code, "wrong_algorithm");
    json_t *nothing = json_object();
    buf_init(&compact, JWS_MAX);
    assert_int_equal(jws_sign(&compact, nothing, seal, "x", 1, &fault), -1);
    assert_int_equal(jws_sign(&compact, nothing, key, "x", 1, &fault), -1);
    assert_string_equal(fault.code, "bad_key");
    buf_wipe(&compact);
    json_decref(nothing);
    json_decref(seal);
    json_decref(key);
}

static void a_header_that_is_not_ours_is_refused(void **state)
{
    static const char *const headers[] = {
        "",
        "{",
        "[]",
        "7",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
        "{\"alg\":\"ES256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"ES256\",\"b64\":false}",
        "{\"alg\":\"ES256\",\"jwk\":{}}",
        "{\"alg\":\"ES256\",\"jku\":\"https://example.test/\"}",
        "{\"alg\":\"ES256\",\"x5c\":[]}",
        "{\"alg\":\"ES256\",\"cty\":\"x\"}",
        "{\"alg\":7}",
        "{\"alg\":\"ES256\",\"kid\":[\"k\"]}",
        "{\"alg\":\"ES256\",\"aud\":[\"a\",\"b\"]}",
        "{\"alg\":\"ES256\",\"iat\":\"1\"}",
        "{\"alg\":\"ES256\",\"iat\":1.5}",
        "{\"alg\":\"ES256\",\"exp\":-1}",
        "{\"alg\":\"ES256\",\"exp\":99999999999999999999}",
        "{\"alg\":\"ES256\"} {}",
        "{\"alg\":\"ES256\\u0000\"}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct fault fault;
        struct buf compact;
        json_t *header;
        compact_of(&compact, headers[i]);
        if (jws_header(&header, compact.data, &fault) == 0)
            fail_msg("accepted: %s", headers[i]);
        assert_string_equal(fault.code, "bad_signature");
        assert_null(header);
        buf_wipe(&compact);
    }
}

static void a_text_of_another_form_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        ".",
        "..",
        "...",
        "eyJhbGciOiJFUzI1NiJ9",
        "eyJhbGciOiJFUzI1NiJ9." RFC_SIGNATURE,
        "eyJhbGciOiJFUzI1NiJ9..",
        "eyJhbGciOiJFUzI1NiJ9.e30." RFC_SIGNATURE,
        RFC_COMPACT ".",
        RFC_COMPACT "=",
        "eyJhbGciOiJFUzI1NiJ9..\xff\xfe",
        RFC_COMPACT "A",
        " " RFC_COMPACT,
        RFC_COMPACT "\n",
        "eyJhbGciOiJFUzI1NiJ9==.." RFC_SIGNATURE,
        "eyJhbGciOiJFUzI1NiJ9..DtEhU3ljbEg8L38VWAfUAqOyKAM6+Xx+"
        "F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3+Kg6NU1Q",
        /* r and s of zero */
        "eyJhbGciOiJFUzI1NiJ9.."
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    };
    struct fault fault;
    json_t *key = rfc_public();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (jws_verify(texts[i], key, rfc_payload, sizeof rfc_payload - 1, &fault) == 0)
            fail_msg("accepted: %s", texts[i]);
        assert_string_equal(fault.code, "bad_signature");
        assert_false(fault.retryable);
    }
    json_decref(key);
}

static void a_text_that_is_too_long_is_refused(void **state)
{
    for (int over = 0; over <= 1; over++) {
        struct fault fault;
        struct buf compact;
        json_t *header;
        char json[JWS_MAX];
        /* 3006 bytes of header are 4008 characters; with two dots and 86 of signature 4096 */
        int kid = 3006 - (int)strlen("{\"kid\":\"\"}") + over;
        snprintf(json, sizeof json, "{\"kid\":\"%0*d\"}", kid, 0);
        compact_of(&compact, json);
        assert_int_equal(compact.len, over ? JWS_MAX + 2 : JWS_MAX);
        assert_int_equal(jws_header(&header, compact.data, &fault), over ? -1 : 0);
        json_decref(header);
        buf_wipe(&compact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_7515_verifies),
        cmocka_unit_test(a_payload_of_any_size_is_bound),
        cmocka_unit_test(the_header_is_given_back_with_alg_and_kid),
        cmocka_unit_test(any_changed_character_is_seen),
        cmocka_unit_test(another_key_does_not_verify),
        cmocka_unit_test(the_key_decides_the_algorithm),
        cmocka_unit_test(a_header_that_is_not_ours_is_refused),
        cmocka_unit_test(a_text_of_another_form_is_refused),
        cmocka_unit_test(a_text_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
