/* keyring: the exporter's keys: the one that signs, and the retired ones whose signatures still count.
 *
 * A key is found by its `kid`. Read-only once loaded, so several threads may share it.
 */
#ifndef DSAR_OUTCOME_KEYRING_H
#define DSAR_OUTCOME_KEYRING_H

#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>

struct keyring;

/* Reads the private key that signs, and the JWK Set of retired public keys (NULL: none). Fails with "bad_key",
 * "file_unreadable" or "file_mode", naming the file. */
int keyring_load(struct keyring **keyring, const char *key_file, const char *retired_file,
                 struct fault *fault) __attribute__((warn_unused_result));
void keyring_free(struct keyring *keyring);

/* The private key that signs. Borrowed. */
const json_t *keyring_signer(const struct keyring *keyring);

/* Checks a detached JWS of ours over `len` bytes of `value`: made by a key of the ring, with `typ` = `type` and
 * `sub` = `subject`. Codes: "bad_signature" (form, signature, typ or sub), "unknown_kid", "wrong_algorithm", "no_memory"
 * (retryable). */
int keyring_verify(const struct keyring *keyring, const char *jws, const char *type, const char *subject,
                   const void *value, size_t len, struct fault *fault) __attribute__((warn_unused_result));

#endif
