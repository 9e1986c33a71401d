/* publisher: puts outcomes on Kafka: terminal ones and offsets together in transactions, the others as
 * they come.
 *
 * publisher_commit belongs to one thread; publisher_notify is for any.
 */
#ifndef DSAR_OUTCOME_PUBLISHER_H
#define DSAR_OUTCOME_PUBLISHER_H

#include "base/cancel.h"
#include "base/log.h"
#include "config/config.h"
#include "outcome/desk.h"

struct publisher;

/* Makes both producers and settles what a former process with the same transactional id left open; tries
 * until that works or `cancel` is raised. */
int publisher_open(struct publisher **publisher, const struct config *config, struct log *log,
                   const struct cancel *cancel, struct fault *fault) __attribute__((warn_unused_result));

/* Waits up to five seconds for messages on their way; frees. NULL is harmless. */
void publisher_close(struct publisher *publisher);

enum publisher_verdict {
    PUBLISHER_COMMITTED,
    PUBLISHER_ABORTED, /* nothing of the batch is to be seen; it may be tried again */
    PUBLISHER_UNKNOWN, /* the producer can do no more: only the committed offsets tell what became of the batch, once
                          publisher_renew has settled it */
};

/* Publishes the answers of the batch and commits its offsets in one transaction. Tries what may be tried
 * again until `cancel` is raised, which leaves it unknown. */
enum publisher_verdict publisher_commit(struct publisher *publisher, const struct batch *batch,
                                        const struct cancel *cancel, struct fault *fault)
    __attribute__((warn_unused_result));

/* Puts a new transactional producer in the place of one that can do no more. When this returns 0 the broker has committed
 * or aborted the transaction that was open, and whoever else used the transactional id is fenced off. Belongs to the
 * thread of publisher_commit. */
int publisher_renew(struct publisher *publisher, const struct cancel *cancel, struct fault *fault)
    __attribute__((warn_unused_result));

/* Publishes one message as well as it can, outside any transaction: `accepted` and `progress`, which nothing depends on.
 * Takes it over. It may come twice, or never when Kafka is out of reach for long. */
void publisher_notify(struct publisher *publisher, struct outgoing *message);

#endif
