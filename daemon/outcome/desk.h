/* desk: the messages in hand: what waits, what is worked on, what is done and not yet published.
 *
 * Three kinds of threads meet here: the poll thread brings messages and rebalances, workers take items and
 * bring them back, the commit thread takes what is done in batches. Thread-safe.
 */
#ifndef DSAR_OUTCOME_DESK_H
#define DSAR_OUTCOME_DESK_H

#include "config/config.h"
#include "outcome/item.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desk;
struct membership;

/* The configuration must outlive the desk. */
int desk_new(struct desk **desk, const struct config *config, struct fault *fault)
    __attribute__((warn_unused_result));

/* No thread may use it any more. NULL is harmless. */
void desk_free(struct desk *desk);

/* --- the poll thread --- */

/* Takes over partitions with what is committed for them (offset and metadata), sets the offsets to read from,
 * and takes over `group`. */
int desk_assign(struct desk *desk, rd_kafka_topic_partition_list_t *partitions,
                rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
    __attribute__((warn_unused_result));

/* Gives partitions up. Unless they are lost already it waits up to `wait_ms` until what is done has been
 * published. Work that is going on becomes an orphan: if its message comes again it is taken up where it is,
 * otherwise it ends without an outcome, and what it stored is found by the next owner. */
void desk_revoke(struct desk *desk, const rd_kafka_topic_partition_list_t *partitions, bool lost,
                 int wait_ms);

/* Puts a message on the desk; takes it over. What is known already is destroyed. `due_unix_s` is when the request that
 * it seems to hold is due, 0 when it does not say: among what waits, the nearest goes first. */
int desk_put(struct desk *desk, rd_kafka_message_t *message, int64_t due_unix_s, struct fault *fault)
    __attribute__((warn_unused_result));

/* Which partitions are no longer to be read from since the last call, and which are again. Requests stop while enough
 * are in hand, retry topics while enough are parked, both while a commit could not tell of more; control only when cancels
 * come faster than they can be noted down. The lists are the caller's, and empty when nothing has changed. NULL without
 * memory. */
struct desk_flow {
    rd_kafka_topic_partition_list_t *pause;
    rd_kafka_topic_partition_list_t *resume;
};
int desk_flow(struct desk *desk, struct desk_flow *flow, struct fault *fault)
    __attribute__((warn_unused_result));

/* --- workers --- */

enum desk_tray { DESK_REQUESTS, DESK_CONTROL };

/* Waits for the next item; NULL when no more are to be taken. */
struct item *desk_take(struct desk *desk, enum desk_tray tray);

/* Brings an item back; item->fate says what becomes of it. */
void desk_finish(struct desk *desk, struct item *item);

/* Whether the message of an item that was taken is still this worker's to end: its partition was not given up since. */
bool desk_owns(struct desk *desk, const struct item *item);

/* A request is withdrawn: raises the cancel of the work on it, and lets what waits or is parked be looked at now. True
 * when its message is in hand, so that it will be ended soon. */
bool desk_withdraw(struct desk *desk, const char *request);

/* --- the commit thread --- */

struct batch {
    struct item *items;
    size_t n_items;
    rd_kafka_topic_partition_list_t *offsets; /* what to commit with them */
    struct membership *membership;
    const rd_kafka_consumer_group_metadata_t *group; /* of the time when they were assigned */
};

/* Waits until something is done, then gives it, at most `n_max` items. Items of a transaction that was aborted are
 * given one at a time, in turns with the others and after a pause that grows, so that one that can never be published
 * holds up no other. False when there will be no more. */
bool desk_batch(struct desk *desk, size_t n_max, struct batch *batch);

/* The batch is committed, or aborted: then its items wait for another batch if their partition is still ours. */
void desk_settle(struct desk *desk, struct batch *batch, bool committed);

/* When it is not known which: `committed` is what the broker says is committed now for the partitions of the batch, and
 * *is tells whether the batch is. Fails with "foreign_metadata". The batch is then still to be settled. */
int desk_find_committed(struct desk *desk, const struct batch *batch,
                        const rd_kafka_topic_partition_list_t *committed, bool *is, struct fault *fault)
    __attribute__((warn_unused_result));

/* --- leaving --- */

/* No more items are given out; what waits is dropped. */
void desk_stop(struct desk *desk);

/* Raises the cancel of all work that is going on. */
void desk_cancel_all(struct desk *desk);

/* Ends desk_batch for good, done or not. */
void desk_close(struct desk *desk);

/* --- for onlookers --- */

struct desk_census {
    size_t n_waiting; /* for a worker */
    size_t n_parked;  /* for their next attempt, or for another worker's claim */
    size_t n_running;
    size_t n_done;           /* and not yet committed */
    size_t n_at_risk;        /* of all these: due within retry.margin_s */
    int64_t next_due_unix_s; /* the nearest; 0 when nothing is in hand */
};

void desk_count(struct desk *desk, struct desk_census *census);

#endif
