/* item: one message in hand, from when it is read until its offset is committed. Belongs to one thread at a time. */
#ifndef DSAR_OUTCOME_ITEM_H
#define DSAR_OUTCOME_ITEM_H

#include "base/cancel.h"
#include "config/config.h"
#include "outcome/claims.h"
#include "outcome/outgoing.h"

#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdint.h>

struct partition;

enum item_fate {
    ITEM_DROPPED, /* not wanted any more: the message will come again some day, here or elsewhere */
    ITEM_DONE,    /* its answers, if it has any, are to be published with its offset */
    ITEM_LATER,   /* to be looked at again in later_ms */
};

/* What became of a message, for the figures. */
enum item_outcome {
    OUTCOME_NONE, /* a cancel that was noted down */
    OUTCOME_COMPLETED,
    OUTCOME_FAILED,
    OUTCOME_REFUSED,
    OUTCOME_CANCELLED,
    OUTCOME_REPEATED,
    OUTCOME_PARKED,
    OUTCOME_DEAD,
};
#define OUTCOME_COUNT 8

/* What a worker may use between desk_take and desk_finish: all but the last part, which is the desk's. */
struct item {
    rd_kafka_message_t *message;
    struct cancel *cancel;         /* raised when the work is no longer wanted; only while it is worked on */
    int64_t received_unix_s;       /* when the broker appended it, or else when it came to us */
    const struct retry_tier *tier; /* of the retry topic that it came from; NULL: from another topic */
    struct claim_sight sight;      /* of another worker's claim on the request */
    int64_t trouble_unix_s;        /* since when it cannot be worked on; 0: it can */
    bool told;                     /* the portal has got `accepted` */
    enum item_fate fate;           /* set by the worker, as the next two */
    enum item_outcome outcome;
    struct outgoing *answers; /* what is to be published with its offset; may be NULL */
    int64_t later_ms;

    struct item *next;
    struct partition *partition;
    uint64_t epoch;     /* the partition's when it came; an older one makes the item an orphan */
    int64_t due_unix_s; /* when the request is due as far as the message says; 0: it does not */
    int64_t not_before_unix_ms;
    unsigned n_aborts; /* of transactions that it was part of */
};

/* For a worker that can do nothing at the moment: to be looked at again after a pause that grows each time, up to a
 * minute. */
void item_later(struct item *item);

/* For a worker whose answers are not to be published after all. */
void item_drop_answers(struct item *item);

/* Frees it with its message and its answers. */
void item_free(struct item *item);

/* Items in the order in which they came. */
struct item_list {
    struct item *first;
    struct item **last;
    size_t n;
};

void item_list_init(struct item_list *list);
void item_list_add(struct item_list *list, struct item *item);
void item_list_remove(struct item_list *list, struct item *item);
void item_list_free(struct item_list *list);

#endif
