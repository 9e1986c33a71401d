/* parts: what the desk is made of, for the files that share it: desk.c (messages, workers), desk_flow.c (what is read from),
 * desk_commit.c (transactions). For this room only. */
#ifndef DSAR_OUTCOME_PARTS_H
#define DSAR_OUTCOME_PARTS_H

#include "outcome/desk.h"
#include "outcome/holdings.h"

#include <pthread.h>

struct desk {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* few threads wait here, and things change seldom: one condition serves all */
    const struct config *config;
    size_t n_max; /* requests in hand that are not parked */
    struct holdings holdings;
    struct item_list waiting; /* parked ones too: their time has not come */
    struct item_list control;
    struct item_list running;
    struct item_list done;
    const struct item *in_transaction; /* the items of the batch that is being committed */
    bool tried_aborted;                /* the last batch was of an item of an aborted transaction */
    bool stopped;
    bool closed;
};

/* Frees the items of partitions that are no longer ours. */
void desk_drop_orphans(struct item_list *list);

#endif
