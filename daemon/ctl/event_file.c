#include "ctl/event_file.h"

#include "base/jwe.h"
#include "base/jwk.h"
#include "base/jws.h"
#include "ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#define EVENT_MAX_BYTES (1024 * 1024)

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static const json_t *own_part(const json_t *event)
{
    return json_object_get(json_object_get(json_object_get(event, "data"), "extensions"), "dsard");
}

json_t *event_file_load(const char *path, struct fault *fault)
{
    json_t *event = ctl_read_json(path, EVENT_MAX_BYTES, fault);
    const char *type = text_of(event, "type");
    if (event && (!type || strcmp(type, "org.dsard.completed.v1") != 0 || !event_file_bundle(event))) {
        json_decref(event);
        fault_set(fault, "bad_event", "%s: expected an org.dsard.completed.v1 event", path);
        return NULL;
    }
    return event;
}

const json_t *event_file_bundle(const json_t *event)
{
    return json_object_get(own_part(event), "bundle");
}

/* The sealed text is {"passphrase":"…"}; the header binds it to this request and bundle. */
static int take_passphrase(const json_t *event, const json_t *header, const struct buf *text,
                           char *passphrase, struct fault *fault)
{
    const char *request = text_of(json_object_get(event, "data"), "subject_request_id");
    const char *bound_request = text_of(header, "request"), *bound_sha256 = text_of(header, "bundle_sha256");
    const char *sha256 = text_of(event_file_bundle(event), "sha256");
    if (!request || !sha256 || !bound_request || !bound_sha256 || strcmp(request, bound_request) != 0 ||
        strcmp(sha256, bound_sha256) != 0)
        return fault_set(fault, "bad_event", "the event's key belongs to another request or bundle");
    json_t *json = json_loadb(text->data, text->len, 0, NULL);
    const char *found = text_of(json, "passphrase");
    int result = -1;
    if (!found || strlen(found) >= PASSPHRASE_MAX)
        fault_set(fault, "bad_event", "the event's key holds no passphrase");
    else
        result = (memcpy(passphrase, found, strlen(found) + 1), 0);
    json_decref(json);
    return result;
}

int event_file_passphrase(const json_t *event, const char *key_path, char *passphrase, struct fault *fault)
{
    json_t *key, *header;
    struct buf text;
    if (jwk_load_private(&key, key_path, JWK_SEAL, fault))
        return -1;
    buf_init(&text, JWE_TEXT_MAX);
    int result = jwe_open(&text, &header, json_object_get(own_part(event), "key"), key, fault);
    json_decref(key);
    if (result == 0) {
        result = take_passphrase(event, header, &text, passphrase, fault);
        json_decref(header);
    }
    buf_wipe(&text);
    return result;
}

static bool same(const json_t *header, const char *name, const char *expected)
{
    const char *text = text_of(header, name);
    return !expected || (text && strcmp(text, expected) == 0);
}

static int verify_by_set(const char *compact, const json_t *header, const json_t *jwks,
                         const struct buf *payload, struct fault *fault)
{
    const char *kid = text_of(header, "kid");
    json_t *jwk, *key;
    size_t i;
    json_array_foreach (json_object_get(jwks, "keys"), i, jwk) {
        const char *candidate = text_of(jwk, "kid");
        if (!kid || !candidate || strcmp(kid, candidate) != 0)
            continue;
        if (jwk_public(&key, jwk, JWK_SIGN, fault))
            return -1;
        int result = jws_verify(compact, key, payload->data, payload->len, fault);
        json_decref(key);
        return result;
    }
    return fault_set(fault, "unknown_kid", "the signature's key is not in the set");
}

int event_file_verify_jws(const char *compact, const json_t *jwks, const struct signed_as *as,
                          const struct buf *payload, struct fault *fault)
{
    json_t *header;
    if (jws_header(&header, compact, fault))
        return -1;
    int result = verify_by_set(compact, header, jwks, payload, fault);
    if (result == 0 && (!same(header, "typ", as->type) || !same(header, "iss", as->source) ||
                        !same(header, "sub", as->request)))
        result = fault_set(fault, "bad_signature", "the signature was made for something else");
    json_decref(header);
    return result;
}

int event_file_verify(const json_t *event, const json_t *jwks, struct fault *fault)
{
    const char *signature = text_of(event, "dsarsignature");
    const struct signed_as as = {.type = text_of(event, "type"),
                                 .source = text_of(event, "source"),
                                 .request = text_of(json_object_get(event, "data"), "subject_request_id")};
    if (!signature || !as.type || !as.source || !as.request)
        return fault_set(fault, "unsigned",
                         "the event has no signature, or nothing that it could be bound to");
    /* what was signed is the data as it was written: compact, members in their order */
    char *data = json_dumps(json_object_get(event, "data"), JSON_COMPACT);
    if (!data)
        return fault_retry(fault, "no_memory", "no memory for an event");
    const struct buf payload = {.data = data, .len = strlen(data)};
    int result = event_file_verify_jws(signature, jwks, &as, &payload, fault);
    free(data);
    return result;
}
