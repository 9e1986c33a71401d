/* identity_keys: the workers' private keys, to one of which the identities of a request may be sealed.
 *
 * There may be several, so that a new key can be given to the portals while requests sealed to the former one are
 * still on their way. Read-only once loaded, so several threads may share them.
 */
#ifndef DSAR_INTAKE_IDENTITY_KEYS_H
#define DSAR_INTAKE_IDENTITY_KEYS_H

#include "base/fault.h"

#include <jansson.h>

struct identity_keys;

/* Reads a private JWK or a JWK Set of several. Codes as of jwk_load_private. */
int identity_keys_load(struct identity_keys **keys, const char *path, struct fault *fault)
    __attribute__((warn_unused_result));

/* The private key that has this `kid`; borrowed. NULL when there is none, or `keys` is NULL. */
const json_t *identity_keys_find(const struct identity_keys *keys, const char *kid);

/* NULL is harmless. */
void identity_keys_free(struct identity_keys *keys);

#endif
