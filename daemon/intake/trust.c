#include "intake/trust.h"

#include "base/clock.h"
#include "base/jwk.h"
#include "base/jws.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CLOCK_SKEW_S 300

static const char *const right_names[] = {[TRUST_REQUEST] = "request", [TRUST_CANCEL] = "cancel"};

#define N_RIGHTS (sizeof right_names / sizeof *right_names)

struct trusted_key {
    json_t *jwk;
    const char *kid; /* text of `jwk` */
    bool rights[N_RIGHTS];
    json_t *sources; /* NULL: any */
    bool retired;
    int64_t retired_unix_s;
};

struct trust {
    struct trusted_key *keys;
    size_t n_keys;
};

static int read_rights(struct trusted_key *key, const json_t *list, struct fault *fault)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = json_string_value(json_array_get(list, i));
        size_t right = 0;
        while (right < N_RIGHTS && (!name || strcmp(name, right_names[right]) != 0))
            right++;
        if (right == N_RIGHTS)
            return fault_set(fault, "bad_key", "`dsard.rights` may hold \"request\" and \"cancel\"");
        key->rights[right] = true;
    }
    if (json_array_size(list) == 0)
        return fault_set(fault, "bad_key", "`dsard.rights` must be a list of \"request\", \"cancel\"");
    return 0;
}

static int read_sources(struct trusted_key *key, json_t *list, struct fault *fault)
{
    if (!list)
        return 0;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (json_string_length(json_array_get(list, i)) == 0)
            return fault_set(fault, "bad_key", "`dsard.sources` must be a list of texts");
    if (json_array_size(list) == 0)
        return fault_set(fault, "bad_key",
                         "`dsard.sources` must be a list of texts, or absent for any source");
    key->sources = json_incref(list);
    return 0;
}

static int read_retired(struct trusted_key *key, const json_t *time, struct fault *fault)
{
    if (!time)
        return 0;
    key->retired = true;
    if (!json_is_string(time) || clock_parse(json_string_value(time), &key->retired_unix_s, NULL))
        return fault_set(fault, "bad_key", "`dsard.retired_at` must be a time as in 2026-11-23T08:00:00Z");
    return 0;
}

static int read_key(struct trusted_key *key, const json_t *jwk, struct fault *fault)
{
    const json_t *ours = json_object_get(jwk, "dsard");
    json_t *rights = json_object_get(ours, "rights");
    json_t *sources = json_object_get(ours, "sources");
    json_t *retired = json_object_get(ours, "retired_at");
    const json_t *kid = json_object_get(jwk, "kid");
    if (!json_is_string(kid) || json_string_length(kid) == 0 || json_string_length(kid) > JWK_KID_MAX)
        return fault_set(fault, "bad_key", "`kid` must be text of 1 to %d bytes", JWK_KID_MAX);
    size_t known = 0;
    known += rights != NULL;
    known += sources != NULL;
    known += retired != NULL;
    if (json_object_size(ours) != known)
        return fault_set(fault, "bad_key", "`dsard` may hold rights, sources and retired_at only");
    if (read_rights(key, rights, fault) || read_sources(key, sources, fault) ||
        read_retired(key, retired, fault))
        return -1;
    if (jwk_public(&key->jwk, jwk, JWK_SIGN, fault))
        return -1;
    key->kid = json_string_value(json_object_get(key->jwk, "kid"));
    return 0;
}

static const struct trusted_key *find(const struct trust *trust, const char *kid)
{
    for (size_t i = 0; kid && i < trust->n_keys; i++)
        if (strcmp(trust->keys[i].kid, kid) == 0)
            return &trust->keys[i];
    return NULL;
}

static int read_keys(struct trust *trust, const json_t *list, struct fault *fault)
{
    trust->keys = calloc(json_array_size(list) + 1, sizeof *trust->keys);
    if (!trust->keys)
        return fault_retry(fault, "no_memory", "no memory for keys");
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct trusted_key *key = &trust->keys[i];
        int result = read_key(key, json_array_get(list, i), fault);
        if (result == 0 && find(trust, key->kid))
            result = fault_set(fault, "bad_key", "`kid` is the same as another key's");
        trust->n_keys++; /* counted in any case, so that it is freed */
        if (result)
            return fault_prefix(fault, "keys[%zu]", i);
    }
    return 0;
}

