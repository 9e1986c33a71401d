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
};

/* Works on the item until it has its answers. Our own failures (disk, store, memory) are tried again with
 * growing pauses as long as the item is wanted; when it no longer is, it stays without answers. Several
 * threads may do this at once. */
void answer_item(const struct answerer *answerer, struct item *item);

#endif
