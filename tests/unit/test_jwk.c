#include "base/jwk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The key of RFC 7515, appendix A.3. Its thumbprint was computed with hashlib from the text of RFC 7638,
 * section 3. */
#define X          "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y          "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define D          "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define THUMBPRINT "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

static const char public_text[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}";
static const char private_text[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" D "\"}";

struct place {
    char folder[32];
    char path[64];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    strcpy(place->folder, "/tmp/test_jwk.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/key", place->folder);
    *state = place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    rmdir(place->folder);
    free(place);
    return 0;
}

static void put(const struct place *place, const char *text, mode_t mode)
{
    FILE *file = fopen(place->path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->path, mode), 0);
}

static const char *text_of(const json_t *key, const char *member)
{
    return json_string_value(json_object_get(key, member));
}

static void a_thumbprint_is_that_of_rfc_7638(void **state)
{
    struct fault fault;
    char text[JWK_THUMBPRINT_MAX];
    json_t *jwk = json_loads(public_text, 0, NULL);
    assert_int_equal(jwk_thumbprint(jwk, text, &fault), 0);
    assert_string_equal(text, THUMBPRINT);
    json_decref(jwk);
}

static void a_public_key_gets_one_form(void **state)
{
    struct fault fault;
    json_t *key;
    json_t *jwk = json_loads(public_text, 0, NULL);
    json_object_set_new(jwk, "key_ops", json_pack("[s]", "sign"));
    json_object_set_new(jwk, "ext", json_true());
    assert_int_equal(jwk_public(&key, jwk, JWK_SEAL, &fault), 0);
    assert_int_equal(json_object_size(key), 7);
    assert_string_equal(text_of(key, "kid"), THUMBPRINT);
    assert_string_equal(text_of(key, "alg"), "ECDH-ES+A256KW");
    assert_string_equal(text_of(key, "use"), "enc");
    json_decref(key);
    json_object_set_new(jwk, "kid", json_string("portal"));
    assert_int_equal(jwk_public(&key, jwk, JWK_SIGN, &fault), 0);
    assert_string_equal(text_of(key, "kid"), "portal");
    assert_string_equal(text_of(key, "alg"), "ES256");
    json_decref(key);
    json_decref(jwk);
}