int trust_load(struct trust **trust, const char *path, struct fault *fault)
{
    json_t *set;
    *trust = NULL;
    if (jwk_load_set(&set, path, fault))
        return -1;
    struct trust *loaded = calloc(1, sizeof *loaded);
    int result = loaded ? read_keys(loaded, json_object_get(set, "keys"), fault)
                        : fault_retry(fault, "no_memory", "no memory for keys");
    json_decref(set);
    if (result) {
        trust_free(loaded);
        return fault_prefix(fault, "%s", path);
    }
    *trust = loaded; /* the caller's from here */
    return 0;
}

void trust_free(struct trust *trust)
{
    if (!trust)
        return;
    for (size_t i = 0; i < trust->n_keys; i++) {
        json_decref(trust->keys[i].jwk);
        json_decref(trust->keys[i].sources);
    }
    free(trust->keys);
    free(trust);
}

static bool says(const json_t *header, const char *claim, const char *expected)
{
    const char *text = json_string_value(json_object_get(header, claim));
    return text && strcmp(text, expected) == 0;
}

static int check_bindings(const json_t *header, const struct signed_message *message, const char *audience,
                          struct fault *fault)
{
    size_t id_len = strlen(message->request);
    if (!says(header, "typ", message->type))
        return fault_set(fault, "typ_mismatch", "signature: `typ` is not the event's type");
    if (!says(header, "iss", message->source))
        return fault_set(fault, "iss_mismatch", "signature: `iss` is not the event's source");
    if (!says(header, "sub", message->request))
        return fault_set(fault, "sub_mismatch", "signature: `sub` is not the request's id");
    if (!message->key || message->key_len != id_len || memcmp(message->key, message->request, id_len) != 0)
        return fault_set(fault, "sub_mismatch", "signature: the message's key is not the request's id");
    if (!says(header, "aud", audience))
        return fault_set(fault, "audience", "signature: `aud` is not this controller");
    return 0;
}

static int check_times(const json_t *header, const struct trusted_key *key, int64_t received_unix_s,
                       struct fault *fault)
{
    const json_t *iat = json_object_get(header, "iat");
    const json_t *exp = json_object_get(header, "exp");
    int64_t issued = json_integer_value(iat);
    int64_t expires = json_integer_value(exp);
    if (!iat || issued > received_unix_s + CLOCK_SKEW_S)
        return fault_set(fault, "not_yet_valid", "signature: `iat` is missing or after the arrival");
    if (!exp || expires < received_unix_s)
        return fault_set(fault, "expired", "signature: `exp` is missing or before the arrival");
    if (expires - issued > TRUST_LIFETIME_MAX_S)
        return fault_set(fault, "expired", "signature: `exp` may be at most 45 days after `iat`");
    if (key->retired && issued > key->retired_unix_s)
        return fault_set(fault, "retired_key", "signature: made after key %s was retired", key->kid);
    return 0;
}

static int check_rights(const struct trusted_key *key, const char *source, enum trust_right right,
                        struct fault *fault)
{
    if (!key->rights[right])
        return fault_set(fault, "no_right", "signature: key %s has no right to %s", key->kid,
                         right_names[right]);
    if (!key->sources)
        return 0;
    for (size_t i = 0; i < json_array_size(key->sources); i++)
        if (strcmp(json_string_value(json_array_get(key->sources, i)), source) == 0)
            return 0;
    return fault_set(fault, "no_right", "signature: key %s may not speak for that source", key->kid);
}

int trust_verify(const struct trust *trust, const struct signed_message *message, enum trust_right right,
                 const char *audience, struct fault *fault)
{
    json_t *header;
    if (!message->signature)
        return fault_set(fault, "unsigned", "signature: there is none; expected the header dsar-signature");
    if (jws_header(&header, message->signature, fault))
        return -1;
    int result = -1;
    const struct trusted_key *key = find(trust, json_string_value(json_object_get(header, "kid")));
    if (!key)
        fault_set(fault, "unknown_kid", "signature: `kid` is missing or names no trusted key");
    else if (jws_verify(message->signature, key->jwk, message->value, message->value_len, fault) == 0 &&
             check_bindings(header, message, audience, fault) == 0 &&
             check_times(header, key, message->received_unix_s, fault) == 0 &&
             check_rights(key, message->source, right, fault) == 0)
        result = 0;
    json_decref(header);
    return result;
}
