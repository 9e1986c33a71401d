/* Whatever a message holds, what is said of it quotes none of it: the text of a dead letter is published and logged. */
#include "base/b64url.h"
#include "base/jwk.h"
#include "base/jws.h"
#include "intake/cloudevent.h"
#include "intake/request.h"
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

#define ID          "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define TYPE        "org.dsard.request.v1"
#define SOURCE      "//portal.example"
#define NOW         INT64_C(1795420800) /* 2026-11-23T08:00:00Z */
#define CANARY      "canary@example.test"
#define COUNT(list) (sizeof(list) / sizeof *(list))

struct world {
    char path[64];
    json_t *key;
    struct trust *trust;
    json_t *body;                   /* of a request that could be answered, but for its recipient */
    json_t *claims;                 /* that hold for it */
    char codes[32][FAULT_CODE_MAX]; /* that were seen */
    size_t n_codes;
};

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct fault fault;
    json_t *public_key;
    strcpy(world->path, "/tmp/test_dead_reason.XXXXXX");
    int fd = mkstemp(world->path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(jwk_generate(&world->key, JWK_SIGN, &fault), 0);
    assert_int_equal(jwk_strip(&public_key, world->key, &fault), 0);
    json_object_set_new(public_key, "dsard",
                        parse("{\"rights\":[\"request\"],\"sources\":[\"" SOURCE "\"]}"));
    json_t *set = json_pack("{s:[o]}", "keys", public_key);
    assert_int_equal(json_dump_file(set, world->path, 0), 0);
    json_decref(set);
    assert_int_equal(trust_load(&world->trust, world->path, &fault), 0);
    world->body =
        parse("{\"subject_request_id\":\"" ID "\",\"api_version\":\"2.0\",\"regulation\":\"gdpr\","
              "\"subject_request_type\":\"access\",\"submitted_time\":\"2026-11-23T07:00:00Z\","
              "\"subject_identities\":[{\"identity_type\":\"email\",\"identity_value\":\"" CANARY "\"}],"
              "\"extensions\":{\"dsard\":{}},\"" CANARY "\":\"" CANARY "\"}");
    world->claims = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "typ", TYPE, "iss", SOURCE, "sub", ID, "aud",
                              "host", "iat", (json_int_t)NOW, "exp", (json_int_t)NOW + 86400);
    *state = world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;
    unlink(world->path);
    trust_free(world->trust);
    json_decref(world->key);
    json_decref(world->body);
    json_decref(world->claims);
    free(world);
    return 0;
}

static void note(struct world *world, const struct fault *fault)
{
    if (strstr(fault->text, "canary") || strstr(fault->code, "canary"))
        fail_msg("%s: %s", fault->code, fault->text);
    for (size_t i = 0; i < world->n_codes; i++)
        if (strcmp(world->codes[i], fault->code) == 0)
            return;
    assert_true(world->n_codes < COUNT(world->codes));
    strcpy(world->codes[world->n_codes++], fault->code);
}

static void expect_code(const struct world *world, const char *code)
{
    for (size_t i = 0; i < world->n_codes; i++)
        if (strcmp(world->codes[i], code) == 0)
            return;
    fail_msg("nothing was wrong in the way of %s", code);
}

/* As a worker does it: whatever is wrong is looked at. */
static void judge(struct world *world, const struct message *message, const char *key)
{
    const struct cloudevent_options options = {.max_bytes = 65536};
    struct cloudevent *event;
    struct request *request;
    struct fault fault;
    if (cloudevent_decode(&event, message, &options, &fault)) {
        note(world, &fault);
        return;
    }
    if (request_parse(&request, event->data, event->len, NOW, NULL, &fault) != REQUEST_OK)
        note(world, &fault);
    const struct signed_message claim = {.type = event->type,
                                         .source = event->source,
                                         .request = request ? request->id : ID,
                                         .key = key,
                                         .key_len = strlen(key),
                                         .value = message->value,
                                         .value_len = message->len,
                                         .signature = event->signature,
                                         .received_unix_s = NOW};
    if (trust_verify(world->trust, &claim, TRUST_REQUEST, "host", &fault))
        note(world, &fault);
    request_free(request);
    cloudevent_free(event);
}

