#include "base/clock.h"
#include "dsar/protocol.h"
#include "intake/request.h"
#include "intake/sealed_identities.h"
#include "intake/syntax.h"
#include "test_identity_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include <cmocka.h>

#define ID "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"
#define X  "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define Y  "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

static const char whole[] =
    "{\"regulation\":\"gdpr\",\"subject_request_id\":\"" ID "\",\"subject_request_type\":\"access\","
    "\"submitted_time\":\"2026-11-23T08:00:00Z\",\"api_version\":\"2.0\","
    "\"status_callback_urls\":[\"https://portal.example/\"],\"property_id\":7,"
    "\"subject_identities\":["
    "{\"identity_type\":\"email\",\"identity_value\":\"alice@example.test\",\"identity_format\":\"raw\"},"
    "{\"identity_type\":\"controller_customer_id\",\"identity_value\":\"4711 é\"}],"
    "\"extensions\":{\"elsewhere\":{\"x\":1},\"dsard\":{\"due_time\":\"2026-12-20T00:00:00+01:00\","
    "\"locale\":\"pt-BR\","
    "\"role\":\"end_user\",\"scope\":{\"sources\":[\"billing\",\"forum\"],\"categories\":[\"orders\"]},"
    "\"recipient\":{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
    "\",\"kid\":\"alice@example.test\",\"ext\":true,\"key_ops\":[]}},\"envelope\":\"zip\"}}}";

static int64_t at(const char *text)
{
    int64_t unix_s;
    assert_int_equal(clock_parse(text, &unix_s, NULL), 0);
    return unix_s;
}

/* Sets (or, given NULL, removes) the member at a dotted path; a number names an element. */
static void edit(json_t *body, const char *path, const char *value)
{
    char steps[128], *rest = steps, *step;
    json_t *at_step = body, *new_value = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    snprintf(steps, sizeof steps, "%s", path);
    assert_true(!value || new_value);
    while ((step = strsep(&rest, ".")) && rest)
        at_step = json_is_array(at_step) ? json_array_get(at_step, strtoul(step, NULL, 10))
                                         : json_object_get(at_step, step);
    assert_non_null(at_step);
    if (!value)
        assert_int_equal(json_object_del(at_step, step), 0);
    else if (json_is_array(at_step))
        assert_int_equal(json_array_set_new(at_step, strtoul(step, NULL, 10), new_value), 0);
    else
        assert_int_equal(json_object_set_new(at_step, step, new_value), 0);
}

static enum request_verdict parse_edited(struct request **request, const char *path, const char *value,
                                         struct fault *fault)
{
    json_t *body = json_loads(whole, 0, NULL);
    assert_non_null(body);
    edit(body, path, value);
    char *text = json_dumps(body, JSON_COMPACT);
    enum request_verdict verdict =
        request_parse(request, text, strlen(text), at("2026-11-23T09:00:00Z"), NULL, fault);
    free(text);
    json_decref(body);
    return verdict;
}

