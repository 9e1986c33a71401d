/* committer: publishes what is done, with its offsets, in one transaction after the other.
 *
 * When a producer can do no more, nobody has told what became of its last transaction: a new producer of the same
 * transactional id settles it, and the committed offsets tell which way. So an answer that is lost on its way makes no
 * outcome be published twice, nor lost. */
#ifndef DSAR_OUTCOME_COMMITTER_H
#define DSAR_OUTCOME_COMMITTER_H

#include "intake/consumer.h"
#include "outcome/desk.h"
#include "outcome/publisher.h"

#include <stdatomic.h>

/* Counted since the start, for onlookers in other threads. */
struct committer_figures {
    atomic_uint_least64_t n_committed; /* transactions */
    atomic_uint_least64_t n_aborted;
    atomic_uint_least64_t n_resolved; /* that a new producer had to settle */
    atomic_uint_least64_t n_outcomes[OUTCOME_COUNT];
};

struct committer {
    struct desk *desk;
    struct publisher *publisher;
    struct consumer *consumer; /* to ask what is committed */
    const struct config *config;
    struct log *log;
    const struct cancel *give_up; /* raised: what cannot be committed now is left to the next process */
    struct committer_figures *figures;
};

/* Works until the desk is closed. -1 when it cannot go on: another process uses the transactional id too, or Kafka
 * refuses for good. One thread. */
int committer_run(struct committer *committer, struct fault *fault) __attribute__((warn_unused_result));

#endif