/* A message with good headers but for the one that is named. */
static void judge_with(struct world *world, const char *value, size_t len, const json_t *claims,
                       const char *name, const char *text)
{
    struct buf signature;
    struct fault fault;
    buf_init(&signature, JWS_MAX * 4);
    assert_int_equal(jws_sign(&signature, claims, world->key, value, len, &fault), 0);
    const char *const good[][2] = {{"ce_specversion", "1.0"},
                                   {"ce_id", "1"},
                                   {"ce_source", SOURCE},
                                   {"ce_type", TYPE},
                                   {"ce_time", "2026-11-23T07:00:00Z"},
                                   {"content-type", "application/json"},
                                   {"dsar-signature", signature.data},
                                   {"ce_" CANARY, CANARY}};
    struct message_header headers[COUNT(good) + 1];
    size_t n = 0;
    for (; n < COUNT(good); n++)
        if (!name || strcmp(good[n][0], name) != 0)
            headers[n] = (struct message_header){good[n][0], good[n][1], strlen(good[n][1])};
        else
            headers[n] = (struct message_header){name, text, strlen(text)};
    headers[n++] = (struct message_header){name ? name : "traceparent", text, strlen(text)};
    const struct message message = {.value = value, .len = len, .headers = headers, .n_headers = n - 1};
    const struct message doubled = {.value = value, .len = len, .headers = headers, .n_headers = n};
    judge(world, &message, ID);
    judge(world, &message, CANARY);
    judge(world, &doubled, ID);
    buf_wipe(&signature);
}

static void judge_json(struct world *world, const json_t *body)
{
    char *text = json_dumps(body, JSON_ENCODE_ANY);
    assert_non_null(text);
    judge_with(world, text, strlen(text), world->claims, NULL, CANARY);
    judge_with(world, text, strlen(text), world->claims, "content-type",
               "application/cloudevents+json; " CANARY);
    free(text);
}

static const char *const wrong[] = {"\"" CANARY "\"", "[\"" CANARY "\"]", "{\"" CANARY "\":\"" CANARY "\"}",
                                    "\"" CANARY "\\n\\u001b[2J\"", "[{\"" CANARY "\":[\"" CANARY "\"]}]"};

static void no_header_is_quoted(void **state)
{
    static const char *const names[] = {
        "ce_specversion", "ce_id",          "ce_source",      "ce_type",
        "ce_time",        "content-type",   "dsar-signature", "ce_datacontenttype",
        "traceparent",    "ce_traceparent", "ce_" CANARY,     CANARY};
    static const char *const texts[] = {
        CANARY,     CANARY "\xff", CANARY "..canary", "application/cloudevents+" CANARY,
        " " CANARY, "1.0 " CANARY};
    struct world *world = *state;
    char *value = json_dumps(world->body, 0);
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t k = 0; k < COUNT(texts); k++)
            judge_with(world, value, strlen(value), world->claims, names[i], texts[k]);
    free(value);
    expect_code(world, "bad_event");
    expect_code(world, "bad_signature");
    expect_code(world, "iss_mismatch");
    expect_code(world, "sub_mismatch");
}

/* With a header that no key has signed, so that it may say anything. */
static void judge_forged(struct world *world, const char *value, json_t *claims)
{
    struct buf signature;
    buf_init(&signature, JWS_MAX);
    json_t *header =
        json_pack("{s:s,s:s}", "alg", "ES256", "kid", json_string_value(json_object_get(world->key, "kid")));
    json_object_update(header, claims);
    char *text = json_dumps(header, 0);
    assert_int_equal(b64url_encode(&signature, text, strlen(text), NULL), 0);
    assert_int_equal(buf_append_text(&signature, "..Y2FuYXJ5", NULL), 0);
    judge_with(world, value, strlen(value), world->claims, "dsar-signature", signature.data);
    buf_wipe(&signature);
    free(text);
    json_decref(header);
}

