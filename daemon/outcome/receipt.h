/* receipt: what the store keeps of a request that has ended: the outcome, signed, so that a crash between the
 * store and Kafka costs no second export and no second outcome.
 *
 * A file of two lines: one JSON object and the exporter's detached JWS over it. It holds no personal data:
 * the outcome's event, the digest of the request's body, and where the request lay on Kafka.
 */
#ifndef DSAR_OUTCOME_RECEIPT_H
#define DSAR_OUTCOME_RECEIPT_H

#include "intake/request.h"
#include "outcome/event.h"
#include "store/store.h"

#include <jansson.h>
#include <stdint.h>

/* Where a request came from: its place on the topic of requests, whatever retry topics it went through. */
struct origin {
    const char *topic;
    int32_t partition;
    int64_t offset;
};

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

/* Stores it durably as `<request>/<attempt>.receipt`, signed with the exporter's private key. */
int receipt_store(const struct receipt *receipt, struct store *store, const char *attempt, const json_t *key,
                  struct fault *fault) __attribute__((warn_unused_result));

/* Looks for a receipt of the request whose signature holds: the one of the same origin if there is one, else
 * any. *receipt is NULL when there is none. Receipts that do not verify are passed over and counted in
 * *n_bad. What is found is durable: it may be published. */
int receipt_find(struct receipt **receipt, struct store *store, const char *request,
                 const struct origin *origin, const json_t *key, size_t *n_bad, struct fault *fault)
    __attribute__((warn_unused_result));

/* Whether both name the same message. */
bool origin_equal(const struct origin *a, const struct origin *b);

#endif
