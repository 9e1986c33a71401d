/* dead_letters: the topic of dead letters, read from its beginning to its end. */
#ifndef DSAR_CTL_DEAD_LETTERS_H
#define DSAR_CTL_DEAD_LETTERS_H

#include "ctl/kafka.h"
#include "outcome/dead.h"

/* Is shown a letter, with facts->state; both belong to the caller. -1 with a fault ends the reading. */
typedef int dead_visit(void *ctx, const struct dead_facts *facts, const rd_kafka_message_t *letter,
                       struct fault *fault);

/* Shows every letter that stands in the topic when this is called, partition by partition in their order, mixed
 * between partitions. What is uncommitted then is waited for, so that no marker is missed. Memory grows only with the
 * number of markers. What is neither letter nor marker is passed over. */
int dead_letters_read(const struct ctl_kafka *kafka, const char *topic, dead_visit *visit, void *ctx,
                      struct fault *fault) __attribute__((warn_unused_result));

#endif