static void every_member_is_read(void **state)
{
    struct fault fault;
    struct request *request;
    unsigned char digest[32];
    assert_int_equal(request_parse(&request, whole, strlen(whole), at("2026-11-23T09:00:00Z"), NULL, &fault),
                     REQUEST_OK);
    assert_string_equal(request->id, ID);
    assert_int_equal(EVP_Digest(whole, strlen(whole), digest, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(request->sha256, digest, 32);
    assert_string_equal(request_regulation_name(request->regulation), "gdpr");
    assert_string_equal(request_type_name(request->type), "access");
    assert_string_equal(request_role_name(request->role), "end_user");
    assert_int_equal(request->submitted_unix_s, at("2026-11-23T08:00:00Z"));
    assert_int_equal(request->due_unix_s, at("2026-12-19T23:00:00Z"));
    assert_int_equal(request->n_identities, 2);
    assert_string_equal(request->identities[0].kind, "email");
    assert_string_equal(request->identities[0].value, "alice@example.test");
    assert_string_equal(request->identities[1].kind, "controller_customer_id");
    assert_string_equal(request->identities[1].value, "4711 é");
    assert_string_equal(request->locale, "pt-BR");
    assert_int_equal(request->sources.n_names, 2);
    assert_string_equal(request->sources.names[1], "forum");
    assert_int_equal(request->categories.n_names, 1);
    assert_string_equal(request->categories.names[0], "orders");
    assert_string_equal(request->envelope, "zip");
    /* the recipient's kid is the thumbprint, never a text of the request's */
    assert_string_equal(json_string_value(json_object_get(request->recipient, "x")), X);
    assert_string_equal(json_string_value(json_object_get(request->recipient, "kid")),
                        "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U");
    request_free(request);
}

static void what_is_not_said_has_its_default(void **state)
{
    static const char least[] =
        "{\"regulation\":\"ccpa\",\"subject_request_id\":\"" ID
        "\",\"subject_request_type\":\"portability\",\"submitted_time\":\"2026-11-23T08:00:00Z\","
        "\"subject_identities\":[{\"identity_type\":\"email\",\"identity_value\":\"a@b\"}],"
        "\"extensions\":{\"dsard\":{\"recipient\":{\"jwk\":{\"kty\":\"EC\",\"crv\":\"P-256\","
        "\"x\":\"" X "\",\"y\":\"" Y "\"}}}}}";
    struct fault fault;
    struct request *request;
    assert_int_equal(request_parse(&request, least, strlen(least), at("2026-11-23T09:00:00Z"), NULL, &fault),
                     REQUEST_OK);
    assert_int_equal(request->regulation, REGULATION_CCPA);
    assert_int_equal(request->type, REQUEST_PORTABILITY);
    assert_int_equal(request->role, ROLE_CLIENT);
    assert_int_equal(request->due_unix_s, at("2026-12-23T08:00:00Z"));
    assert_string_equal(request->locale, "en");
    assert_string_equal(request->envelope, "zip");
    assert_int_equal(request->sources.n_names, 0);
    assert_int_equal(request->categories.n_names, 0);
    request_free(request);
}

static void what_has_no_usable_id_is_unusable(void **state)
{
    static const char *const ids[] = {
        NULL,
        "7",
        "null",
        "\"\"",
        "\"2C0E8F0A-6A58-4B0C-9D7E-0A1B2C3D4E5F\"",
        "\"2c0e8f0a-6a58-1b0c-9d7e-0a1b2c3d4e5f\"",
        "\"2c0e8f0a-6a58-4b0c-cd7e-0a1b2c3d4e5f\"",
        "\"2c0e8f0a6a584b0c9d7e0a1b2c3d4e5f\"",
        "\"{2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f}\"",
        "\"2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5\"",
        "\"2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5ff\"",
        "\"2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5/\"",
    };
    static const char *const bodies[] = {"",
                                         "{",
                                         "null",
                                         "[]",
                                         "\"text\"",
                                         "{}",
                                         "{\"subject_request_id\":\"" ID "\"",
                                         "{\"subject_request_id\":\"" ID "\"}x",
                                         "{\"subject_request_id\":\"" ID "\",\"subject_request_id\":\"" ID
                                         "\"}",
                                         "{\"subject_request_id\":\"" ID "\",\"x\":\"\xff\"}",
                                         "{\"subject_request_id\":\"" ID "\",\"x\":\"\\u0000\"}"};
    struct fault fault;
    struct request *request;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        assert_int_equal(parse_edited(&request, "subject_request_id", ids[i], &fault), REQUEST_UNUSABLE);
        assert_string_equal(fault.code, "bad_request");
        assert_null(request);
    }
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_int_equal(request_parse(&request, bodies[i], strlen(bodies[i]), 0, NULL, &fault),
                         REQUEST_UNUSABLE);
        assert_string_equal(fault.code, "bad_request");
        assert_null(request);
    }
}

