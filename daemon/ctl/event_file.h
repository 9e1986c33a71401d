/* event_file: an outcome kept in a file: a CloudEvent in structured JSON, with the exporter's signature as
 * the extension attribute `dsarsignature`. `dsarctl watch --save` and `dsard once` write it; open and verify
 * read it. */
#ifndef DSAR_CTL_EVENT_FILE_H
#define DSAR_CTL_EVENT_FILE_H

#include "base/buf.h"
#include "base/fault.h"
#include "base/secret.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdbool.h>

#define PASSPHRASE_MAX 256

/* Reads a `completed` event. NULL with a fault. */
json_t *event_file_load(const char *path, struct fault *fault);

/* What the event says of the bundle: {size, sha256, …}; borrowed. NULL when it names none. */
const json_t *event_file_bundle(const json_t *event);

/* The passphrase out of the event, with the recipient's private key. `passphrase` has PASSPHRASE_MAX bytes.
 * Checks that the key belongs to this request and this bundle. */
int event_file_passphrase(const json_t *event, const char *key_path, char *passphrase, struct fault *fault)
    __attribute__((warn_unused_result));

/* Checks the exporter's signature of the event against a JWK Set. */
int event_file_verify(const json_t *event, const json_t *jwks, struct fault *fault)
    __attribute__((warn_unused_result));

/* What a signature must be bound to. */
struct signed_as {
    const char *type;    /* `typ` */
    const char *source;  /* `iss`; NULL: not checked */
    const char *request; /* `sub` */
};

/* Finds the key that a detached JWS names in the set, verifies the signature, and that it was made for this.
 */
int event_file_verify_jws(const char *compact, const json_t *jwks, const struct signed_as *as,
                          const struct buf *payload, struct fault *fault) __attribute__((warn_unused_result));

#endif
