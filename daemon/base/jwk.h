/* jwk: P-256 keys as JSON Web Keys (RFC 7517): the only kind that dsard signs with and seals to.
 *
 * Every key that this module gives has one form: kty "EC", crv "P-256", x, y, `kid`, and `use` and `alg` by
 * what it is for ("sig" and ES256, "enc" and ECDH-ES+A256KW); a private key has d as well. Keys are JSON
 * objects that the caller releases with json_decref; private members are wiped then, once
 * secret_harden_process has run. Thread-safe.
 */
#ifndef DSAR_BASE_JWK_H
#define DSAR_BASE_JWK_H

#include "base/fault.h"

#include <jansson.h>

#define JWK_THUMBPRINT_MAX 44 /* SHA-256 as base64url, and NUL */
#define JWK_KID_MAX        256

enum jwk_use {
    JWK_SIGN, /* ES256 */
    JWK_SEAL, /* ECDH-ES+A256KW */
};

/* A fresh private key; its `kid` is its thumbprint. */
int jwk_generate(json_t **key, enum jwk_use use, struct fault *fault) __attribute__((warn_unused_result));

/* Reads a private key from a file that nobody but its owner and group can read and nobody but its owner can
 * write (0600, 0400, or a mounted 0440). Without a `kid` it gets its thumbprint. Codes: "file_unreadable",
 * "file_mode", "bad_key". */
int jwk_load_private(json_t **key, const char *path, enum jwk_use use, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads several private keys as jwk_load_private reads one: from a JWK Set, {"keys":[…]}, of one key or more, or
 * from a JWK that stands alone. `*keys` is a list of them, each with another `kid`. */
int jwk_load_private_set(json_t **keys, const char *path, enum jwk_use use, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads a JWK Set, {"keys":[…]}, of at most 1 MiB. Its keys are as they were written: jwk_public reads each.
 */
int jwk_load_set(json_t **set, const char *path, struct fault *fault) __attribute__((warn_unused_result));

/* Reads a public key that came from elsewhere: kty EC, crv P-256, x and y of exactly 32 bytes that are a
 * point on the curve, a `use` and an `alg`, where it has them, that fit `use`, no private member. Members
 * that are not known are left out; so is a `kid` unless it is text of at most JWK_KID_MAX bytes, and without
 * one it is the thumbprint. Fails with "bad_key"; the text never shows what the key holds. */
int jwk_public(json_t **public_key, const json_t *jwk, enum jwk_use use, struct fault *fault)
    __attribute__((warn_unused_result));

/* The public part of a private key that this module gave. */
int jwk_strip(json_t **public_key, const json_t *private_key, struct fault *fault)
    __attribute__((warn_unused_result));

/* RFC 7638 with SHA-256, as base64url, of a key that this module gave. */
int jwk_thumbprint(const json_t *key, char text[JWK_THUMBPRINT_MAX], struct fault *fault)
    __attribute__((warn_unused_result));

#endif
