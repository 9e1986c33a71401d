#include "outcome/keyring.h"

#include "base/jwk.h"
#include "base/jws.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct keyring {
    json_t *signer;
    json_t **keys; /* public, the signer's first */
    size_t n_keys;
};

static const char *kid_of(const json_t *key)
{
    return json_string_value(json_object_get(key, "kid"));
}

static const json_t *find(const struct keyring *keyring, const char *kid)
{
    for (size_t i = 0; kid && i < keyring->n_keys; i++)
        if (strcmp(kid_of(keyring->keys[i]), kid) == 0)
            return keyring->keys[i];
    return NULL;
}

/* A set of all former and present keys may be named as the retired ones: the same key twice is no mistake. */
static int add_retired(struct keyring *keyring, const json_t *jwk, struct fault *fault)
{
    json_t *key;
    if (jwk_public(&key, jwk, JWK_SIGN, fault))
        return -1;
    const json_t *known = find(keyring, kid_of(key));
    if (!known) {
        keyring->keys[keyring->n_keys++] = key;
        return 0;
    }
    bool same = json_equal(known, key);
    json_decref(key);
    return same ? 0 : fault_set(fault, "bad_key", "`kid` is the same as another key's");
}

static int read_keys(struct keyring *keyring, const json_t *retired, struct fault *fault)
{
    keyring->keys = calloc(json_array_size(retired) + 1, sizeof(json_t *));
    if (!keyring->keys)
        return fault_retry(fault, "no_memory", "no memory for keys");
    if (jwk_strip(&keyring->keys[0], keyring->signer, fault))
        return -1;
    keyring->n_keys = 1;
    for (size_t i = 0; i < json_array_size(retired); i++)
        if (add_retired(keyring, json_array_get(retired, i), fault))
            return fault_prefix(fault, "keys[%zu]", i);
    return 0;
}

static int load(struct keyring *keyring, const char *key_file, const char *retired_file, struct fault *fault)
{
    json_t *set = NULL;
    if (jwk_load_private(&keyring->signer, key_file, JWK_SIGN, fault) ||
        (retired_file && jwk_load_set(&set, retired_file, fault)))
        return -1;
    int result = read_keys(keyring, json_object_get(set, "keys"), fault);
    json_decref(set);
    return result && retired_file ? fault_prefix(fault, "%s", retired_file) : result;
}

int keyring_load(struct keyring **keyring, const char *key_file, const char *retired_file,
                 struct fault *fault)
{
    struct keyring *new = calloc(1, sizeof *new);
    *keyring = NULL;
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for keys");
    if (load(new, key_file, retired_file, fault)) {
        keyring_free(new);
        return -1;
    }
    *keyring = new;
    return 0;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    for (size_t i = 0; i < keyring->n_keys; i++)
        json_decref(keyring->keys[i]);
    free(keyring->keys);
    json_decref(keyring->signer);
    free(keyring);
}

const json_t *keyring_signer(const struct keyring *keyring)
{
    return keyring->signer;
}

static int check_binding(const json_t *header, const char *name, const char *expected, struct fault *fault)
{
    const char *text = json_string_value(json_object_get(header, name));
    if (text && strcmp(text, expected) == 0)
        return 0;
    return fault_set(fault, "bad_signature", "signature: expected `%s` to be %s", name, expected);
}

int keyring_verify(const struct keyring *keyring, const char *jws, const char *type, const char *subject,
                   const void *value, size_t len, struct fault *fault)
{
    json_t *header;
    if (jws_header(&header, jws, fault))
        return -1;
    int result = -1;
    const json_t *key = find(keyring, kid_of(header));
    if (!key)
        fault_set(fault, "unknown_kid", "signature: `kid` is missing or names no key of ours");
    else if (jws_verify(jws, key, value, len, fault) == 0 && check_binding(header, "typ", type, fault) == 0 &&
             check_binding(header, "sub", subject, fault) == 0)
        result = 0;
    json_decref(header);
    return result;
}
