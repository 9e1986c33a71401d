/* answer: what becomes of one message: a dead letter, a refusal, an outcome that is already stored, an export, another
 * attempt later; or, of a message of the control topic, the end of a request that is no longer wanted. */
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
 * another worker has a claim on it, or nothing at all can be done now), or is no longer wanted (ITEM_DROPPED). What fails
 * for the moment is tried again a few times in place and then parked on a retry topic, until it is too late for that.
 * Several threads may do this at once. */
void answer_request(const struct answerer *answerer, struct item *item);

/* Works on a message of the control topic: a cancel. Quick: it waits for nobody but store and disk. ITEM_LATER until the
 * request, if it is in hand, has ended. A cancel is never dropped. */
void answer_control(const struct answerer *answerer, struct item *item);

#endif
