#include "intake/request.h"

#include "base/clock.h"
#include "base/jwk.h"
#include "base/plain.h"
#include "base/strict_json.h"
#include "dsar/protocol.h"
#include "intake/sealed_identities.h"
#include "intake/syntax.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_WITHIN_S INT64_C(2592000) /* 30 days */
#define CLOCK_SKEW_S    300

static const char *const regulations[] = {"gdpr", "ccpa"};
static const char *const types[] = {"access", "portability"};
static const char *const roles[] = {"client", "end_user", "visitor"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const char *request_regulation_name(enum request_regulation regulation)
{
    return regulations[regulation];
}

const char *request_type_name(enum request_type type)
{
    return types[type];
}

const char *request_role_name(enum request_role role)
{
    return roles[role];
}

static int bad(struct fault *fault, const char *member, const char *expected)
{
    return fault_set(fault, "bad_request", "request: `%s` must be %s", member, expected);
}

/* The text of a member: NULL when it is absent, "" when it is something else than text. */
static const char *text_of(const json_t *object, const char *member)
{
    const json_t *value = json_object_get(object, member);
    return !value ? NULL : json_is_string(value) ? json_string_value(value) : "";
}

/* Which of `names` a text is; `n_names` when it is none of them. */
static size_t choice(const char *text, const char *const *names, size_t n_names)
{
    size_t i = 0;
    while (i < n_names && (!text || strcmp(text, names[i]) != 0))
        i++;
    return i;
}

static bool has_only(const json_t *object, const char *const *names, size_t n_names)
{
    size_t known = 0;
    for (size_t i = 0; i < n_names; i++)
        known += json_object_get(object, names[i]) != NULL;
    return json_object_size(object) == known;
}

static int read_time(int64_t *unix_s, const char *text, const char *member, struct fault *fault)
{
    if (!text || clock_parse(text, unix_s, NULL))
        return bad(fault, member, "a time as in 2026-11-23T08:00:00Z (RFC 3339)");
    return 0;
}

static int read_submitted(struct request *request, int64_t received_unix_s, struct fault *fault)
{
    const char *submitted = text_of(request->body, "submitted_time");
    if (read_time(&request->submitted_unix_s, submitted, "submitted_time", fault))
        return -1;
    if (request->submitted_unix_s > received_unix_s + CLOCK_SKEW_S)
        return bad(fault, "submitted_time", "in the past");
    request->due_unix_s = request->submitted_unix_s + ANSWER_WITHIN_S;
    return 0;
}

static int read_due(struct request *request, const json_t *ours, int64_t received_unix_s, struct fault *fault)
{
    const char *due = text_of(ours, "due_time");
    if (due && read_time(&request->due_unix_s, due, "extensions.dsard.due_time", fault))
        return -1;
    if (request->due_unix_s <= received_unix_s)
        return fault_set(fault, "due_time_past", "request: it had to be answered before it arrived");
    return 0;
}

static int read_kind_of_request(struct request *request, struct fault *fault)
{
    const char *version = text_of(request->body, "api_version");
    size_t regulation = choice(text_of(request->body, "regulation"), regulations, COUNT(regulations));
    size_t type = choice(text_of(request->body, "subject_request_type"), types, COUNT(types));
    if (version && strcmp(version, "2.0") != 0)
        return fault_set(fault, "unsupported_version", "request: `api_version` must be \"2.0\" or absent");
    if (regulation == COUNT(regulations))
        return fault_set(fault, "unsupported_regulation", "request: `regulation` must be gdpr or ccpa");
    if (type == COUNT(types))
        return fault_set(fault, "unsupported_type",
                         "request: `subject_request_type` must be access or portability");
    request->regulation = (enum request_regulation)regulation;
    request->type = (enum request_type)type;
    return 0;
}

static int read_identity(struct identity *identity, const json_t *from, size_t i, struct fault *fault)
{
    const char *kind = text_of(from, "identity_type");
    const char *value = text_of(from, "identity_value");
    const char *format = text_of(from, "identity_format");
    if (format && choice(format, (const char *const[]){"sha1", "md5", "sha256"}, 3) < 3)
        return fault_set(
            fault, "hashed_identity",
            "request: `subject_identities[%zu]` is hashed, and no source can be asked by a hash; send it raw",
            i);
    if (format && strcmp(format, "raw") != 0)
        return fault_set(fault, "bad_identity",
                         "request: `subject_identities[%zu].identity_format` must be raw", i);
    if (!kind || !syntax_is_kind(kind))
        return fault_set(
            fault, "bad_identity",
            "request: `subject_identities[%zu].identity_type` must be a name as in controller_customer_id",
            i);
    if (!value || strlen(value) > DSAR_IDENTITY_MAX || !plain_is(value, strlen(value)))
        return fault_set(
            fault, "bad_identity",
            "request: `subject_identities[%zu].identity_value` must be text of 1 to %d bytes without "
            "control characters and without blanks at its ends",
            i, DSAR_IDENTITY_MAX);
    if (strcmp(kind, "email") == 0 && !syntax_is_email(value))
        return fault_set(fault, "bad_identity",
                         "request: `subject_identities[%zu].identity_value` must be one e-mail address", i);
    *identity = (struct identity){kind, value};
    return 0;
}

static int read_identities(struct request *request, const json_t *list, struct fault *fault)
{
    size_t n = json_array_size(list);
    if (n == 0)
        return fault_set(fault, "no_identity",
                         "request: `subject_identities` must be a list of at least one identity");
    if (n > REQUEST_IDENTITIES_MAX)
        return fault_set(fault, "too_many_identities", "request: `subject_identities` may hold at most %d",
                         REQUEST_IDENTITIES_MAX);
    request->identities = calloc(n, sizeof *request->identities);
    if (!request->identities)
        return fault_retry(fault, "no_memory", "no memory for a request");
    for (; request->n_identities < n; request->n_identities++) {
        size_t i = request->n_identities;
        if (read_identity(&request->identities[i], json_array_get(list, i), i, fault))
            return -1;
    }
    return 0;
}

static const json_t *own_part(const json_t *body)
{
    return json_object_get(json_object_get(body, "extensions"), "dsard");
}

/* Whom it is about: in clear or sealed. */
static int read_subject(struct request *request, const struct identity_keys *keys, struct fault *fault)
{
    const json_t *list = json_object_get(request->body, "subject_identities");
    const json_t *sealed = json_object_get(own_part(request->body), "sealed_identities");
    if (list && sealed)
        return fault_set(fault, "doubled_identities",
                         "request: `subject_identities` must be absent where "
                         "`extensions.dsard.sealed_identities` is present");
    if (!sealed)
        return read_identities(request, list, fault);
    if (sealed_identities_open(&request->opened, sealed, request->id, keys, fault))
        return -1;
    return read_identities(request, json_object_get(request->opened, "subject_identities"), fault);
}

static int read_names(struct request_names *names, const json_t *scope, const char *member,
                      struct fault *fault)
{
    const json_t *list = json_object_get(scope, member);
    size_t n = json_array_size(list);
    if (!list)
        return 0;
    if (!json_is_array(list) || n > REQUEST_SCOPE_MAX)
        return fault_set(fault, "bad_request",
                         "request: `extensions.dsard.scope.%s` must be a list of at most %d names", member,
                         REQUEST_SCOPE_MAX);
    if (n == 0)
        return 0;
    names->names = calloc(n, sizeof *names->names);
    if (!names->names)
        return fault_retry(fault, "no_memory", "no memory for a request");
    for (; names->n_names < n; names->n_names++) {
        const char *name = json_string_value(json_array_get(list, names->n_names));
        if (!name || !syntax_is_name(name))
            return fault_set(fault, "bad_request", "request: `extensions.dsard.scope.%s[%zu]` must be a name",
                             member, names->n_names);
        names->names[names->n_names] = name;
    }
    return 0;
}

static int read_scope(struct request *request, const json_t *ours, struct fault *fault)
{
    static const char *const members[] = {"sources", "categories"};
    const json_t *scope = json_object_get(ours, "scope");
    if (!scope)
        return 0;
    if (!json_is_object(scope) || !has_only(scope, members, COUNT(members)))
        return bad(fault, "extensions.dsard.scope", "an object of `sources` and `categories`");
    if (read_names(&request->sources, scope, "sources", fault))
        return -1;
    return read_names(&request->categories, scope, "categories", fault);
}

/* The key's `kid` is its thumbprint: one that the request gives could say anything. */
static int read_recipient(struct request *request, const json_t *ours, struct fault *fault)
{
    static const char *const members[] = {"jwk"};
    const json_t *recipient = json_object_get(ours, "recipient");
    const json_t *jwk = json_object_get(recipient, "jwk");
    if (!json_is_object(jwk) || !has_only(recipient, members, COUNT(members)))
        return fault_set(
            fault, "bad_recipient",
            "request: `extensions.dsard.recipient` must be an object of `jwk`, a public P-256 key");
    json_t *nameless = json_copy(json_object_get(recipient, "jwk"));
    if (!nameless)
        return fault_retry(fault, "no_memory", "no memory for a request");
    struct fault cause;
    json_object_del(nameless, "kid");
    int result = jwk_public(&request->recipient, nameless, JWK_SEAL, &cause);
    json_decref(nameless);
    if (result == 0)
        return 0;
    if (cause.retryable)
        return fault_retry(fault, cause.code, "%s", cause.text);
    return fault_set(fault, "bad_recipient", "request: `extensions.dsard.recipient.jwk`: %s", cause.text);
}

static int read_manner(struct request *request, const json_t *ours, struct fault *fault)
{
    const char *role = text_of(ours, "role");
    const char *locale = text_of(ours, "locale");
    const char *envelope = text_of(ours, "envelope");
    size_t chosen = role ? choice(role, roles, COUNT(roles)) : ROLE_CLIENT;
    if (chosen == COUNT(roles))
        return bad(fault, "extensions.dsard.role", "client, end_user or visitor");
    if (locale && !syntax_is_locale(locale))
        return bad(fault, "extensions.dsard.locale", "a language tag as in fr or pt-BR");
    if (envelope && strcmp(envelope, "zip") != 0)
        return fault_set(fault, "unknown_envelope", "request: `extensions.dsard.envelope` must be zip");
    request->role = (enum request_role)chosen;
    request->locale = locale ? locale : "en";
    request->envelope = "zip";
    return 0;
}

static int read_extension(struct request *request, int64_t received_unix_s, struct fault *fault)
{
    static const char *const members[] = {"due_time", "locale",           "role", "scope", "recipient",
                                          "envelope", "sealed_identities"};
    const json_t *ours = own_part(request->body);
    if (!json_is_object(ours) || !has_only(ours, members, COUNT(members)))
        return bad(fault, "extensions.dsard",
                   "an object of due_time, locale, role, scope, recipient, envelope, sealed_identities only");
    if (read_due(request, ours, received_unix_s, fault) || read_manner(request, ours, fault) ||
        read_scope(request, ours, fault))
        return -1;
    return read_recipient(request, ours, fault);
}

int64_t request_due(const void *body, size_t len)
{
    json_t *json;
    int64_t due_unix_s, submitted_unix_s;
    if (strict_json_read(&json, body, len, NULL))
        return 0;
    const char *due = text_of(own_part(json), "due_time");
    const char *submitted = text_of(json, "submitted_time");
    if (!due || clock_parse(due, &due_unix_s, NULL))
        due_unix_s = submitted && clock_parse(submitted, &submitted_unix_s, NULL) == 0
                         ? submitted_unix_s + ANSWER_WITHIN_S
                         : 0;
    json_decref(json);
    return due_unix_s;
}

/* Everything behind the id. Times come first, so that also a refusal can say when the answer was due. */
static int read_members(struct request *request, int64_t received_unix_s, const struct identity_keys *keys,
                        struct fault *fault)
{
    if (read_submitted(request, received_unix_s, fault) || read_kind_of_request(request, fault) ||
        read_subject(request, keys, fault))
        return -1;
    return read_extension(request, received_unix_s, fault);
}

/* What makes a request usable: JSON with an id. */
static int read_body(struct request *request, const void *body, size_t len, struct fault *fault)
{
    struct fault cause;
    if (strict_json_read(&request->body, body, len, &cause))
        return cause.retryable ? fault_retry(fault, cause.code, "request: %s", cause.text)
                               : fault_set(fault, "bad_request", "request: %s", cause.text);
    const char *id = text_of(request->body, "subject_request_id");
    if (!id || !syntax_is_uuid_v4(id))
        return bad(fault, "subject_request_id", "a UUID of version 4 in lower case");
    memcpy(request->id, id, sizeof request->id);
    if (EVP_Digest(body, len, request->sha256, NULL, EVP_sha256(), NULL) != 1)
        return fault_retry(fault, "no_memory", "no memory for a digest");
    return 0;
}

enum request_verdict request_parse(struct request **request, const void *body, size_t len,
                                   int64_t received_unix_s, const struct identity_keys *keys,
                                   struct fault *fault)
{
    enum request_verdict verdict = REQUEST_OK;
    struct request *parsed = calloc(1, sizeof *parsed);
    *request = NULL;
    if (!parsed) {
        fault_retry(fault, "no_memory", "no memory for a request");
        return REQUEST_UNUSABLE;
    }
    struct fault cause = {0};
    if (read_body(parsed, body, len, &cause))
        verdict = REQUEST_UNUSABLE;
    else if (read_members(parsed, received_unix_s, keys, &cause))
        verdict = cause.retryable ? REQUEST_UNUSABLE : REQUEST_UNANSWERABLE;
    if (verdict != REQUEST_OK && fault)
        *fault = cause;
    if (verdict == REQUEST_UNUSABLE)
        request_free(parsed);
    else
        *request = parsed; /* the caller's from here */
    return verdict;
}

void request_free(struct request *request)
{
    if (!request)
        return;
    free(request->identities);
    free(request->sources.names);
    free(request->categories.names);
    json_decref(request->recipient);
    json_decref(request->opened);
    json_decref(request->body);
    OPENSSL_cleanse(request, sizeof *request);
    free(request);
}
