/* Any bytes as a file of trusted keys, as a JWK Set and as a private key. A key that is taken works; nothing that
 * stands in a file makes a stranger's signature good. */
#include "base/jwk.h"
#include "base/jws.h"
#include "intake/trust.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ID "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct fault *fault)
{
    if (fault->retryable || strcmp(fault->code, "bad_key") != 0 || !fault->text[0])
        abort();
}

/* One that no file holds, which calls itself `kid`. */
static json_t *stranger(const json_t *kid)
{
    static json_t *key;
    struct fault fault;
    if (!key && jwk_generate(&key, JWK_SIGN, &fault))
        abort();
    json_t *named = json_deep_copy(key);
    if (!named || json_object_set(named, "kid", (json_t *)(uintptr_t)kid))
        abort();
    return named;
}

static void sign(struct buf *signature, const json_t *key)
{
    struct fault fault;
    json_t *header = json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "typ", "type", "iss", "//source", "sub", ID,
                               "aud", "audience", "iat", 1000, "exp", 2000);
    buf_init(signature, JWS_MAX);
    if (!header || jws_sign(signature, header, key, ID, strlen(ID), &fault))
        abort();
    json_decref(header);
}

static void forge(const struct trust *trust, const json_t *kid)
{
    struct buf signature;
    struct fault fault;
    json_t *key = stranger(kid);
    sign(&signature, key);
    const struct signed_message message = {.type = "type",
                                           .source = "//source",
                                           .request = ID,
                                           .key = ID,
                                           .key_len = strlen(ID),
                                           .value = ID,
                                           .value_len = strlen(ID),
                                           .signature = signature.data,
                                           .received_unix_s = 1500};
    if (trust_verify(trust, &message, TRUST_REQUEST, "audience", &fault) == 0 || fault.retryable)
        abort();
    buf_wipe(&signature);
    json_decref(key);
}

/* What is taken is taken in one form, which has nothing private and is taken again as it is. */
static void read_public(const json_t *jwk, enum jwk_use use)
{
    struct fault fault;
    json_t *key, *again;
    char thumbprint[JWK_THUMBPRINT_MAX];
    if (jwk_public(&key, jwk, use, &fault)) {
        check_refusal(&fault);
        return;
    }
    if (json_object_size(key) != 7 || json_object_get(key, "d") || jwk_public(&again, key, use, &fault) ||
        !json_equal(key, again) || jwk_thumbprint(key, thumbprint, &fault))
        abort();
    json_decref(key);
    json_decref(again);
}

static void read_set(const char *path)
{
    struct fault fault;
    struct trust *trust;
    json_t *set, *jwk;
    size_t i;
    const bool trusted = trust_load(&trust, path, &fault) == 0;
    if (!trusted)
        check_refusal(&fault);
    if (jwk_load_set(&set, path, &fault)) {
        check_refusal(&fault);
        if (trusted)
            abort();
        return;
    }
    json_array_foreach (json_object_get(set, "keys"), i, jwk) {
        read_public(jwk, JWK_SIGN);
        read_public(jwk, JWK_SEAL);
        if (trusted && i == 0)
            forge(trust, json_object_get(jwk, "kid"));
    }
    json_decref(set);
    trust_free(trust);
}

static void read_private(const char *path)
{
    struct fault fault;
    struct buf signature;
    json_t *key, *public_key;
    if (jwk_load_private(&key, path, JWK_SIGN, &fault)) {
        check_refusal(&fault);
        return;
    }
    sign(&signature, key);
    if (jwk_strip(&public_key, key, &fault) || jws_verify(signature.data, public_key, ID, strlen(ID), &fault))
        abort();
    buf_wipe(&signature);
    json_decref(key);
    json_decref(public_key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    read_set(path);
    read_private(path);
    close(fd);
    return 0;
}
