/* request: what the person asks for, read from a message's data and checked member by member.
 *
 * The data has OpenDSR 2.0's field names; what is dsard's own stands in `extensions.dsard`. OpenDSR is an
 * open format, so members that are not known are ignored elsewhere, but refused in `extensions.dsard`. Whom it is
 * about stands in `subject_identities`, or instead of that in `extensions.dsard.sealed_identities` (module
 * sealed_identities).
 * Immutable once parsed, so it may be read by several threads.
 */
#ifndef DSAR_INTAKE_REQUEST_H
#define DSAR_INTAKE_REQUEST_H

#include "base/fault.h"
#include "intake/identity_keys.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_TYPE           "org.dsard.request.v1" /* ce_type */
#define REQUEST_ID_LEN         36                     /* a lower-case UUID v4 */
#define REQUEST_IDENTITIES_MAX 32
#define REQUEST_SCOPE_MAX      64 /* names in each list of the scope */

enum request_verdict {
    REQUEST_OK,
    REQUEST_UNUSABLE,     /* it cannot even be named: a dead letter */
    REQUEST_UNANSWERABLE, /* it has an id, but asks for what cannot be given: `refused`, once the signature
                             holds */
};

enum request_regulation { REGULATION_GDPR, REGULATION_CCPA };
enum request_type { REQUEST_ACCESS, REQUEST_PORTABILITY };
enum request_role { ROLE_CLIENT, ROLE_END_USER, ROLE_VISITOR };

/* "gdpr", "access", "end_user", … as in the request. */
const char *request_regulation_name(enum request_regulation regulation);
const char *request_type_name(enum request_type type);
const char *request_role_name(enum request_role role);

struct identity {
    const char *kind;  /* [a-z][a-z0-9_]*, at most DSAR_NAME_MAX bytes: "email" */
    const char *value; /* UTF-8 without control characters, at most DSAR_IDENTITY_MAX bytes */
};

struct request_names {
    const char **names;
    size_t n_names; /* 0: no restriction */
};

struct request {
    char id[REQUEST_ID_LEN + 1];
    unsigned char sha256[32]; /* of the data's bytes: tells a repeated request from an altered one */
    enum request_regulation regulation;
    enum request_type type;
    enum request_role role; /* client when the request does not say */
    int64_t submitted_unix_s;
    int64_t due_unix_s;          /* submitted + 30 days when the request does not say */
    struct identity *identities; /* at least one */
    size_t n_identities;
    const char *locale; /* a BCP 47 tag; "en" when the request does not say */
    struct request_names sources;
    struct request_names categories;
    const char *envelope; /* "zip" */
    json_t *
        recipient; /* the public P-256 JWK that the bundle's key is sealed to, without its optional members */

    json_t *body;   /* what the texts above belong to */
    json_t *opened; /* what identities that came sealed belong to; otherwise NULL */
};

/* Reads the `len` bytes of `body`. `received_unix_s` is when the request arrived for the first time, also
 * when it is read again after a retry: a due time that had passed by then is refused. `keys` open sealed
 * identities; NULL: none.
 *
 * REQUEST_OK: `*request` is complete and the caller's. REQUEST_UNANSWERABLE: `*request` is the caller's too,
 * but only `id` and `sha256` are certain to be filled; times are 0 where they were not read.
 * REQUEST_UNUSABLE: `*request` is NULL.
 *
 * Codes of the fault: "bad_request" (not JSON, no usable id, a member that is missing or malformed),
 * "unsupported_regulation", "unsupported_type", "unsupported_version", "hashed_identity", "bad_identity",
 * "no_identity", "too_many_identities", "doubled_identities" (in clear and sealed), "unknown_identity_key",
 * "bad_sealed_identities", "due_time_past", "unknown_envelope", "bad_recipient", and "no_memory" (UNUSABLE,
 * retryable: not the request's fault). The texts name members, never what they hold. */
enum request_verdict request_parse(struct request **request, const void *body, size_t len,
                                   int64_t received_unix_s, const struct identity_keys *keys,
                                   struct fault *fault) __attribute__((warn_unused_result));

/* When the request that `body` seems to be is due; 0 when it does not say. Nothing else of it is looked at: for the order
 * of work only. */
int64_t request_due(const void *body, size_t len);

/* Wipes and frees. NULL is harmless. */
void request_free(struct request *request);

#endif
