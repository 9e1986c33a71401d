/* cancellation: the wish that a request be given up, read from the data of an event on the control topic.
 *
 * The data is {"api_version":"2.0","subject_request_id":"…","body_sha256":"…"}; members that are not known are
 * ignored. The digest is that of the data of the request that is meant, so that a cancellation made for one
 * request never ends another that has its id. Thread-safe.
 */
#ifndef DSAR_INTAKE_CANCELLATION_H
#define DSAR_INTAKE_CANCELLATION_H

#include "base/fault.h"
#include "intake/request.h"

#include <stddef.h>

#define CANCELLATION_TYPE "org.dsard.cancel.v1" /* ce_type */

struct cancellation {
    char id[REQUEST_ID_LEN + 1];
    unsigned char sha256[32]; /* to be compared with the `sha256` of struct request */
};

/* Reads the `len` bytes of `data`. Codes: "bad_cancel" (not JSON, or a member that is missing or malformed),
 * "no_memory" (retryable). The texts name members, never what they hold. */
int cancellation_parse(struct cancellation *cancellation, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
