#include "base/jwk.h"

#include "base/b64url.h"
#include "base/buf.h"
#include "base/strict_json.h"

#include <errno.h>
#include <jose/jwk.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define FIELD_BYTES      32 /* of a P-256 coordinate, and of a private key */
#define KEY_FILE_BYTES   16384
#define KEY_SET_BYTES    1048576
#define POINT_BYTES      (1 + 2 * FIELD_BYTES)
#define FIELD_TEXT_BYTES 43

static const char *const use_names[] = {[JWK_SIGN] = "sig", [JWK_SEAL] = "enc"};
static const char *const algorithms[] = {[JWK_SIGN] = "ES256", [JWK_SEAL] = "ECDH-ES+A256KW"};

/* Decodes a coordinate or the private value. The buffer is the caller's to wipe. */
static int field(struct buf *out, const json_t *jwk, const char *name, struct fault *fault)
{
    const json_t *member = json_object_get(jwk, name);
    const char *text = json_string_value(member);
    struct fault cause = {0};
    if (text && json_string_length(member) == FIELD_TEXT_BYTES &&
        b64url_decode(out, text, FIELD_TEXT_BYTES, &cause) == 0)
        return 0;
    if (cause.retryable)
        return fault_retry(fault, cause.code, "key: %s", cause.text);
    return fault_set(fault, "bad_key", "key: `%s` must be 32 bytes as base64url without padding", name);
}

static int key_params(OSSL_PARAM_BLD *builder, const struct buf *point, const BIGNUM *d)
{
    return OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
           OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point->data, point->len) &&
           (!d || OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, d));
}

static EVP_PKEY *import(const struct buf *point, const BIGNUM *d)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (!ctx || !builder || !key_params(builder, point, d))
        goto out;
    params = OSSL_PARAM_BLD_to_param(builder);
    if (!params || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1)
        key = NULL;
out:
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Whether the point is on the curve and, given `d`, belongs to it. Coordinates beyond the field are refused
 * by the import of an encoded point; an import by affine coordinates would reduce them. */
static bool holds(const struct buf *point, const BIGNUM *d)
{
    EVP_PKEY *key = import(point, d);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    bool good = ctx && EVP_PKEY_public_check(ctx) == 1 && (!d || EVP_PKEY_pairwise_check(ctx) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good;
}

static int check_numbers(const json_t *jwk, bool private, struct fault *fault)
{
    int result = -1;
    struct buf point, secret;
    BIGNUM *d = NULL;
    buf_init(&point, POINT_BYTES);
    buf_init(&secret, FIELD_BYTES);
    if (buf_append(&point, "\x04", 1, fault) || field(&point, jwk, "x", fault) ||
        field(&point, jwk, "y", fault))
        goto out;
    if (private) {
        if (field(&secret, jwk, "d", fault))
            goto out;
        d = BN_bin2bn((const unsigned char *)secret.data, FIELD_BYTES, NULL);
        if (!d) {
            fault_retry(fault, "no_memory", "no memory for a key");
            goto out;
        }
    }
    bool good = holds(&point, d);
    if (!good) /* OpenSSL says only that it failed, also without memory; what is no point is none twice */
        good = holds(&point, d);
    if (good)
        result = 0;
    else
        fault_set(fault, "bad_key",
                  private ? "key: `d` does not belong to `x` and `y` on P-256"
                          : "key: `x` and `y` are not a point on P-256");
out:
    BN_clear_free(d);
    buf_wipe(&secret);
    buf_wipe(&point);
    return result;
}

static bool is_text(const json_t *jwk, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(jwk, name));
    return text && strcmp(text, expected) == 0;
}

