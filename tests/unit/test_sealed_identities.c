#include "base/jwe.h"
#include "base/secret.h"
#include "dsar/protocol.h"
#include "intake/request.h"
#include "intake/sealed_identities.h"
#include "test_identity_keys.h"

#include <pthread.h>

#define ID     "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define OTHER  "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e60"
#define CANARY "heap-canary-"

/* What all tests use: a key that the workers have, with one that they had before. */
struct place {
    json_t *key;
    json_t *public_key;
    struct identity_keys *keys;
};

static int make_place(void **state)
{
    static struct place place;
    place.key = a_seal_key();
    place.public_key = public_part(place.key);
    place.keys = load_identity_keys(json_pack("{s:[o,O]}", "keys", a_seal_key(), place.key));
    *state = &place;
    return 0;
}

static int drop_place(void **state)
{
    struct place *place = *state;
    identity_keys_free(place->keys);
    json_decref(place->public_key);
    json_decref(place->key);
    return 0;
}

static json_t *identities(size_t n, char fill)
{
    json_t *list = json_array();
    char value[DSAR_IDENTITY_MAX + 1];
    memset(value, fill, DSAR_IDENTITY_MAX);
    value[DSAR_IDENTITY_MAX] = '\0';
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list,
                              json_pack("{s:s,s:s}", "identity_type", "client_id", "identity_value", value));
    return list;
}

static json_t *sealed(const struct place *place, json_t *list)
{
    struct fault fault;
    json_t *jwe;
    assert_int_equal(sealed_identities_make(&jwe, ID, list, place->public_key, &fault), 0);
    json_decref(list);
    return jwe;
}

/* Any text under any header, as whoever has the public key may seal it. `header` and the result are owned. */
static json_t *sealed_text(const json_t *public_key, json_t *header, const char *text)
{
    struct fault fault;
    json_t *jwe;
    assert_int_equal(jwe_seal(&jwe, header, public_key, text, &fault), 0);
    json_decref(header);
    return jwe;
}

static void what_was_sealed_is_opened(void **state)
{
    const struct place *place = *state;
    struct fault fault;
    json_t *list = identities(2, 'x'), *opened;
    json_t *jwe = sealed(place, json_incref(list));
    assert_int_equal(sealed_identities_open(&opened, jwe, ID, place->keys, &fault), 0);
    assert_true(json_equal(json_object_get(opened, "subject_identities"), list));
    json_decref(opened);
    json_decref(jwe);
    json_decref(list);
}

static void as_many_as_a_request_may_have_can_be_sealed(void **state)
{
    const struct place *place = *state;
    struct fault fault;
    /* JSON writes a quotation mark as two bytes */
    json_t *opened, *jwe = sealed(place, identities(REQUEST_IDENTITIES_MAX, '"'));
    assert_int_equal(sealed_identities_open(&opened, jwe, ID, place->keys, &fault), 0);
    assert_int_equal(json_array_size(json_object_get(opened, "subject_identities")), REQUEST_IDENTITIES_MAX);
    json_decref(opened);
    json_decref(jwe);
}

static void every_byte_may_be_escaped(void **state)
{
    const struct place *place = *state;
    static char text[JWE_TEXT_MAX + 1];
    struct fault fault;
    json_t *opened;
    char *at = text + snprintf(text, sizeof text, "{\"subject_identities\": [");
    for (int i = 0; i < REQUEST_IDENTITIES_MAX; i++) {
        at += sprintf(
            at, "%s\n    {\"identity_type\": \"%.*d\", \"identity_format\": \"raw\", \"identity_value\": \"",
            i ? "," : "", DSAR_NAME_MAX, 0);
        for (int j = 0; j < DSAR_IDENTITY_MAX; j++)
            at = stpcpy(at, "\\u0061");
        at = stpcpy(at, "\"}");
    }
    strcpy(at, "]}");
    json_t *jwe = sealed_text(place->public_key, json_pack("{s:s}", "request", ID), text);
    assert_int_equal(sealed_identities_open(&opened, jwe, ID, place->keys, &fault), 0);
    assert_int_equal(json_array_size(json_object_get(opened, "subject_identities")), REQUEST_IDENTITIES_MAX);
    json_decref(opened);
    json_decref(jwe);
}

/* Opens what must not open, and gives it up. */
static void assert_code(json_t *jwe, const struct identity_keys *keys, const char *code)
{
    struct fault fault;
    json_t *opened;
    assert_int_equal(sealed_identities_open(&opened, jwe, ID, keys, &fault), -1);
    assert_string_equal(fault.code, code);
    assert_false(fault.retryable);
    assert_null(strstr(fault.text, "alice"));
    assert_null(opened);
    json_decref(jwe);
}

static void a_key_that_the_workers_do_not_have_is_said(void **state)
{
    const struct place *place = *state;
    json_t *stranger = a_seal_key(), *public_key = public_part(stranger);
    static const char text[] = "{\"subject_identities\":[]}";
    assert_code(sealed_text(public_key, json_pack("{s:s}", "request", ID), text), place->keys,
                "unknown_identity_key");
    assert_code(sealed(place, identities(1, 'x')), NULL, "unknown_identity_key");
    /* the name of a known key does not make it that key */
    json_object_set(public_key, "kid", json_object_get(place->key, "kid"));
    assert_code(sealed_text(public_key, json_pack("{s:s}", "request", ID), text), place->keys,
                "bad_sealed_identities");
    json_decref(public_key);
    json_decref(stranger);
}

