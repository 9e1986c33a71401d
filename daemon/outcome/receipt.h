/* receipt: what the store keeps of a request that has ended: the outcome, signed, so that a crash between the
 * store and Kafka costs no second export and no second outcome.
 *
 * It holds no personal data: the outcome's event, the digest of the request's body, and where the request lay on
 * Kafka.
 */
#ifndef DSAR_OUTCOME_RECEIPT_H
#define DSAR_OUTCOME_RECEIPT_H

#include "intake/request.h"
#include "outcome/event.h"
#include "outcome/origin.h"
#include "outcome/record.h"

#include <jansson.h>
#include <stdint.h>

struct receipt {
    json_t *json; /* owns all below */
    const char *request;
    const char *body_sha256; /* lower-case hex */
    struct origin origin;
    const char *bundle;   /* the object's file name in the store, or NULL */
    enum event_type type; /* a terminal one */
    const char *event_id;
    const char *event_time;
    json_t *event_data;
};

struct receipt_facts {
    const struct request *request;
    const struct origin *origin;
    const char *bundle; /* may be NULL */
    enum event_type type;
    json_t *event_data; /* borrowed */
};

/* Makes a receipt; its event gets a fresh id and the present time. */
int receipt_make(struct receipt **receipt, const struct receipt_facts *facts, struct fault *fault)
    __attribute__((warn_unused_result));
void receipt_free(struct receipt *receipt);

/* Stores it durably as `<request>/<attempt>.receipt`, if the bundle that it names is still there: "bundle_gone"
 * (retryable) when it was swept as a leftover because the attempt took too long. Otherwise as record_store. */
int receipt_store(const struct receipt *receipt, const struct records *records, const char *attempt,
                  struct fault *fault) __attribute__((warn_unused_result));

/* Looks for a genuine receipt of the request: the one of the same origin if there is one, else any. *receipt is NULL
 * when there is none. Receipts that are not genuine are passed over and counted in *n_bad; one by a key
 * that is not known is a fault ("bad_record", retryable), for it may be what was published. What is found is durable:
 * it may be published. */
int receipt_find(struct receipt **receipt, const struct records *records, const char *request,
                 const struct origin *origin, size_t *n_bad, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
