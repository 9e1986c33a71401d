#include "base/jws.h"

#include "base/b64url.h"
#include "base/strict_json.h"

#include <jose/b64.h>
#include <jose/io.h>
#include <jose/jws.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <string.h>

static int malformed(struct fault *fault, const char *expected)
{
    return fault_set(fault, "bad_signature", "signature: expected %s", expected);
}

static bool is_known(const char *name, const json_t *value)
{
    static const char *const texts[] = {"alg", "kid", "typ", "iss", "sub", "aud"};
    static const char *const seconds[] = {"iat", "exp"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i]) == 0)
            return json_is_string(value);
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (strcmp(name, seconds[i]) == 0)
            return json_is_integer(value) && json_integer_value(value) >= 0;
    return false;
}

static int check_members(json_t *header, struct fault *fault)
{
    for (void *at = json_object_iter(header); at; at = json_object_iter_next(header, at))
        if (!is_known(json_object_iter_key(at), json_object_iter_value(at)))
            return malformed(fault,
                             "a header of alg, kid, typ, iss, sub, aud (text), iat, exp (seconds) only");
    return 0;
}

static int parse_header(json_t **header, const char *text, size_t len, struct fault *fault)
{
    struct buf plain;
    struct fault cause = {0};
    buf_init(&plain, JWS_MAX);
    *header = NULL;
    int result = b64url_decode(&plain, text, len, &cause);
    if (result == 0)
        result = strict_json_read(header, plain.data, plain.len, &cause);
    buf_wipe(&plain);
    if (result && cause.retryable)
        return fault_retry(fault, cause.code, "signature: %s", cause.text);
    if (result)
        return malformed(fault, "a protected header that is a JSON object as base64url, without duplicates");
    if (check_members(*header, fault) == 0)
        return 0;
    json_decref(*header);
    *header = NULL;
    return -1;
}

/* Takes the text apart: header and signature, both still encoded. */
static int split(const char *compact, size_t *header_len, const char **signature, struct fault *fault)
{
    size_t len = strnlen(compact, JWS_MAX + 1);
    if (len > JWS_MAX)
        return malformed(fault, "at most 4096 bytes");
    const char *dot = memchr(compact, '.', len);
    if (!dot || dot[1] != '.' || dot[2 + strspn(dot + 2, JOSE_B64_MAP)])
        return malformed(fault, "a detached JWS: header, two dots, signature");
    *header_len = (size_t)(dot - compact);
    *signature = dot + 2;
    return 0;
}

/* Gives the payload to a chain that signs or verifies what it is fed as base64url. */
static bool feed(jose_io_t *chain, const void *payload, size_t len)
{
    jose_io_auto_t *encoder = jose_b64_enc_io(chain);
    bool done = encoder && (len == 0 || encoder->feed(encoder, payload, len)) && encoder->done(encoder);
    ERR_clear_error();
    return done;
}

static bool signs_es256(const json_t *key)
{
    const char *alg = json_string_value(json_object_get(key, "alg"));
    const char *crv = json_string_value(json_object_get(key, "crv"));
    return alg && crv && strcmp(alg, "ES256") == 0 && strcmp(crv, "P-256") == 0;
}

static int sign(struct buf *compact, const json_t *header, const json_t *key, const void *payload, size_t len,
                struct fault *fault)
{
    int result = -1;
    jose_io_t *chain = NULL;
    json_t *jws = json_object();
    json_t *sig = json_object();
    json_t *protected_header = json_deep_copy(header);
    /* a copy: to count references to a key that threads share is a data race in jansson's headers */
    json_t *kid = json_deep_copy(json_object_get(key, "kid"));
    if (!signs_es256(key) || !json_object_get(key, "d")) {
        fault_set(fault, "bad_key", "expected a private P-256 key for ES256 to sign with");
        goto out;
    }
    if (!jws || !sig || !protected_header || !kid ||
        json_object_set_new(protected_header, "alg", json_string("ES256")) ||
        json_object_set(protected_header, "kid", kid) ||
        json_object_set(sig, "protected", protected_header)) {
        fault_retry(fault, "no_memory", "no memory for a signature");
        goto out;
    }
    chain = jose_jws_sig_io(NULL, jws, sig, key);
    if (!chain || !feed(chain, payload, len)) {
        fault_retry(fault, "no_memory", "a signature cannot be made now");
        goto out;
    }
    result = buf_printf(compact, fault, "%s..%s", json_string_value(json_object_get(jws, "protected")),
                        json_string_value(json_object_get(jws, "signature")));
out:
    jose_io_decref(chain);
    json_decref(kid);
    json_decref(protected_header);
    json_decref(sig);
    json_decref(jws);
    return result;
}

int jws_header(json_t **header, const char *compact, struct fault *fault)
{
    size_t header_len = 0;
    const char *signature = NULL;
    *header = NULL;
    if (split(compact, &header_len, &signature, fault))
        return -1;
    return parse_header(header, compact, header_len, fault);
}

/* The signature of a header that was checked. That it is 64 bytes, written in the one way, libjose checks. */
static int verify_payload(const char *compact, const json_t *key, const void *payload, size_t len,
                          struct fault *fault)
{
    int result = -1;
    size_t header_len = 0;
    const char *signature = NULL;
    if (split(compact, &header_len, &signature, fault))
        return -1;
    json_t *sig = json_pack("{s:s%, s:s}", "protected", compact, header_len, "signature", signature);
    jose_io_t *chain = sig ? jose_jws_ver_io(NULL, NULL, sig, key, true) : NULL;
    if (!chain)
        fault_retry(fault, "no_memory", "no memory for a signature");
    else if (feed(chain, payload, len))
        result = 0;
    else
        fault_set(fault, "bad_signature", "signature: it is not that key's signature of these bytes");
    jose_io_decref(chain);
    json_decref(sig);
    return result;
}

int jws_verify(const char *compact, const json_t *key, const void *payload, size_t len, struct fault *fault)
{
    json_t *header;
    if (jws_header(&header, compact, fault))
        return -1;
    const char *alg = json_string_value(json_object_get(header, "alg"));
    bool right = signs_es256(key) && alg && strcmp(alg, "ES256") == 0;
    json_decref(header);
    if (!right)
        return fault_set(fault, "wrong_algorithm", "signature: expected alg ES256 by a P-256 key");
    /* libjose says only that it failed, also without memory; a bad signature is one twice */
    if (verify_payload(compact, key, payload, len, fault) == 0)
        return 0;
    return verify_payload(compact, key, payload, len, fault);
}

/* libjose without memory gives signatures that are none. */
int jws_sign(struct buf *compact, const json_t *header, const json_t *key, const void *payload, size_t len,
             struct fault *fault)
{
    const size_t before = compact->len;
    if (sign(compact, header, key, payload, len, fault))
        return -1;
    if (verify_payload(compact->data + before, key, payload, len, NULL) == 0)
        return 0;
    compact->len = before;
    compact->data[before] = '\0';
    return fault_retry(fault, "no_memory", "a signature cannot be made now");
}
