#include "base/jwk.h"
#include "base/jws.h"
#include "intake/signature.h"
#include "intake/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ID       "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define OTHER_ID "3c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define TYPE     "org.dsard.request.v1"
#define SOURCE   "//portal.example"
#define AUDIENCE "controller.example"
#define NOW      INT64_C(1795420800) /* 2026-11-23T08:00:00Z */
#define DAY      INT64_C(86400)

static const char value[] = "{\"subject_request_id\":\"" ID "\"}";

/* Keys "both" (all rights), "asker" (request alone, for SOURCE alone), "old" (retired at NOW) and "stranger"
 * (not in the file). */
enum { BOTH, ASKER, OLD, STRANGER, N_KEYS };

struct world {
    char path[64];
    json_t *keys[N_KEYS];
    struct trust *trust;
};

static void write_set(const char *path, const json_t *set)
{
    assert_int_equal(json_dump_file(set, path, 0), 0);
}

static json_t *entry(const json_t *key, const char *extension)
{
    struct fault fault;
    json_t *public_key;
    assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
    if (extension) {
        json_t *ours = json_loads(extension, JSON_DECODE_ANY, NULL);
        assert_non_null(ours);
        json_object_set_new(public_key, "dsard", ours);
    }
    return public_key;
}

static int make_world(void **state)
{
    static const char *const names[] = {"both", "asker", "old", "stranger"};
    struct world *world = calloc(1, sizeof *world);
    struct fault fault;
    strcpy(world->path, "/tmp/test_trust.XXXXXX");
    int fd = mkstemp(world->path);
    assert_true(fd >= 0);
    close(fd);
    for (int i = 0; i < N_KEYS; i++) {
        assert_int_equal(jwk_generate(&world->keys[i], JWK_SIGN, &fault), 0);
        json_object_set_new(world->keys[i], "kid", json_string(names[i]));
    }
    json_t *set = json_pack(
        "{s:[o,o,o]}", "keys", entry(world->keys[BOTH], "{\"rights\":[\"request\",\"cancel\"]}"),
        entry(world->keys[ASKER],
              "{\"rights\":[\"request\"],\"sources\":[\"//else.example\",\"" SOURCE "\"]}"),
        entry(world->keys[OLD], "{\"rights\":[\"request\"],\"retired_at\":\"2026-11-23T08:00:00Z\"}"));
    write_set(world->path, set);
    json_decref(set);
    if (trust_load(&world->trust, world->path, &fault))
        fail_msg("%s", fault.text);
    *state = world;
    return 0;
}

static int drop_world(void **state)
{
    struct world *world = *state;
    unlink(world->path);
    trust_free(world->trust);
    for (int i = 0; i < N_KEYS; i++)
        json_decref(world->keys[i]);
    free(world);
    return 0;
}

/* A message with all in order; each test changes one thing. */
struct draft {
    int key;
    enum trust_right right;
    struct signature_claims claims;
    const char *type, *source, *request, *message_key, *value, *audience;
    int64_t received_unix_s;
};

static struct draft good_draft(void)
{
    return (struct draft){.key = BOTH,
                          .right = TRUST_REQUEST,
                          .claims = {TYPE, SOURCE, ID, AUDIENCE, NOW, NOW + DAY},
                          .type = TYPE,
                          .source = SOURCE,
                          .request = ID,
                          .message_key = ID,
                          .value = value,
                          .audience = AUDIENCE,
                          .received_unix_s = NOW};
}

/* "ok", or the code of the refusal. */
static const char *verify_text(const struct world *world, const struct draft *draft, const char *signature)
{
    static struct fault fault;
    const struct signed_message message = {.type = draft->type,
                                           .source = draft->source,
                                           .request = draft->request,
                                           .key = draft->message_key,
                                           .key_len = draft->message_key ? strlen(draft->message_key) : 0,
                                           .value = draft->value,
                                           .value_len = strlen(draft->value),
                                           .signature = signature,
                                           .received_unix_s = draft->received_unix_s};
    return trust_verify(world->trust, &message, draft->right, draft->audience, &fault) ? fault.code : "ok";
}

static const char *verify(const struct world *world, const struct draft *draft)
{
    struct fault fault;
    struct buf signature;
    buf_init(&signature, JWS_MAX);
    assert_int_equal(
        signature_make(&signature, &draft->claims, world->keys[draft->key], value, strlen(value), &fault), 0);
    const char *code = verify_text(world, draft, signature.data);
    buf_wipe(&signature);
    return code;
}

static void a_message_in_order_is_trusted(void **state)
{
    for (int key = BOTH; key <= OLD; key++) {
        struct draft draft = good_draft();
        draft.key = key;
        assert_string_equal(verify(*state, &draft), "ok");
    }
}

