/* record: a small JSON object that the store keeps of a request, signed by the exporter: receipts, acceptances,
 * withdrawals.
 *
 * A file of two lines: the object and the exporter's detached JWS over it, whose `typ` is "dsard-" and the kind and
 * whose `sub` is the request. No personal data. Thread-safe.
 */
#ifndef DSAR_OUTCOME_RECORD_H
#define DSAR_OUTCOME_RECORD_H

#include "outcome/keyring.h"
#include "store/store.h"

#include <jansson.h>

/* A receipt holds its event, and Kafka takes a message of 1 MiB. */
#define RECORD_MAX_BYTES (640 * 1024)

struct records {
    struct store *store;
    const struct keyring *keyring;
};

/* Stores `json` durably as `<request>/<file>`. With "exists" there is an object of that name already: nobody's record
 * is ever replaced. Otherwise as store_commit. `kind` is "receipt", …: a word. */
int record_store(const struct records *records, const char *request, const char *file, const char *kind,
                 const json_t *json, struct fault *fault) __attribute__((warn_unused_result));

/* Stores `own` as record_store does unless there is one already, and reads the one that counts: *json, a new reference.
 * It is durable. Codes as those of record_store and record_read. */
int record_take(const struct records *records, const char *request, const char *file, const char *kind,
                json_t *own, json_t **json, struct fault *fault) __attribute__((warn_unused_result));

/* The first half of record_store, for who must look at something between the halves: store_commit is the other one.
 * "too_large" beyond RECORD_MAX_BYTES. */
int record_write(const struct records *records, const char *request, const char *file, const char *kind,
                 const json_t *json, struct store_object **object, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads it: a new reference. Codes: "not_found", "bad_record" (not genuine, or not of this kind and request;
 * retryable when its key is not known, for another worker may have a newer one),
 * "store_failed", "no_memory" (the last two are retryable). What is found is durable once store_sync has been called. */
int record_read(const struct records *records, const char *request, const char *file, const char *kind,
                json_t **json, struct fault *fault) __attribute__((warn_unused_result));

#endif