static void what_cannot_be_answered_says_why(void **state)
{
    static const struct {
        const char *path, *value, *code;
    } cases[] = {
        {"regulation", NULL, "unsupported_regulation"},
        {"regulation", "\"lgpd\"", "unsupported_regulation"},
        {"regulation", "1", "unsupported_regulation"},
        {"subject_request_type", "\"erasure\"", "unsupported_type"},
        {"subject_request_type", "\"Access\"", "unsupported_type"},
        {"subject_request_type", NULL, "unsupported_type"},
        {"api_version", "\"1.0\"", "unsupported_version"},
        {"api_version", "2.0", "unsupported_version"},
        {"submitted_time", NULL, "bad_request"},
        {"submitted_time", "\"yesterday\"", "bad_request"},
        {"submitted_time", "1795420800", "bad_request"},
        {"submitted_time", "\"2026-11-23T09:05:01Z\"", "bad_request"},
        {"extensions.dsard.due_time", "\"2026-11-23T09:00:00Z\"", "due_time_past"},
        {"extensions.dsard.due_time", "\"2026-11-22T09:00:00Z\"", "due_time_past"},
        {"extensions.dsard.due_time", "\"soon\"", "bad_request"},
        {"extensions.dsard.due_time", "null", "bad_request"},
        {"extensions", NULL, "bad_request"},
        {"extensions.dsard", NULL, "bad_request"},
        {"extensions.dsard", "[]", "bad_request"},
        {"extensions.dsard.alice@host", "1", "bad_request"},
        {"extensions.dsard.locale", "\"e\"", "bad_request"},
        {"extensions.dsard.locale", "\"fr_FR\"", "bad_request"},
        {"extensions.dsard.locale", "\"../etc\"", "bad_request"},
        {"extensions.dsard.locale", "7", "bad_request"},
        {"extensions.dsard.role", "\"admin\"", "bad_request"},
        {"extensions.dsard.role", "null", "bad_request"},
        {"extensions.dsard.envelope", "\"age\"", "unknown_envelope"},
        {"extensions.dsard.envelope", "null", "unknown_envelope"},
        {"extensions.dsard.scope", "[]", "bad_request"},
        {"extensions.dsard.scope.other", "[]", "bad_request"},
        {"extensions.dsard.scope.sources", "\"billing\"", "bad_request"},
        {"extensions.dsard.scope.sources", "[\"billing\",7]", "bad_request"},
        {"extensions.dsard.scope.sources", "[\"../billing\"]", "bad_request"},
        {"extensions.dsard.scope.categories", "[\"Orders\"]", "bad_request"},
        {"extensions.dsard.scope.categories", "{}", "bad_request"},
        {"extensions.dsard.recipient", NULL, "bad_recipient"},
        {"extensions.dsard.recipient", "{}", "bad_recipient"},
        {"extensions.dsard.recipient.jwk", "\"x\"", "bad_recipient"},
        {"extensions.dsard.recipient.email", "\"x\"", "bad_recipient"},
        {"extensions.dsard.recipient.jwk.kty", "\"OKP\"", "bad_recipient"},
        {"extensions.dsard.recipient.jwk.crv", "\"P-384\"", "bad_recipient"},
        {"extensions.dsard.recipient.jwk.x", "\"" Y "\"", "bad_recipient"},
        {"extensions.dsard.recipient.jwk.y", NULL, "bad_recipient"},
        {"extensions.dsard.recipient.jwk.d", "\"" X "\"", "bad_recipient"},
        {"extensions.dsard.recipient.jwk.use", "\"sig\"", "bad_recipient"},
        {"subject_identities", NULL, "no_identity"},
        {"subject_identities", "[]", "no_identity"},
        {"subject_identities", "{}", "no_identity"},
        {"subject_identities.1", "\"alice@example.test\"", "bad_identity"},
        {"subject_identities.1.identity_format", "\"sha256\"", "hashed_identity"},
        {"subject_identities.1.identity_format", "\"sha1\"", "hashed_identity"},
        {"subject_identities.1.identity_format", "\"md5\"", "hashed_identity"},
        {"subject_identities.1.identity_format", "\"rot13\"", "bad_identity"},
        {"subject_identities.1.identity_format", "5", "bad_identity"},
        {"subject_identities.1.identity_type", NULL, "bad_identity"},
        {"subject_identities.1.identity_type", "\"E-mail\"", "bad_identity"},
        {"subject_identities.1.identity_value", NULL, "bad_identity"},
        {"subject_identities.1.identity_value", "4711", "bad_identity"},
        {"subject_identities.1.identity_value", "\"\"", "bad_identity"},
        {"subject_identities.1.identity_value", "\" 4711\"", "bad_identity"},
        {"subject_identities.1.identity_value", "\"47\\n11\"", "bad_identity"},
        {"subject_identities.1.identity_value", "\"\\u00a0\"", "bad_identity"},
        {"subject_identities.1.identity_value", "\"4711\\u200b\"", "bad_identity"},
        {"subject_identities.0.identity_value", "\"alice\"", "bad_identity"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        struct request *request;
        if (parse_edited(&request, cases[i].path, cases[i].value, &fault) != REQUEST_UNANSWERABLE)
            fail_msg("%s = %s is not unanswerable", cases[i].path, cases[i].value);
        if (strcmp(fault.code, cases[i].code))
            fail_msg("%s = %s: %s", cases[i].path, cases[i].value, fault.code);
        assert_string_equal(request->id, ID);
        /* whoever reads the refusal learns nothing about the person */
        assert_null(strstr(fault.text, "alice"));
        assert_null(strstr(fault.text, "4711"));
        request_free(request);
    }
}

/* The whole request with its identities sealed to `key`, as text. */
static char *sealed_request(const json_t *key, json_t *identities)
{
    struct fault fault;
    json_t *body = json_loads(whole, 0, NULL), *public_key = public_part(key), *jwe;
    assert_int_equal(sealed_identities_make(&jwe, ID, identities, public_key, &fault), 0);
    json_object_del(body, "subject_identities");
    json_object_set_new(json_object_get(json_object_get(body, "extensions"), "dsard"), "sealed_identities",
                        jwe);
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(public_key);
    json_decref(body);
    return text;
}

static void identities_may_come_sealed(void **state)
{
    struct fault fault;
    struct request *request;
    json_t *key = a_seal_key(), *other = a_seal_key();
    struct identity_keys *keys = load_identity_keys(json_pack("{s:[o,O]}", "keys", other, key));
    json_t *identities = json_loads(
        "[{\"identity_type\":\"email\",\"identity_value\":\"alice@example.test\"},"
        "{\"identity_type\":\"client_id\",\"identity_value\":\"4711 é\",\"identity_format\":\"raw\"}]",
        0, NULL);
    char *text = sealed_request(key, identities);
    assert_int_equal(request_parse(&request, text, strlen(text), at("2026-11-23T09:00:00Z"), keys, &fault),
                     REQUEST_OK);
    assert_int_equal(request->n_identities, 2);
    assert_string_equal(request->identities[0].kind, "email");
    assert_string_equal(request->identities[0].value, "alice@example.test");
    assert_string_equal(request->identities[1].kind, "client_id");
    assert_string_equal(request->identities[1].value, "4711 é");
    assert_string_equal(request->locale, "pt-BR");
    request_free(request);
    /* to workers without keys it is sealed to a key that they do not have */
    assert_int_equal(request_parse(&request, text, strlen(text), at("2026-11-23T09:00:00Z"), NULL, &fault),
                     REQUEST_UNANSWERABLE);
    assert_string_equal(fault.code, "unknown_identity_key");
    assert_string_equal(request->id, ID);
    assert_int_equal(request->due_unix_s, at("2026-12-23T08:00:00Z"));
    request_free(request);
    free(text);
    json_decref(identities);
    identity_keys_free(keys);
    json_decref(key);
}

static void sealed_identities_are_checked_as_those_in_clear(void **state)
{
    static const struct {
        const char *identities, *code;
    } bad[] = {
        {"[]", "no_identity"},
        {"null", "no_identity"},
        {"\"alice@example.test\"", "no_identity"},
        {"[{\"identity_type\":\"email\",\"identity_value\":\"alice\"}]", "bad_identity"},
        {"[{\"identity_type\":\"email\",\"identity_value\":\"4711\",\"identity_format\":\"sha256\"}]",
         "hashed_identity"},
        {"[7]", "bad_identity"},
    };
    json_t *key = a_seal_key();
    struct identity_keys *keys = load_identity_keys(json_incref(key));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fault fault;
        struct request *request;
        json_t *identities = json_loads(bad[i].identities, JSON_DECODE_ANY, NULL);
        char *text = sealed_request(key, identities);
        assert_int_equal(
            request_parse(&request, text, strlen(text), at("2026-11-23T09:00:00Z"), keys, &fault),
            REQUEST_UNANSWERABLE);
        assert_string_equal(fault.code, bad[i].code);
        assert_null(strstr(fault.text, "alice"));
        request_free(request);
        free(text);
        json_decref(identities);
    }
    identity_keys_free(keys);
    json_decref(key);
}