static void a_public_key_that_is_not_on_p256_is_refused(void **state)
{
#define MEMBERS(kty, crv, x, y, more)                                                                        \
    "{\"kty\":\"" kty "\",\"crv\":\"" crv "\",\"x\":\"" x "\",\"y\":\"" y "\"" more "}"
    static const char *const bad[] = {
        "[]",
        "\"text\"",
        "{}",
        MEMBERS("RSA", "P-256", X, Y, ""),
        MEMBERS("ec", "P-256", X, Y, ""),
        MEMBERS("EC", "P-384", X, Y, ""),
        MEMBERS("EC", "secp256k1", X, Y, ""),
        MEMBERS("EC", "P-256", Y, X, ""),
        /* one bit of y */
        MEMBERS("EC", "P-256", X, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a4", ""),
        /* a left-over bit that is not zero: another text for the same bytes */
        MEMBERS("EC", "P-256", X, "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1", ""),
        /* the prime itself as x, with the y of x = 0 */
        MEMBERS("EC", "P-256", "_____wAAAAEAAAAAAAAAAAAAAAD_______________8",
                "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q", ""),
        /* the point at infinity has no coordinates; zeros are how some write it */
        MEMBERS("EC", "P-256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", ""),
        /* 31 and 33 bytes, padding, the other alphabet */
        MEMBERS("EC", "P-256", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVA", Y, ""),
        MEMBERS("EC", "P-256", X "AA", Y, ""),
        MEMBERS("EC", "P-256", X "=", Y, ""),
        MEMBERS("EC", "P-256", X, "x/FEzRu9m36HLN/tue659LNpXW6pCyStikYjKIWI5a0", ""),
        MEMBERS("EC", "P-256", X, "", ""),
        /* private members, and other uses */
        MEMBERS("EC", "P-256", X, Y, ",\"d\":\"" D "\""),
        MEMBERS("EC", "P-256", X, Y, ",\"d\":null"),
        MEMBERS("EC", "P-256", X, Y, ",\"k\":\"AA\""),
        MEMBERS("EC", "P-256", X, Y, ",\"use\":\"sig\""),
        MEMBERS("EC", "P-256", X, Y, ",\"use\":7"),
        MEMBERS("EC", "P-256", X, Y, ",\"alg\":\"ES256\""),
        MEMBERS("EC", "P-256", X, Y, ",\"alg\":\"RSA1_5\""),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault = {0};
        json_t *key, *jwk = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        assert_non_null(jwk);
        if (jwk_public(&key, jwk, JWK_SEAL, &fault) == 0)
            fail_msg("accepted: %s", bad[i]);
        assert_string_equal(fault.code, "bad_key");
        assert_null(strstr(fault.text, D));
        assert_null(key);
        json_decref(jwk);
    }
}

static void a_coordinate_beyond_the_field_is_refused(void **state)
{
    /* P-256 has a point with x = 5; the same x plus the prime fits in 32 bytes and stands for the same point
     * only to those who reduce it. y was computed with Python: y^2 = x^3 - 3x + b mod p. */
    static const char small[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU\","
        "\"y\":\"RZJDuapYGAb-kTvOmYF63hHKUDxk2aPFM0FcCDJI-8w\"}";
    static const char large[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"_____wAAAAEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAQ\","
        "\"y\":\"RZJDuapYGAb-kTvOmYF63hHKUDxk2aPFM0FcCDJI-8w\"}";
    struct fault fault;
    json_t *key, *jwk = json_loads(small, 0, NULL);
    assert_int_equal(jwk_public(&key, jwk, JWK_SEAL, &fault), 0);
    json_decref(key);
    json_decref(jwk);
    jwk = json_loads(large, 0, NULL);
    assert_int_equal(jwk_public(&key, jwk, JWK_SEAL, &fault), -1);
    json_decref(jwk);
}

static void a_generated_key_is_whole_and_stripped_of_its_secret(void **state)
{
    for (enum jwk_use use = JWK_SIGN; use <= JWK_SEAL; use++) {
        struct fault fault;
        char thumbprint[JWK_THUMBPRINT_MAX];
        json_t *key, *other, *public_key, *again;
        assert_int_equal(jwk_generate(&key, use, &fault), 0);
        assert_int_equal(jwk_generate(&other, use, &fault), 0);
        assert_string_not_equal(text_of(key, "d"), text_of(other, "d"));
        assert_int_equal(jwk_thumbprint(key, thumbprint, &fault), 0);
        assert_string_equal(text_of(key, "kid"), thumbprint);
        assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
        assert_null(json_object_get(public_key, "d"));
        assert_non_null(json_object_get(key, "d"));
        assert_int_equal(jwk_public(&again, public_key, use, &fault), 0);
        assert_true(json_equal(public_key, again));
        json_decref(again);
        json_decref(public_key);
        json_decref(other);
        json_decref(key);
    }
}

static void a_private_key_file_is_its_owners_alone(void **state)
{
    static const struct {
        mode_t mode;
        int result;
    } cases[] = {{0600, 0},  {0400, 0},  {0440, 0},  {0640, 0}, {0644, -1},
                 {0604, -1}, {0660, -1}, {0602, -1}, {0601, -1}};
    const struct place *place = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        json_t *key;
        put(place, private_text, cases[i].mode);
        assert_int_equal(jwk_load_private(&key, place->path, JWK_SIGN, &fault), cases[i].result);
        if (cases[i].result)
            assert_string_equal(fault.code, "file_mode");
        else
            assert_string_equal(text_of(key, "d"), D);
        json_decref(key);
        unlink(place->path);
    }
}

static void a_private_key_file_is_checked(void **state)
{
    static const struct {
        const char *text, *code;
    } bad[] = {
        {"", "bad_key"},
        {"{\"kty\":", "bad_key"},
        {"{\"kty\":\"EC\",\"kty\":\"EC\"}", "bad_key"},
        {public_text, "bad_key"},
        /* another point's private value */
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
         "\",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LM\"}",
         "bad_key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
         "\",\"d\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
         "bad_key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" D "\",\"use\":\"enc\"}",
         "bad_key"},
    };
    const struct place *place = *state;
    struct fault fault;
    json_t *key;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(place, bad[i].text, 0600);
        assert_int_equal(jwk_load_private(&key, place->path, JWK_SIGN, &fault), -1);
        assert_string_equal(fault.code, bad[i].code);
        assert_non_null(strstr(fault.text, place->path));
        assert_null(strstr(fault.text, D));
        assert_null(key);
    }
    unlink(place->path);
    assert_int_equal(jwk_load_private(&key, place->path, JWK_SIGN, &fault), -1);
    assert_string_equal(fault.code, "file_unreadable");
}

/* A P-256 key of its own. */
static json_t *another(const char *kid)
{
    struct fault fault;
    json_t *key;
    assert_int_equal(jwk_generate(&key, JWK_SEAL, &fault), 0);
    if (kid)
        json_object_set_new(key, "kid", json_string(kid));
    return key;
}

static void put_json(const struct place *place, json_t *json)
{
    char *text = json_dumps(json, 0);
    put(place, text, 0600);
    free(text);
    json_decref(json);
}

static void several_private_keys_come_from_one_file(void **state)
{
    const struct place *place = *state;
    struct fault fault;
    json_t *keys;
    put_json(place, json_pack("{s:[o,o,o], s:s}", "keys", another("old"), another("new"), another(NULL),
                              "more", "x"));
    assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), 0);
    assert_int_equal(json_array_size(keys), 3);
    assert_string_equal(text_of(json_array_get(keys, 0), "kid"), "old");
    assert_string_equal(text_of(json_array_get(keys, 1), "kid"), "new");
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(text_of(json_array_get(keys, i), "d"));
        assert_string_equal(text_of(json_array_get(keys, i), "alg"), "ECDH-ES+A256KW");
    }
    json_decref(keys);
}

