#include "base/jwe.h"

#include "base/b64url.h"
#include "base/jwk.h"
#include "base/strict_json.h"

#include <jose/b64.h>
#include <jose/io.h>
#include <jose/jwe.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX 8192
#define MEMBER_MAX ((JWE_TEXT_MAX + 2) / 3 * 4) /* of an encoded member: the longest text as base64url */

static bool is_text(const json_t *object, const char *name, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text && strcmp(text, expected) == 0;
}

/* libjose puts `epk` into the recipient's unprotected header; here it goes to the protected one before that
 * is encoded. */
static bool protect_epk(json_t *jwe)
{
    json_t *unprotected = json_object_get(jwe, "header");
    json_t *epk = json_object_get(unprotected, "epk");
    if (!epk || json_object_size(unprotected) != 1 ||
        json_object_set(json_object_get(jwe, "protected"), "epk", epk))
        return false;
    return json_object_del(jwe, "header") == 0;
}

int jwe_seal(json_t **jwe, const json_t *header, const json_t *recipient, const char *text,
             struct fault *fault)
{
    size_t len = strlen(text);
    json_t *cek = json_object();
    json_t *sealed = json_object();
    json_t *protected_header = json_deep_copy(header);
    json_t *kid = json_deep_copy(json_object_get(recipient, "kid"));
    *jwe = NULL;
    int result = -1;
    if (!is_text(recipient, "alg", "ECDH-ES+A256KW")) {
        fault_set(fault, "bad_key", "expected a P-256 key for ECDH-ES+A256KW to seal to");
        goto out;
    }
    if (len > JWE_TEXT_MAX) {
        fault_set(fault, "too_large", "at most %d bytes of text can be sealed", JWE_TEXT_MAX);
        goto out;
    }
    if (!cek || !sealed || !protected_header || !kid ||
        json_object_set_new(protected_header, "alg", json_string("ECDH-ES+A256KW")) ||
        json_object_set_new(protected_header, "enc", json_string("A256GCM")) ||
        json_object_set(protected_header, "kid", kid) ||
        json_object_set(sealed, "protected", protected_header)) {
        fault_retry(fault, "no_memory", "no memory to seal a text");
        goto out;
    }
    if (!jose_jwe_enc_jwk(NULL, sealed, NULL, recipient, cek) || !protect_epk(sealed) ||
        !jose_jwe_enc_cek(NULL, sealed, cek, text, len)) {
        ERR_clear_error();
        fault_retry(fault, "no_memory", "a text cannot be sealed now");
        goto out;
    }
    *jwe = sealed; /* the caller's from here */
    sealed = NULL;
    result = 0;
out:
    json_decref(cek);
    json_decref(sealed);
    json_decref(kid);
    json_decref(protected_header);
    return result;
}

static bool has_form(const json_t *jwe)
{
    static const char *const members[] = {"protected", "encrypted_key", "iv", "ciphertext", "tag"};
    const size_t n_members = sizeof members / sizeof *members;
    if (!json_is_object(jwe) || json_object_size(jwe) != n_members)
        return false;
    for (size_t i = 0; i < n_members; i++) {
        const json_t *member = json_object_get(jwe, members[i]);
        if (!json_is_string(member) || json_string_length(member) > MEMBER_MAX)
            return false;
    }
    return true;
}

int jwe_header(json_t **header, const json_t *jwe, struct fault *fault)
{
    struct buf plain;
    struct fault cause;
    *header = NULL;
    if (!has_form(jwe))
        return fault_set(
            fault, "bad_jwe",
            "sealed text: expected a flattened JWE of protected, encrypted_key, iv, ciphertext and tag");
    buf_init(&plain, HEADER_MAX);
    const json_t *encoded = json_object_get(jwe, "protected");
    int result = b64url_decode(&plain, json_string_value(encoded), json_string_length(encoded), &cause);
    if (result == 0)
        result = strict_json_read(header, plain.data, plain.len, &cause);
    buf_wipe(&plain);
    if (result && cause.retryable)
        return fault_retry(fault, cause.code, "sealed text: %s", cause.text);
    return result ? fault_set(fault, "bad_jwe", "sealed text: the protected header is not a JSON object") : 0;
}

/* `zip` would let a small text grow without bounds, `crit` asks for what is not understood here. */
static int check_header(const json_t *header, const json_t *key, struct fault *fault)
{
    json_t *epk;
    struct fault cause;
    if (!is_text(header, "alg", "ECDH-ES+A256KW") || !is_text(header, "enc", "A256GCM") ||
        json_object_get(header, "zip") || json_object_get(header, "crit"))
        return fault_set(fault, "bad_jwe",
                         "sealed text: expected ECDH-ES+A256KW with A256GCM, no zip, no crit");
    if (json_object_get(header, "kid") &&
        !json_equal(json_object_get(header, "kid"), json_object_get(key, "kid")))
        return fault_set(fault, "wrong_key", "sealed text: it is sealed to another key than this one");
    /* an ephemeral point off the curve would draw the private key out bit by bit */
    if (jwk_public(&epk, json_object_get(header, "epk"), JWK_SEAL, &cause))
        return cause.retryable ? fault_retry(fault, cause.code, "sealed text: %s", cause.text)
                               : fault_set(fault, "bad_jwe", "sealed text: `epk` is not a public P-256 key");
    json_decref(epk);
    return 0;
}

/* Opens into `plain`, which has room for `*len` bytes; `*len` is then how many there are. */
static bool decrypt_into(void *plain, size_t *len, const json_t *jwe, const json_t *key)
{
    const json_t *ciphertext = json_object_get(jwe, "ciphertext");
    json_t *cek = jose_jwe_dec_jwk(NULL, jwe, NULL, key);
    /* not jose_jwe_dec: its memory grows by realloc, which leaves what it held behind unwiped */
    jose_io_auto_t *out = jose_io_buffer(NULL, plain, len);
    jose_io_auto_t *decrypter = cek && out ? jose_jwe_dec_cek_io(NULL, jwe, cek, out) : NULL;
    jose_io_auto_t *decoder = decrypter ? jose_b64_dec_io(decrypter) : NULL;
    bool done = decoder &&
                decoder->feed(decoder, json_string_value(ciphertext), json_string_length(ciphertext)) &&
                decoder->done(decoder);
    json_decref(cek);
    ERR_clear_error();
    return done;
}

static int decrypt(struct buf *text, const json_t *jwe, const json_t *key, struct fault *fault)
{
    const size_t max = json_string_length(json_object_get(jwe, "ciphertext")) / 4 * 3 + 3;
    size_t len = max;
    char *plain = malloc(max);
    if (!plain)
        return fault_retry(fault, "no_memory", "no memory for a sealed text");
    bool opened = decrypt_into(plain, &len, jwe, key);
    if (!opened) {
        /* libjose says only that it failed, also without memory; what is not sealed to the key is not so twice */
        len = max;
        opened = decrypt_into(plain, &len, jwe, key);
    }
    int result =
        opened ? buf_append(text, plain, len, fault)
               : fault_set(fault, "bad_jwe", "sealed text: it was changed, or is sealed to another key");
    OPENSSL_cleanse(plain, max); /* all of it: what was written before the tag was found false, too */
    free(plain);
    return result;
}

int jwe_open(struct buf *text, json_t **header, const json_t *jwe, const json_t *key, struct fault *fault)
{
    if (jwe_header(header, jwe, fault))
        return -1;
    if (check_header(*header, key, fault) == 0 && decrypt(text, jwe, key, fault) == 0)
        return 0;
    json_decref(*header);
    *header = NULL;
    return -1;
}