static void a_sealed_request_that_was_altered_is_refused(void **state)
{
    static const struct {
        const char *path, *value, *code;
    } cases[] = {
        {"subject_identities", "[]", "doubled_identities"},
        {"subject_identities", "null", "doubled_identities"},
        {"subject_identities", "[{\"identity_type\":\"email\",\"identity_value\":\"a@b\"}]",
         "doubled_identities"},
        {"subject_request_id", "\"3c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f\"", "bad_sealed_identities"},
        {"extensions.dsard.sealed_identities", NULL, "no_identity"},
        {"extensions.dsard.sealed_identities", "null", "bad_sealed_identities"},
        {"extensions.dsard.sealed_identities", "\"x\"", "bad_sealed_identities"},
        {"extensions.dsard.sealed_identities", "{}", "bad_sealed_identities"},
        {"extensions.dsard.sealed_identities.tag", "\"AAAAAAAAAAAAAAAAAAAAAA\"", "bad_sealed_identities"},
        {"extensions.dsard.sealed_identities.more", "1", "bad_sealed_identities"},
        {"extensions.dsard.role", "\"admin\"", "bad_request"},
    };
    json_t *key = a_seal_key();
    struct identity_keys *keys = load_identity_keys(json_incref(key));
    json_t *identities = json_pack("[{s:s,s:s}]", "identity_type", "email", "identity_value", "a@b");
    char *good = sealed_request(key, identities);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        struct request *request;
        json_t *body = json_loads(good, 0, NULL);
        edit(body, cases[i].path, cases[i].value);
        char *text = json_dumps(body, JSON_COMPACT);
        assert_int_equal(
            request_parse(&request, text, strlen(text), at("2026-11-23T09:00:00Z"), keys, &fault),
            REQUEST_UNANSWERABLE);
        if (strcmp(fault.code, cases[i].code) != 0)
            fail_msg("%s = %s: %s", cases[i].path, cases[i].value, fault.code);
        request_free(request);
        free(text);
        json_decref(body);
    }
    free(good);
    json_decref(identities);
    identity_keys_free(keys);
    json_decref(key);
}

