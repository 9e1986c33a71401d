/* answer: what becomes of one message: a dead letter, a refusal, an outcome that is already stored, or an
 * export. */
#ifndef DSAR_OUTCOME_ANSWER_H
#define DSAR_OUTCOME_ANSWER_H

#include "outcome/desk.h"
#include "outcome/exporter.h"
#include "outcome/publisher.h"

struct answerer {
    struct exporter *exporter;
    struct publisher *publisher; /* for `accepted` and `progress` */
    struct claims *claims;
    struct desk *desk; /* for withdrawals: what is in hand */
};

/* Works on a request until it has its answers (item->fate is ITEM_DONE), is to be looked at again later (ITEM_LATER:
 * another worker has a claim on it), or is no longer wanted (ITEM_DROPPED). What fails for the moment is tried again a
 * few times in place and then parked on a retry topic, until it is too late for that. Several threads may do this at
 * once. */
void answer_request(const struct answerer *answerer, struct item *item);

/* Works on a message of the control topic: a cancel. Quick: it waits for nobody but store and disk. */
void answer_control(const struct answerer *answerer, struct item *item);

/* When the request that the message seems to hold is due; 0 when it does not say. Nothing of it is verified: for the order
 * of work only. */
int64_t answer_due(const struct answerer *answerer, const rd_kafka_message_t *message);

#endif