static void it_is_bound_to_its_request(void **state)
{
    static const char text[] = "{\"subject_identities\":[]}";
    const struct place *place = *state;
    json_t *const headers[] = {
        json_object(),
        json_pack("{s:s}", "request", OTHER),
        json_pack("{s:s}", "request", ""),
        json_pack("{s:[s]}", "request", ID),
        json_pack("{s:s}", "subject_request_id", ID),
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_code(sealed_text(place->public_key, headers[i], text), place->keys, "bad_sealed_identities");
}

static void another_text_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "alice",
        "[]",
        "{}",
        "{\"subject_identities\":[],\"alice\":1}",
        "{\"alice\":[]}",
        "{\"subject_identities\":[],\"subject_identities\":[]}",
        "{\"subject_identities\":[\"alice\"}",
        "{\"subject_identities\":[\"alice\\u0000\"]}",
        "{\"subject_identities\":[]}{}",
        "{\"subject_identities\":[\"\xff\"]}",
    };
    const struct place *place = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_code(sealed_text(place->public_key, json_pack("{s:s}", "request", ID), bad[i]), place->keys,
                    "bad_sealed_identities");
}

static void another_form_is_refused(void **state)
{
    const struct place *place = *state;
    assert_code(json_string("eyJhbGciOi..."), place->keys, "bad_sealed_identities");
    assert_code(json_null(), place->keys, "bad_sealed_identities");
    assert_code(json_array(), place->keys, "bad_sealed_identities");
    assert_code(json_object(), place->keys, "bad_sealed_identities");
    json_t *jwe = sealed(place, identities(1, 'x'));
    json_object_set_new(jwe, "unprotected", json_object());
    assert_code(jwe, place->keys, "bad_sealed_identities");
    static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        jwe = sealed(place, identities(1, 'x'));
        json_object_set_new(jwe, members[i], json_string("AAAA"));
        assert_code(jwe, place->keys, "bad_sealed_identities");
    }
}

static void too_much_is_not_sealed(void **state)
{
    const struct place *place = *state;
    struct fault fault;
    json_t *jwe, *list = identities(JWE_TEXT_MAX / DSAR_IDENTITY_MAX, 'x');
    assert_int_equal(sealed_identities_make(&jwe, ID, list, place->public_key, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_null(jwe);
    json_decref(list);
}

static void *open_often(void *place_)
{
    const struct place *place = place_;
    for (int i = 0; i < 20; i++) {
        struct fault fault;
        json_t *opened, *jwe = sealed(place, identities(1, 'x'));
        assert_int_equal(sealed_identities_open(&opened, jwe, ID, place->keys, &fault), 0);
        json_decref(opened);
        json_decref(jwe);
    }
    return NULL;
}

static void several_threads_share_the_keys(void **state)
{
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, open_often, *state), 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

/* How often the canary stands in the heap of this process, freed memory included. */
static size_t count_canaries(void)
{
    unsigned long begin = 0, end = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    assert_non_null(maps);
    setvbuf(maps, NULL, _IONBF, 0);
    while (fgets(line, sizeof line, maps) && !strstr(line, "[heap]"))
        ;
    fclose(maps);
    if (sscanf(line, "%lx-%lx", &begin, &end) != 2 || !strstr(line, "[heap]"))
        return 0;
    size_t n = 0;
    const char *at = (const char *)begin, *found;
    while ((found = memmem(at, (size_t)((const char *)end - at), CANARY, strlen(CANARY)))) {
        n++;
        at = found + 1;
    }
    return n;
}

static void nothing_of_it_stays_in_freed_memory(void **state)
{
    static char text[JWE_TEXT_MAX];
    const struct place *place = *state;
    struct fault fault;
    json_t *opened;
    assert_int_equal(secret_harden_process(&fault), 0);
    char *at = text + sprintf(text, "{\"subject_identities\":[");
    for (int i = 0; i < REQUEST_IDENTITIES_MAX; i++)
        at += sprintf(at, "%s{\"identity_type\":\"x\",\"identity_value\":\"" CANARY "%0400d\"}", i ? "," : "",
                      i);
    strcpy(at, "]}");
    json_t *jwe = sealed_text(place->public_key, json_pack("{s:s}", "request", ID), text);
    assert_int_equal(count_canaries(), 0);
    assert_int_equal(sealed_identities_open(&opened, jwe, ID, place->keys, &fault), 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their heap is elsewhere */
    assert_int_equal(count_canaries(), REQUEST_IDENTITIES_MAX);
#endif
    json_decref(opened);
    assert_int_equal(count_canaries(), 0);
    json_decref(jwe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_is_opened),
        cmocka_unit_test(as_many_as_a_request_may_have_can_be_sealed),
        cmocka_unit_test(every_byte_may_be_escaped),
        cmocka_unit_test(a_key_that_the_workers_do_not_have_is_said),
        cmocka_unit_test(it_is_bound_to_its_request),
        cmocka_unit_test(another_text_is_refused),
        cmocka_unit_test(another_form_is_refused),
        cmocka_unit_test(too_much_is_not_sealed),
        cmocka_unit_test(several_threads_share_the_keys),
        cmocka_unit_test(nothing_of_it_stays_in_freed_memory),
    };
    return cmocka_run_group_tests(tests, make_place, drop_place);
}