static void no_claim_is_quoted(void **state)
{
    static const char *const names[] = {"alg", "kid", "typ", "iss", "sub", "aud", "iat", "exp", CANARY};
    struct world *world = *state;
    char *value = json_dumps(world->body, 0);
    for (size_t i = 0; i < COUNT(names); i++)
        for (size_t k = 0; k < COUNT(wrong); k++) {
            json_t *claims = json_deep_copy(world->claims);
            json_object_set_new(claims, names[i], parse(wrong[k]));
            judge_with(world, value, strlen(value), claims, NULL, CANARY);
            judge_forged(world, value, claims);
            json_decref(claims);
        }
    free(value);
    expect_code(world, "sub_mismatch");
    expect_code(world, "iss_mismatch");
    expect_code(world, "wrong_algorithm");
    expect_code(world, "unknown_kid");
    expect_code(world, "bad_signature");
}

static void no_member_is_quoted(void **state)
{
    struct world *world = *state;
    const char *name;
    json_t *ignored;
    json_object_foreach (world->body, name, ignored) {
        for (size_t k = 0; k < COUNT(wrong); k++) {
            json_t *body = json_deep_copy(world->body);
            json_object_set_new(body, name, parse(wrong[k]));
            judge_json(world, body);
            json_t *event = json_pack("{s:s,s:s,s:s,s:s,s:o}", "specversion", "1.0", "id", "1", "source",
                                      SOURCE, "type", TYPE, "data", body);
            judge_json(world, event);
            json_object_set_new(event, k % 2 ? "type" : "data_base64", parse(wrong[k]));
            judge_json(world, event);
            json_decref(event);
        }
    }
    expect_code(world, "bad_event");
    expect_code(world, "bad_request");
    expect_code(world, "unsupported_version");
    expect_code(world, "unsupported_regulation");
    expect_code(world, "unsupported_type");
    expect_code(world, "no_identity");
}

static void no_identity_and_nothing_of_ours_is_quoted(void **state)
{
    static const char *const identity[] = {"identity_type", "identity_value", "identity_format"};
    static const char *const ours[] = {"due_time",  "locale",   "role", "scope",
                                       "recipient", "envelope", CANARY};
    struct world *world = *state;
    for (size_t k = 0; k < COUNT(wrong); k++) {
        for (size_t i = 0; i < COUNT(identity); i++) {
            json_t *body = json_deep_copy(world->body);
            json_object_set_new(json_array_get(json_object_get(body, "subject_identities"), 0), identity[i],
                                parse(wrong[k]));
            judge_json(world, body);
            json_decref(body);
        }
        for (size_t i = 0; i < COUNT(ours); i++) {
            json_t *body = json_deep_copy(world->body);
            json_object_set_new(json_object_get(json_object_get(body, "extensions"), "dsard"), ours[i],
                                parse(wrong[k]));
            judge_json(world, body);
            json_decref(body);
        }
    }
    expect_code(world, "bad_identity");
    expect_code(world, "bad_recipient");
    expect_code(world, "bad_request");
    expect_code(world, "unknown_envelope");
}

static void no_text_that_is_no_json_is_quoted(void **state)
{
    static const char *const values[] = {CANARY,
                                         "\"" CANARY "\"",
                                         "{\"" CANARY "\":1,\"" CANARY "\":2}",
                                         "{\"" CANARY "\":",
                                         "{\"" CANARY "\xff\":1}",
                                         "{\"a\":\"" CANARY "\\ud800\"}",
                                         "{} " CANARY,
                                         "[\"" CANARY "\"]",
                                         ""};
    struct world *world = *state;
    for (size_t i = 0; i < COUNT(values); i++) {
        judge_with(world, values[i], strlen(values[i]), world->claims, NULL, CANARY);
        judge_with(world, values[i], strlen(values[i]), world->claims, "content-type",
                   "application/cloudevents+json");
    }
    expect_code(world, "bad_event");
    expect_code(world, "bad_request");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, free_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_header_is_quoted),
        TEST(no_claim_is_quoted),
        TEST(no_member_is_quoted),
        TEST(no_identity_and_nothing_of_ours_is_quoted),
        TEST(no_text_that_is_no_json_is_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
