/* jws: detached signatures (RFC 7515, appendix F) with ES256: BASE64URL(header)..BASE64URL(signature).
 *
 * The payload travels elsewhere and may have any size; it is never copied. Headers are read strictly: `alg`,
 * `kid`, `typ`, `iss`, `sub`, `aud` (text), `iat` and `exp` (whole seconds), nothing else, so no `crit` and
 * no key that comes along. Thread-safe.
 */
#ifndef DSAR_BASE_JWS_H
#define DSAR_BASE_JWS_H

#include "base/buf.h"
#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>

#define JWS_MAX 4096 /* the longest compact text */

/* Appends the signature of `payload` to `compact`. `header` holds the protected members without `alg`, which
 * is added, and `kid`, which is the key's. `key` is a private JWK_SIGN key of module jwk. */
int jws_sign(struct buf *compact, const json_t *header, const json_t *key, const void *payload, size_t len,
             struct fault *fault) __attribute__((warn_unused_result));

/* Reads the protected header of a NUL-terminated text, so that a key can be chosen by its `kid`. Nothing is
 * verified yet.
 * `*header` is a new reference. Fails with "bad_signature". */
int jws_header(json_t **header, const char *compact, struct fault *fault) __attribute__((warn_unused_result));

/* Verifies the text against `payload`. The key, a JWK_SIGN key of module jwk, decides the algorithm; a header
 * that names another one fails with "wrong_algorithm", everything else that does not hold with
 * "bad_signature". */
int jws_verify(const char *compact, const json_t *key, const void *payload, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
