/* sealed_identities: whom a request is about, sealed to one of the workers' keys, so that no personal data rests in
 * Kafka.
 *
 * It is a flattened JWE of module jwe. Its protected header names the key by `kid` and binds the request by
 * `request`, its id; its text is {"subject_identities":[…]}, as the request would have it in clear. Thread-safe.
 */
#ifndef DSAR_INTAKE_SEALED_IDENTITIES_H
#define DSAR_INTAKE_SEALED_IDENTITIES_H

#include "base/fault.h"
#include "intake/identity_keys.h"

#include <jansson.h>

/* Seals a list of identities. `key` is a public JWK_SEAL key of module jwk; `*sealed` is the caller's. Codes:
 * "bad_key", "too_large", "no_memory" (retryable). */
int sealed_identities_make(json_t **sealed, const char *request, json_t *identities, const json_t *key,
                           struct fault *fault) __attribute__((warn_unused_result));

/* Opens what a request holds. `*opened` is an object of `subject_identities`, which are still to be checked; it is
 * personal data, and the caller's. `keys` may be NULL: none.
 *
 * Codes: "unknown_identity_key" (sealed to none of the keys), "bad_sealed_identities" (not such a JWE, not openable,
 * not bound to this request, or another text), "no_memory" (retryable). */
int sealed_identities_open(json_t **opened, const json_t *sealed, const char *request,
                           const struct identity_keys *keys, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