static int check_kind(const json_t *jwk, enum jwk_use use, struct fault *fault)
{
    if (!json_is_object(jwk) || !is_text(jwk, "kty", "EC") || !is_text(jwk, "crv", "P-256"))
        return fault_set(fault, "bad_key", "key: expected a JSON Web Key with kty \"EC\" and crv \"P-256\"");
    if (json_object_get(jwk, "use") && !is_text(jwk, "use", use_names[use]))
        return fault_set(fault, "bad_key", "key: `use` must be \"%s\" or absent", use_names[use]);
    if (json_object_get(jwk, "alg") && !is_text(jwk, "alg", algorithms[use]))
        return fault_set(fault, "bad_key", "key: `alg` must be \"%s\" or absent", algorithms[use]);
    return 0;
}

/* The one form of a checked key. */
static int normal_form(json_t **key, const json_t *jwk, bool private, enum jwk_use use, struct fault *fault)
{
    char thumbprint[JWK_THUMBPRINT_MAX];
    const json_t *kid = json_object_get(jwk, "kid");
    bool named = json_is_string(kid) && json_string_length(kid) > 0 && json_string_length(kid) <= JWK_KID_MAX;
    if (!named && jwk_thumbprint(jwk, thumbprint, fault))
        return -1;
    *key = json_pack("{s:s, s:s, s:O, s:O, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x",
                     json_object_get(jwk, "x"), "y", json_object_get(jwk, "y"), "use", use_names[use], "alg",
                     algorithms[use], "kid", named ? json_string_value(kid) : thumbprint);
    if (!*key)
        return fault_retry(fault, "no_memory", "no memory for a key");
    if (private && json_object_set(*key, "d", json_object_get(jwk, "d"))) {
        json_decref(*key);
        *key = NULL;
        return fault_retry(fault, "no_memory", "no memory for a key");
    }
    return 0;
}

static int take_private(json_t **key, const json_t *jwk, enum jwk_use use, struct fault *fault)
{
    if (check_kind(jwk, use, fault) || check_numbers(jwk, true, fault))
        return -1;
    return normal_form(key, jwk, true, use, fault);
}

static int load_json(json_t **json, const char *path, size_t max, struct fault *fault)
{
    struct buf text;
    struct fault cause;
    buf_init(&text, max);
    *json = NULL;
    int result = buf_read_file(&text, path, fault);
    if (result == 0 && strict_json_read(json, text.data, text.len, &cause))
        result = cause.retryable ? fault_retry(fault, cause.code, "%s: %s", path, cause.text)
                                 : fault_set(fault, "bad_key", "%s: %s", path, cause.text);
    buf_wipe(&text);
    return result;
}

int jwk_generate(json_t **key, enum jwk_use use, struct fault *fault)
{
    *key = NULL;
    json_t *jwk = json_pack("{s:s, s:s}", "kty", "EC", "crv", "P-256");
    if (!jwk)
        return fault_retry(fault, "no_memory", "no memory for a key");
    int result = jose_jwk_gen(NULL, jwk)
                     ? take_private(key, jwk, use, fault)
                     : fault_retry(fault, "no_memory", "a P-256 key cannot be generated now");
    json_decref(jwk);
    return result;
}

/* The JSON of a file that is for its owner. */
static int load_private_json(json_t **json, const char *path, size_t max, struct fault *fault)
{
    struct stat st;
    *json = NULL;
    if (stat(path, &st))
        return fault_errno(fault, "file_unreadable", errno, "%s", path);
    if (st.st_mode & (S_IWGRP | S_IRWXO))
        return fault_set(fault, "file_mode",
                         "%s: a private key that others can reach (mode %03o); expected 0600: chmod 600 it",
                         path, (unsigned)(st.st_mode & 0777));
    return load_json(json, path, max, fault);
}

int jwk_load_private(json_t **key, const char *path, enum jwk_use use, struct fault *fault)
{
    json_t *jwk;
    *key = NULL;
    if (load_private_json(&jwk, path, KEY_FILE_BYTES, fault))
        return -1;
    int result = take_private(key, jwk, use, fault);
    json_decref(jwk);
    return result ? fault_prefix(fault, "%s", path) : 0;
}

