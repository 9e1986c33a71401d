/* desk: the requests in hand: who owns which partition, what waits, what is worked on, what is done and not
 * yet published.
 *
 * Three kinds of threads meet here: the poll thread brings messages and rebalances, workers take items and
 * bring them back, the commit thread takes what is done in batches. Thread-safe.
 */
#ifndef DSAR_OUTCOME_DESK_H
#define DSAR_OUTCOME_DESK_H

#include "base/cancel.h"
#include "outcome/outgoing.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct desk;
struct partition;
struct membership;

/* One message in hand. A worker may use it between desk_take and desk_finish. */
struct item {
    struct item *next;
    rd_kafka_message_t *message;
    struct cancel *cancel;    /* raised when the work is no longer wanted */
    int64_t received_unix_s;  /* when the broker appended it, or else when it came to us */
    struct outgoing *answers; /* what is to be published with its offset; NULL: nothing, and not done */
    struct partition *partition;
    uint64_t epoch; /* the partition's when it came; an older one makes the item an orphan */
};

/* `n_max`: how many messages may be in hand before no more are asked for. */
int desk_new(struct desk **desk, size_t n_max, struct fault *fault) __attribute__((warn_unused_result));

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

/* Puts a message on the desk; takes it over. What is known already is destroyed. */
int desk_put(struct desk *desk, rd_kafka_message_t *message, struct fault *fault)
    __attribute__((warn_unused_result));

/* Whether to stop asking for more (`full`), or to ask again (half of it). */
bool desk_full(struct desk *desk);
bool desk_has_room(struct desk *desk);

/* --- workers --- */

/* Waits for the next item; NULL when no more are to be taken. */
struct item *desk_take(struct desk *desk);

/* Brings an item back: with answers it is done, without it is dropped and will come again some day. */
void desk_finish(struct desk *desk, struct item *item);

/* --- the commit thread --- */

struct batch {
    struct item *items;
    size_t n_items;
    rd_kafka_topic_partition_list_t *offsets; /* what to commit with them */
    struct membership *membership;
    const rd_kafka_consumer_group_metadata_t *group; /* of the time when they were assigned */
};

/* Waits until something is done, then gives all of it, at most `n_max` items. False when there will be no
 * more. */
bool desk_batch(struct desk *desk, size_t n_max, struct batch *batch);

/* The batch is committed, or aborted: then its items wait for the next batch if their partition is still
 * ours. */
void desk_settle(struct desk *desk, struct batch *batch, bool committed);

/* --- leaving --- */

/* No more items are given out; what waits is dropped. */
void desk_stop(struct desk *desk);

/* Raises the cancel of all work that is going on. */
void desk_cancel_all(struct desk *desk);

/* How many items workers have. */
size_t desk_n_running(struct desk *desk);

/* Ends desk_batch for good, done or not. */
void desk_close(struct desk *desk);

#endif
