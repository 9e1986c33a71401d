/* signature: what the header `dsar-signature` says: a detached JWS over a message's value that binds where
 * the message belongs. The other side of trust_verify; the exporter signs its own events the same way.
 * Thread-safe. */
#ifndef DSAR_INTAKE_SIGNATURE_H
#define DSAR_INTAKE_SIGNATURE_H

#include "base/buf.h"
#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_HEADER "dsar-signature"

struct signature_claims {
    const char *type;     /* `typ`: ce_type */
    const char *source;   /* `iss`: ce_source */
    const char *request;  /* `sub`: the request id, which is the message's key */
    const char *audience; /* `aud`: who is meant to read it */
    int64_t issued_unix_s;
    int64_t expires_unix_s;
};

/* Appends the header's value for the `len` bytes of `value` to `header`. `key` is a private JWK_SIGN key of
 * module jwk; its `kid` is bound too. */
int signature_make(struct buf *header, const struct signature_claims *claims, const json_t *key,
                   const void *value, size_t len, struct fault *fault) __attribute__((warn_unused_result));

#endif