static bool has_kid_of(const json_t *keys, const json_t *key)
{
    size_t i;
    const json_t *other;
    json_array_foreach (keys, i, other)
        if (json_equal(json_object_get(other, "kid"), json_object_get(key, "kid")))
            return true;
    return false;
}

static int add_private(json_t *keys, const json_t *jwk, enum jwk_use use, struct fault *fault)
{
    json_t *key;
    if (take_private(&key, jwk, use, fault))
        return -1;
    if (has_kid_of(keys, key)) {
        json_decref(key);
        return fault_set(fault, "bad_key", "`kid` is the same as another key's");
    }
    return json_array_append_new(keys, key) ? fault_retry(fault, "no_memory", "no memory for keys") : 0;
}

static int take_private_set(json_t *keys, const json_t *list, enum jwk_use use, struct fault *fault)
{
    size_t i;
    const json_t *jwk;
    if (json_array_size(list) == 0)
        return fault_set(fault, "bad_key", "expected a JWK Set of at least one key: {\"keys\": […]}");
    json_array_foreach (list, i, jwk)
        if (add_private(keys, jwk, use, fault))
            return fault_prefix(fault, "keys[%zu]", i);
    return 0;
}

int jwk_load_private_set(json_t **keys, const char *path, enum jwk_use use, struct fault *fault)
{
    json_t *json, *found = json_array();
    *keys = NULL;
    if (!found)
        return fault_retry(fault, "no_memory", "no memory for keys");
    if (load_private_json(&json, path, KEY_SET_BYTES, fault)) {
        json_decref(found);
        return -1;
    }
    const json_t *list = json_object_get(json, "keys");
    int result = list ? take_private_set(found, list, use, fault) : add_private(found, json, use, fault);
    json_decref(json);
    if (result) {
        json_decref(found);
        return fault_prefix(fault, "%s", path);
    }
    *keys = found; /* the caller's from here */
    return 0;
}

int jwk_load_set(json_t **set, const char *path, struct fault *fault)
{
    if (load_json(set, path, KEY_SET_BYTES, fault))
        return -1;
    if (json_is_array(json_object_get(*set, "keys")))
        return 0;
    json_decref(*set);
    *set = NULL;
    return fault_set(fault, "bad_key", "%s: expected a JWK Set: {\"keys\": […]}", path);
}

int jwk_public(json_t **public_key, const json_t *jwk, enum jwk_use use, struct fault *fault)
{
    static const char *const private_members[] = {"d", "k", "p", "q", "dp", "dq", "qi", "oth"};
    *public_key = NULL;
    if (check_kind(jwk, use, fault))
        return -1;
    for (size_t i = 0; i < sizeof private_members / sizeof *private_members; i++)
        if (json_object_get(jwk, private_members[i]))
            return fault_set(fault, "bad_key", "key: expected a public key, found a private one (`%s`)",
                             private_members[i]);
    if (check_numbers(jwk, false, fault))
        return -1;
    return normal_form(public_key, jwk, false, use, fault);
}

int jwk_strip(json_t **public_key, const json_t *private_key, struct fault *fault)
{
    *public_key = json_deep_copy(private_key);
    if (!*public_key)
        return fault_retry(fault, "no_memory", "no memory for a key");
    json_object_del(*public_key, "d");
    return 0;
}

int jwk_thumbprint(const json_t *key, char text[JWK_THUMBPRINT_MAX], struct fault *fault)
{
    unsigned char digest[32];
    struct buf out;
    buf_init(&out, JWK_THUMBPRINT_MAX - 1);
    /* the key is a good one, so there was no memory */
    if (jose_jwk_thp_buf(NULL, key, "S256", digest, sizeof digest) != sizeof digest)
        return fault_retry(fault, "no_memory", "the thumbprint of a key cannot be computed now");
    int result = b64url_encode(&out, digest, sizeof digest, fault);
    if (result == 0)
        memcpy(text, out.data, out.len + 1);
    buf_wipe(&out);
    return result;
}
