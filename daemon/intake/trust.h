/* trust: whose signatures count, and for what.
 *
 * A JWK Set (RFC 7517) of public P-256 keys. Each has a `kid` and an object `dsard` beside its usual members:
 *   {"kty":"EC","crv":"P-256","x":"…","y":"…","kid":"portal-2026",
 *    "dsard":{"rights":["request","cancel"],"sources":["//portal.example"],"retired_at":"2026-12-01T00:00:00Z"}}
 * `sources` limits which ce_source it may speak for (any without it). A key with `retired_at` still verifies
 * what was signed until then, so that parked requests survive a rotation; since its holder could date a
 * signature back, a key that was stolen is to be removed instead. Read-only once loaded, so several threads
 * may share it.
 */
#ifndef DSAR_INTAKE_TRUST_H
#define DSAR_INTAKE_TRUST_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

/* How long a signature may live, from `iat` to `exp`: as long as the topics keep messages. */
#define TRUST_LIFETIME_MAX_S INT64_C(3888000) /* 45 days */

enum trust_right { TRUST_REQUEST, TRUST_CANCEL };

struct trust;

/* Reads the file. Fails with "bad_key", naming file and key, when a key is not one for ES256, has no `kid` or
 * one that another has, or a `dsard` that is missing or not as above. */
int trust_load(struct trust **trust, const char *path, struct fault *fault)
    __attribute__((warn_unused_result));
void trust_free(struct trust *trust);

/* A message that claims to be signed. Texts are NUL-terminated. */
struct signed_message {
    const char *type;    /* ce_type */
    const char *source;  /* ce_source */
    const char *request; /* the request id that the data names */
    const void *key;     /* Kafka's message key */
    size_t key_len;
    const void *value; /* Kafka's message value, with nothing stripped or rewritten: what is signed */
    size_t value_len;
    const char *signature; /* the header `dsar-signature`, or NULL */
    int64_t
        received_unix_s; /* when the broker appended it, if the topic keeps that time; otherwise when it was read.
                                Never a time that the producer wrote */
};

/* Checks a signature and all that it binds. `audience` is what `aud` must say. Codes, in the order of the checks:
 * "unsigned"        no signature
 * "bad_signature"   not a detached JWS of the accepted form; later: not the key's signature of the value
 * "unknown_kid"     the key is not in the set
 * "wrong_algorithm" not ES256
 * "typ_mismatch"    `typ` is not the type
 * "iss_mismatch"    `iss` is not the source
 * "sub_mismatch"    `sub`, the request id and Kafka's key are not all the same
 * "audience"        `aud` is not `audience`
 * "not_yet_valid"   `iat` is missing, or more than 5 minutes after the arrival
 * "expired"         `exp` is missing, before the arrival, or more than TRUST_LIFETIME_MAX_S after `iat`
 * "retired_key"     signed after the key was retired
 * "no_right"        the key may not do this, or not for this source
 * and "no_memory" (retryable). */
int trust_verify(const struct trust *trust, const struct signed_message *message, enum trust_right right,
                 const char *audience, struct fault *fault) __attribute__((warn_unused_result));

#endif
