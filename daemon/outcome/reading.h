/* reading: from a message on Kafka to the request or the cancel that it holds, if whoever wrote it may ask for it. */
#ifndef DSAR_OUTCOME_READING_H
#define DSAR_OUTCOME_READING_H

#include "intake/cancellation.h"
#include "intake/cloudevent.h"
#include "intake/request.h"
#include "outcome/exporter.h"
#include "outcome/item.h"
#include "outcome/parking.h"

/* What is known of a message. Begins zeroed; points into the message. */
struct reading {
    struct cloudevent *event;
    struct request *request;
    struct parked
        parked; /* of a request: where and when it came first, and how many attempts failed, 0 at first */

    json_t *parked_json; /* what the topic in `parked` may belong to */
};

/* Reads a request. 0: it is genuine, and *verdict is REQUEST_OK, or REQUEST_UNANSWERABLE with *why saying why. -1:
 * retryable when it cannot be said for the moment; otherwise nothing in it can be relied on: a dead letter. Codes as
 * those of cloudevent_decode, request_parse, trust_verify, parking_read and acceptance_recall, and "unknown_type".
 *
 * A message is judged by the time when it came first. One that was accepted stays genuine, whatever was changed since: when
 * its key is gone, *verdict is REQUEST_UNANSWERABLE with trust_verify's code. */
int reading_request(struct reading *reading, const struct exporter *exporter, const struct item *item,
                    enum request_verdict *verdict, struct fault *why) __attribute__((warn_unused_result));

/* The same for a cancel; codes as those of cancellation_parse too. */
int reading_cancellation(struct reading *reading, const struct exporter *exporter, const struct item *item,
                         struct cancellation *cancellation, struct fault *why)
    __attribute__((warn_unused_result));

/* When the request that the message seems to hold is due; 0 when it does not say. Nothing of it is verified: for the order
 * of work only. */
int64_t reading_due(const struct config *config, const rd_kafka_message_t *message);

/* Wipes and frees what it holds, and zeroes it. */
void reading_wipe(struct reading *reading);

#endif