static void a_private_key_that_stands_alone_is_a_set_of_one(void **state)
{
    const struct place *place = *state;
    struct fault fault;
    json_t *keys;
    put(place, private_text, 0400);
    assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), 0);
    assert_int_equal(json_array_size(keys), 1);
    assert_string_equal(text_of(json_array_get(keys, 0), "d"), D);
    assert_string_equal(text_of(json_array_get(keys, 0), "kid"), THUMBPRINT);
    json_decref(keys);
}

static void a_file_of_private_keys_is_checked(void **state)
{
#define SET(keys) "{\"keys\":[" keys "]}"
    static const struct {
        const char *text, *says;
    } bad[] = {
        {"", "line 1"},
        {"[]", "line 1"},
        {"{}", "kty"},
        {"{\"keys\":null}", "at least one key"},
        {"{\"keys\":{}}", "at least one key"},
        {SET(""), "at least one key"},
        {SET("7"), "keys[0]"},
        {public_text, "`d`"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\"}"), "keys[0]: key: `d`"},
        {SET("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y "\",\"d\":\"" D
             "\",\"use\":\"sig\"}"),
         "keys[0]: key: `use`"},
    };
    const struct place *place = *state;
    struct fault fault;
    json_t *keys;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(place, bad[i].text, 0600);
        assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), -1);
        assert_string_equal(fault.code, "bad_key");
        assert_non_null(strstr(fault.text, place->path));
        if (!strstr(fault.text, bad[i].says))
            fail_msg("%s: %s", bad[i].text, fault.text);
        assert_null(strstr(fault.text, D));
        assert_null(keys);
    }
    put_json(place, json_pack("{s:[o,o]}", "keys", another("same"), another("same")));
    assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), -1);
    assert_string_equal(fault.code, "bad_key");
    assert_non_null(strstr(fault.text, "keys[1]: `kid`"));
    put(place, private_text, 0644);
    assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), -1);
    assert_string_equal(fault.code, "file_mode");
    unlink(place->path);
    assert_int_equal(jwk_load_private_set(&keys, place->path, JWK_SEAL, &fault), -1);
    assert_string_equal(fault.code, "file_unreadable");
}

static void a_key_set_is_an_object_with_a_list(void **state)
{
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[],\"keys\":[]}"};
    const struct place *place = *state;
    struct fault fault;
    json_t *set;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(place, bad[i], 0644);
        assert_int_equal(jwk_load_set(&set, place->path, &fault), -1);
        assert_string_equal(fault.code, "bad_key");
    }
    put(place, "{\"keys\":[{\"kid\":\"a\"}]}", 0644);
    assert_int_equal(jwk_load_set(&set, place->path, &fault), 0);
    assert_int_equal(json_array_size(json_object_get(set, "keys")), 1);
    json_decref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thumbprint_is_that_of_rfc_7638),
        cmocka_unit_test(a_public_key_gets_one_form),
        cmocka_unit_test(a_public_key_that_is_not_on_p256_is_refused),
        cmocka_unit_test(a_coordinate_beyond_the_field_is_refused),
        cmocka_unit_test(a_generated_key_is_whole_and_stripped_of_its_secret),
        cmocka_unit_test_setup_teardown(a_private_key_file_is_its_owners_alone, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_private_key_file_is_checked, make_place, drop_place),
        cmocka_unit_test_setup_teardown(several_private_keys_come_from_one_file, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_private_key_that_stands_alone_is_a_set_of_one, make_place,
                                        drop_place),
        cmocka_unit_test_setup_teardown(a_file_of_private_keys_is_checked, make_place, drop_place),
        cmocka_unit_test_setup_teardown(a_key_set_is_an_object_with_a_list, make_place, drop_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