static void a_refusal_knows_when_the_answer_was_due(void **state)
{
    struct fault fault;
    struct request *request;
    assert_int_equal(parse_edited(&request, "subject_request_type", "\"erasure\"", &fault),
                     REQUEST_UNANSWERABLE);
    assert_int_equal(request->due_unix_s, at("2026-12-23T08:00:00Z"));
    request_free(request);
}

static void a_request_that_arrived_in_time_stays_answerable(void **state)
{
    struct fault fault;
    struct request *request;
    assert_int_equal(request_parse(&request, whole, strlen(whole), at("2026-12-19T22:59:59Z"), NULL, &fault),
                     REQUEST_OK);
    request_free(request);
    assert_int_equal(request_parse(&request, whole, strlen(whole), at("2026-12-19T23:00:00Z"), NULL, &fault),
                     REQUEST_UNANSWERABLE);
    assert_string_equal(fault.code, "due_time_past");
    request_free(request);
}

static char *repeated(const char *open, const char *item, size_t n, const char *close)
{
    char *text = malloc(strlen(open) + n * (strlen(item) + 1) + strlen(close) + 1);
    assert_non_null(text);
    strcpy(text, open);
    for (size_t i = 0; i < n; i++)
        strcat(strcat(text, item), i + 1 < n ? "," : "");
    return strcat(text, close);
}

static void lists_and_texts_have_limits(void **state)
{
    static const char identity[] = "{\"identity_type\":\"email\",\"identity_value\":\"a@b\"}";
    struct fault fault;
    struct request *request;
    for (size_t over = 0; over <= 1; over++) {
        char *list = repeated("[", identity, REQUEST_IDENTITIES_MAX + over, "]");
        assert_int_equal(parse_edited(&request, "subject_identities", list, &fault),
                         over ? REQUEST_UNANSWERABLE : REQUEST_OK);
        assert_true(!over || strcmp(fault.code, "too_many_identities") == 0);
        request_free(request);
        free(list);

        list = repeated("[", "\"billing\"", REQUEST_SCOPE_MAX + over, "]");
        assert_int_equal(parse_edited(&request, "extensions.dsard.scope.sources", list, &fault),
                         over ? REQUEST_UNANSWERABLE : REQUEST_OK);
        request_free(request);
        free(list);

        char value[DSAR_IDENTITY_MAX + 8] = "\"";
        memset(value + 1, 'x', DSAR_IDENTITY_MAX + over);
        strcpy(value + 1 + DSAR_IDENTITY_MAX + over, "\"");
        assert_int_equal(parse_edited(&request, "subject_identities.1.identity_value", value, &fault),
                         over ? REQUEST_UNANSWERABLE : REQUEST_OK);
        request_free(request);
    }
}