static void what_is_bound_cannot_be_changed(void **state)
{
    const struct world *world = *state;
    struct draft draft = good_draft();
    draft.value = "{\"subject_request_id\":\"" OTHER_ID "\"}";
    assert_string_equal(verify(world, &draft), "bad_signature");
    draft = good_draft();
    draft.type = "org.dsard.cancel.v1";
    assert_string_equal(verify(world, &draft), "typ_mismatch");
    draft = good_draft();
    draft.source = "//other.example";
    assert_string_equal(verify(world, &draft), "iss_mismatch");
    draft = good_draft();
    draft.request = draft.message_key = OTHER_ID;
    assert_string_equal(verify(world, &draft), "sub_mismatch");
    draft = good_draft();
    draft.audience = "another.example";
    assert_string_equal(verify(world, &draft), "audience");
}

static void the_message_key_is_the_request_id(void **state)
{
    static const char *const keys[] = {NULL, "", OTHER_ID, ID " ", "2c0e8f0a"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct draft draft = good_draft();
        draft.message_key = keys[i];
        assert_string_equal(verify(*state, &draft), "sub_mismatch");
    }
}

static void times_are_kept(void **state)
{
    static const struct {
        int64_t issued, expires, received;
        const char *code;
    } cases[] = {
        {NOW, NOW + DAY, NOW, "ok"},
        {NOW + 300, NOW + DAY, NOW, "ok"},
        {NOW + 301, NOW + DAY, NOW, "not_yet_valid"},
        {NOW - DAY, NOW, NOW, "ok"},
        {NOW - DAY, NOW - 1, NOW, "expired"},
        /* read again long after the first arrival: what counts is the first */
        {NOW - 40 * DAY, NOW - 39 * DAY, NOW - 40 * DAY, "ok"},
        {NOW, NOW + 45 * DAY, NOW, "ok"},
        {NOW, NOW + 45 * DAY + 1, NOW, "expired"},
        {0, INT64_MAX, NOW, "expired"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct draft draft = good_draft();
        draft.claims.issued_unix_s = cases[i].issued;
        draft.claims.expires_unix_s = cases[i].expires;
        draft.received_unix_s = cases[i].received;
        assert_string_equal(verify(*state, &draft), cases[i].code);
    }
}

static void a_retired_key_verifies_what_it_signed_before(void **state)
{
    struct draft draft = good_draft();
    draft.key = OLD;
    draft.claims.issued_unix_s = NOW - DAY;
    draft.received_unix_s = NOW + DAY;
    assert_string_equal(verify(*state, &draft), "ok");
    draft.claims.issued_unix_s = NOW + 1;
    assert_string_equal(verify(*state, &draft), "retired_key");
}

static void a_key_has_no_more_than_its_rights(void **state)
{
    struct draft draft = good_draft();
    draft.right = TRUST_CANCEL;
    assert_string_equal(verify(*state, &draft), "ok");
    draft.key = ASKER;
    assert_string_equal(verify(*state, &draft), "no_right");
    draft = good_draft();
    draft.key = ASKER;
    draft.source = draft.claims.source = "//portal.example.evil";
    assert_string_equal(verify(*state, &draft), "no_right");
    draft.source = draft.claims.source = "//else.example";
    assert_string_equal(verify(*state, &draft), "ok");
}

static void a_stranger_is_refused_also_under_a_known_name(void **state)
{
    struct world *world = *state;
    struct draft draft = good_draft();
    draft.key = STRANGER;
    assert_string_equal(verify(world, &draft), "unknown_kid");
    json_object_set_new(world->keys[STRANGER], "kid", json_string("both"));
    assert_string_equal(verify(world, &draft), "bad_signature");
}

static void what_is_no_signature_is_refused(void **state)
{
#define SIGNATURE "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    static const struct {
        const char *text, *code;
    } cases[] = {
        {NULL, "unsigned"},
        {"", "bad_signature"},
        {"text", "bad_signature"},
        {"..", "bad_signature"},
        {"eyJhbGciOiJFUzI1NiJ9.e30." SIGNATURE, "bad_signature"},
        /* {"alg":"ES256"}, {"alg":"none","kid":"both"} and {"alg":"HS256","kid":"both"} */
        {"eyJhbGciOiJFUzI1NiJ9.." SIGNATURE, "unknown_kid"},
        {"eyJhbGciOiJub25lIiwia2lkIjoiYm90aCJ9..", "wrong_algorithm"},
        {"eyJhbGciOiJIUzI1NiIsImtpZCI6ImJvdGgifQ.." SIGNATURE, "wrong_algorithm"},
    };
    const struct draft draft = good_draft();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(verify_text(*state, &draft, cases[i].text), cases[i].code);
}

