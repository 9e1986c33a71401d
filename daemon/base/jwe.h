/* jwe: a short secret text sealed to one P-256 key (RFC 7516): flattened JSON, ECDH-ES+A256KW with A256GCM.
 *
 * Everything that the header says, the ephemeral key included, stands in the protected header, so all of it
 * is authenticated and any opener that reads flattened or compact JWE can read it. Thread-safe.
 */
#ifndef DSAR_BASE_JWE_H
#define DSAR_BASE_JWE_H

#include "base/buf.h"
#include "base/fault.h"

#include <jansson.h>

/* The longest text that is sealed: the identities of one request, however they are escaped. */
#define JWE_TEXT_MAX 131072

/* Seals `text`. `header` holds members that the secret is bound to (a request id, a digest, an expiry);
 * `alg`, `enc`, `kid` (the recipient's) and `epk` are added. `recipient` is a public JWK_SEAL key of module
 * jwk. `*jwe` is the caller's. */
int jwe_seal(json_t **jwe, const json_t *header, const json_t *recipient, const char *text,
             struct fault *fault) __attribute__((warn_unused_result));

/* Reads the protected header, a new reference, without the key and so without any proof: to find the key that
 * `kid` names. Codes: "bad_jwe" (not a flattened JWE), "no_memory" (retryable). */
int jwe_header(json_t **header, const json_t *jwe, struct fault *fault) __attribute__((warn_unused_result));

/* Opens it with a private JWK_SEAL key of module jwk. Appends the text to `text`, which is the caller's to
 * wipe; `*header` is the protected header, verified, a new reference: what it binds is the caller's to
 * compare. Codes: "bad_jwe" (form, other algorithms, `zip`, `crit`, or not openable), "wrong_key" (it names
 * another `kid`), "too_large" (for `text`), "no_memory" (retryable). */
int jwe_open(struct buf *text, json_t **header, const json_t *jwe, const json_t *key, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