static void a_deep_body_is_refused_and_survived(void **state)
{
    char *deep = repeated("", "[", 100000, "");
    struct fault fault;
    struct request *request;
    for (size_t i = 0; deep[i]; i++)
        deep[i] = '[';
    assert_int_equal(request_parse(&request, deep, strlen(deep), 0, NULL, &fault), REQUEST_UNUSABLE);
    free(deep);
}

static void email_addresses_are_told_from_other_text(void **state)
{
    static const char *const good[] = {"alice@example.test",
                                       "a@b",
                                       "a.b+c@example.co.uk",
                                       "o'neil@example.test",
                                       "jürgen@müller.example",
                                       "x_y%z@1.example",
                                       "A@B.EXAMPLE"};
    static const char *const bad[] = {
        "",          "@",         "a@",       "@b",     "a@b@c",         "a b@c",
        "a@b c",     ".a@b",      "a.@b",     "a..b@c", "a@b..c",        "a@.b",
        "a@b.",      "\"a\"@b",   "a,b@c",    "<a@b>",  "a@[127.0.0.1]", "a@b,c@d",
        "a@b\n",     "a\x7f@b",   "a@b_c",    " a@b",   "a(x)@b",        "a@b\xc2\x80",
        "a\u200b@b", "a@\u00a0b", "\u00ada@b"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!syntax_is_email(good[i]))
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (syntax_is_email(bad[i]))
            fail_msg("accepted: %s", bad[i]);
    char text[300];
    snprintf(text, sizeof text, "%065d@example.test", 0);
    assert_false(syntax_is_email(text));
    assert_true(syntax_is_email(text + 1));
    snprintf(text, sizeof text, "a@%0253d", 0);
    assert_false(syntax_is_email(text));
    snprintf(text, sizeof text, "a@%0252d", 0);
    assert_true(syntax_is_email(text));
}

static void words_and_tags_have_their_form(void **state)
{
    char longest[DSAR_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    longest[DSAR_NAME_MAX + 1] = '\0';
    assert_false(syntax_is_kind(longest));
    assert_true(syntax_is_kind(longest + 1));
    assert_true(syntax_is_kind("forum_user_id2"));
    assert_false(syntax_is_kind("forum-user"));
    assert_false(syntax_is_kind("2x"));
    assert_true(syntax_is_name("hosting-panel.v2"));
    assert_false(syntax_is_name(".hidden"));
    assert_false(syntax_is_name(""));
    assert_true(syntax_is_locale("en"));
    assert_true(syntax_is_locale("zh-Hant-TW"));
    assert_false(syntax_is_locale("en-"));
    assert_false(syntax_is_locale("en--us"));
    assert_false(syntax_is_locale("1en"));
    assert_false(syntax_is_locale("englishes"));
    assert_false(syntax_is_locale("en-abcdefghi"));
    assert_false(syntax_is_locale("en-abcdefgh-abcdefgh-abcdefgh-abcdefgh"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_read),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(what_has_no_usable_id_is_unusable),
        cmocka_unit_test(what_cannot_be_answered_says_why),
        cmocka_unit_test(identities_may_come_sealed),
        cmocka_unit_test(sealed_identities_are_checked_as_those_in_clear),
        cmocka_unit_test(a_sealed_request_that_was_altered_is_refused),
        cmocka_unit_test(a_refusal_knows_when_the_answer_was_due),
        cmocka_unit_test(a_request_that_arrived_in_time_stays_answerable),
        cmocka_unit_test(lists_and_texts_have_limits),
        cmocka_unit_test(a_deep_body_is_refused_and_survived),
        cmocka_unit_test(email_addresses_are_told_from_other_text),
        cmocka_unit_test(words_and_tags_have_their_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
