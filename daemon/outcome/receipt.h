/* receipt: what the store keeps of a request that has ended: the outcome, signed, so that a crash between the
 * store and Kafka costs no second export and no second outcome.
 *
 * There is one a request: whoever makes `<request>/receipt` first decides how it ends, and whoever comes later takes that
 * over. So the store never tells of another outcome than the one that is published, whatever worker wakes up late.
 *
 * It holds no personal data: the outcome's event, the digest of the request's body, and where the request lay on
 * Kafka.
 */
#ifndef DSAR_OUTCOME_RECEIPT_H
#define DSAR_OUTCOME_RECEIPT_H

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
    const char *request;
    const unsigned char *body_sha256; /* 32 bytes */
    const struct origin *origin;
    const char *bundle; /* may be NULL */
    enum event_type type;
    json_t *event_data; /* borrowed */
};

void receipt_free(struct receipt *receipt);

/* Makes a receipt, whose event gets a fresh id and the present time, and stores it durably; when the request has one
 * already, *receipt is that one. It is the caller's, and NULL on failure: "bundle_gone" (retryable) when the bundle that it
 * names was swept as a leftover because the attempt took too long; otherwise codes as those of record_write,
 * store_commit and receipt_find. */
int receipt_take(struct receipt **receipt, const struct receipt_facts *facts, const struct records *records,
                 struct fault *fault) __attribute__((warn_unused_result));

/* Looks for the receipt of the request: *receipt is NULL when there is none. One that is not genuine ("bad_record") is
 * always retryable: how the request has ended may have been published, so nobody can end it until somebody has put the file
 * right. What is found is durable: it may be published. */
int receipt_find(struct receipt **receipt, const struct records *records, const char *request,
                 struct fault *fault) __attribute__((warn_unused_result));

#endif