/* Signs a header of any members, to leave some out. */
static const char *verify_header(const struct world *world, const char *left_out)
{
    struct fault fault;
    struct buf signature;
    const struct draft draft = good_draft();
    json_t *header = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "typ", TYPE, "iss", SOURCE, "sub", ID, "aud",
                               AUDIENCE, "iat", (json_int_t)NOW, "exp", (json_int_t)(NOW + DAY));
    assert_int_equal(json_object_del(header, left_out), 0);
    buf_init(&signature, JWS_MAX);
    assert_int_equal(jws_sign(&signature, header, world->keys[BOTH], value, strlen(value), &fault), 0);
    const char *code = verify_text(world, &draft, signature.data);
    buf_wipe(&signature);
    json_decref(header);
    return code;
}

static void a_missing_claim_is_one_that_does_not_match(void **state)
{
    assert_string_equal(verify_header(*state, "typ"), "typ_mismatch");
    assert_string_equal(verify_header(*state, "iss"), "iss_mismatch");
    assert_string_equal(verify_header(*state, "sub"), "sub_mismatch");
    assert_string_equal(verify_header(*state, "aud"), "audience");
    assert_string_equal(verify_header(*state, "iat"), "not_yet_valid");
    assert_string_equal(verify_header(*state, "exp"), "expired");
}

static void a_bad_set_of_keys_is_refused_by_name(void **state)
{
    static const char *const extensions[] = {
        NULL,
        "[]",
        "{}",
        "{\"rights\":[]}",
        "{\"rights\":\"request\"}",
        "{\"rights\":[\"request\",\"admin\"]}",
        "{\"rights\":[1]}",
        "{\"rights\":[\"request\"],\"right\":1}",
        "{\"rights\":[\"request\"],\"sources\":\"//portal.example\"}",
        "{\"rights\":[\"request\"],\"sources\":[]}",
        "{\"rights\":[\"request\"],\"sources\":[7]}",
        "{\"rights\":[\"request\"],\"retired_at\":1795420800}",
        "{\"rights\":[\"request\"],\"retired_at\":\"never\"}",
    };
    struct world *world = *state;
    struct fault fault;
    struct trust *trust;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        json_t *set = json_pack("{s:[o,o]}", "keys", entry(world->keys[BOTH], "{\"rights\":[\"request\"]}"),
                                entry(world->keys[ASKER], extensions[i]));
        write_set(world->path, set);
        json_decref(set);
        if (trust_load(&trust, world->path, &fault) == 0)
            fail_msg("accepted: %s", extensions[i]);
        assert_string_equal(fault.code, "bad_key");
        assert_non_null(strstr(fault.text, world->path));
        assert_non_null(strstr(fault.text, "keys[1]"));
        assert_null(trust);
    }
}

static void keys_have_names_of_their_own_and_no_secrets(void **state)
{
    static const char *const members[][2] = {{"kid", "both"},  {"kid", ""},    {"kid", NULL},    {"d", "x"},
                                             {"crv", "P-384"}, {"use", "enc"}, {"alg", "ES384"}, {"y", "x"}};
    struct world *world = *state;
    struct fault fault;
    struct trust *trust;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_t *second = entry(world->keys[ASKER], "{\"rights\":[\"request\"]}");
        json_object_set_new(second, members[i][0], members[i][1] ? json_string(members[i][1]) : json_null());
        json_t *set =
            json_pack("{s:[o,o]}", "keys", entry(world->keys[BOTH], "{\"rights\":[\"request\"]}"), second);
        write_set(world->path, set);
        json_decref(set);
        if (trust_load(&trust, world->path, &fault) == 0)
            fail_msg("accepted: %s %s", members[i][0], members[i][1]);
        assert_string_equal(fault.code, "bad_key");
        assert_non_null(strstr(fault.text, "keys[1]"));
    }
}

int main(void)
{
#define IN_THE_WORLD(test) cmocka_unit_test_setup_teardown(test, make_world, drop_world)
    const struct CMUnitTest tests[] = {
        IN_THE_WORLD(a_message_in_order_is_trusted),
        IN_THE_WORLD(what_is_bound_cannot_be_changed),
        IN_THE_WORLD(the_message_key_is_the_request_id),
        IN_THE_WORLD(times_are_kept),
        IN_THE_WORLD(a_retired_key_verifies_what_it_signed_before),
        IN_THE_WORLD(a_key_has_no_more_than_its_rights),
        IN_THE_WORLD(a_stranger_is_refused_also_under_a_known_name),
        IN_THE_WORLD(what_is_no_signature_is_refused),
        IN_THE_WORLD(a_missing_claim_is_one_that_does_not_match),
        IN_THE_WORLD(a_bad_set_of_keys_is_refused_by_name),
        IN_THE_WORLD(keys_have_names_of_their_own_and_no_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
