#include "base/clock.h"
#include "base/cond.h"
#include "outcome/parts.h"

/* Before an item of an aborted transaction is tried again. */
#define ABORT_PAUSE_MS     500
#define ABORT_PAUSE_MAX_MS 60000

static int64_t abort_pause_ms(unsigned n_aborts)
{
    int64_t pause_ms = ABORT_PAUSE_MS;
    for (unsigned i = 1; i < n_aborts && pause_ms < ABORT_PAUSE_MAX_MS; i++)
        pause_ms *= 2;
    return pause_ms < ABORT_PAUSE_MAX_MS ? pause_ms : ABORT_PAUSE_MAX_MS;
}

/* Takes an item into the batch, unless a commit cannot tell of it yet. */
static bool stage(struct desk *desk, struct batch *batch, struct item ***last, struct item *item)
{
    if (!offsets_stage(item->partition->offsets, item->message->offset))
        return false;
    item_list_remove(&desk->done, item);
    item->next = NULL;
    **last = item;
    *last = &item->next;
    batch->n_items++;
    return true;
}

static void choose_fresh(struct desk *desk, size_t n_max, struct batch *batch)
{
    struct item **last = &batch->items;
    for (struct item *item = desk->done.first, *next; item && batch->n_items < n_max; item = next) {
        next = item->next;
        if (item->n_aborts == 0)
            stage(desk, batch, &last, item);
    }
}

static void choose_aborted(struct desk *desk, struct batch *batch)
{
    struct item **last = &batch->items;
    int64_t now = clock_now_unix_ms();
    for (struct item *item = desk->done.first, *next; item && batch->n_items == 0; item = next) {
        next = item->next;
        if (item->n_aborts && item->not_before_unix_ms <= now)
            stage(desk, batch, &last, item);
    }
}

/* In turns: all that was never aborted, and one that was, when its time has come. */
static void choose(struct desk *desk, size_t n_max, struct batch *batch)
{
    if (!desk->tried_aborted)
        choose_aborted(desk, batch);
    desk->tried_aborted = batch->n_items;
    if (!batch->n_items)
        choose_fresh(desk, n_max, batch);
    if (!batch->n_items)
        choose_aborted(desk, batch);
}

/* Stages all before the first element is written: the text of a partition tells of all of its items. */
static int fill(struct desk *desk, size_t n_max, struct batch *batch, struct fault *fault)
{
    *batch = (struct batch){.offsets = rd_kafka_topic_partition_list_new(4)};
    desk_drop_orphans(&desk->done);
    choose(desk, n_max, batch);
    batch->membership = desk->holdings.membership;
    if (batch->membership) {
        batch->membership->n_users++;
        batch->group = batch->membership->group;
    }
    for (const struct item *item = batch->items; item; item = item->next)
        if (!rd_kafka_topic_partition_list_find(batch->offsets, item->partition->topic,
                                                item->partition->number) &&
            partition_commit(item->partition, batch->offsets, fault))
            return -1;
    return 0;
}

enum ending { COMMITTED, ABORTED, NOT_BEGUN };

static void settle(struct desk *desk, struct batch *batch, enum ending ending)
{
    for (struct item *item = batch->items; item; item = item->next)
        if (!item_is_orphan(item))
            offsets_settle(item->partition->offsets, ending == COMMITTED);
    for (struct item *item = batch->items, *next; item; item = next) {
        next = item->next;
        if (ending == COMMITTED || item_is_orphan(item)) {
            item_free(item);
            continue;
        }
        if (ending == ABORTED)
            item->not_before_unix_ms = clock_now_unix_ms() + abort_pause_ms(++item->n_aborts);
        item_list_add(&desk->done, item);
    }
    rd_kafka_topic_partition_list_destroy(batch->offsets);
    membership_leave(batch->membership);
    *batch = (struct batch){0};
    desk->in_transaction = NULL;
}

bool desk_batch(struct desk *desk, size_t n_max, struct batch *batch)
{
    struct fault fault;
    pthread_mutex_lock(&desk->lock);
    for (;;) {
        while (!desk->done.first && !desk->closed)
            pthread_cond_wait(&desk->changed, &desk->lock);
        if (desk->closed)
            break;
        if (fill(desk, n_max, batch, &fault) == 0 && batch->n_items)
            break;
        /* without memory, or what is done has to wait */
        settle(desk, batch, NOT_BEGUN);
        pthread_cond_broadcast(&desk->changed);
        if (desk->done.first)
            cond_wait_until(&desk->changed, &desk->lock, clock_now_ms() + 100);
    }
    desk->in_transaction = desk->closed ? NULL : batch->items;
    bool more = !desk->closed;
    pthread_mutex_unlock(&desk->lock);
    return more;
}

void desk_settle(struct desk *desk, struct batch *batch, bool committed)
{
    pthread_mutex_lock(&desk->lock);
    settle(desk, batch, committed ? COMMITTED : ABORTED);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

/* A transaction is committed as a whole, so any item of it that is still ours tells of all. */
static int find_committed(const struct batch *batch, const rd_kafka_topic_partition_list_t *committed,
                          bool *is, struct fault *fault)
{
    const struct item *item = batch->items;
    *is = false;
    while (item && item_is_orphan(item))
        item = item->next;
    const rd_kafka_topic_partition_t *found =
        item ? rd_kafka_topic_partition_list_find((rd_kafka_topic_partition_list_t *)(uintptr_t)committed,
                                                  item->partition->topic, item->partition->number)
             : NULL;
    if (!found || found->offset < 0)
        return 0;
    struct offsets *offsets;
    if (offsets_new(&offsets, found->offset, found->metadata, found->metadata_size, fault))
        return -1;
    *is = offsets_done(offsets, item->message->offset);
    offsets_free(offsets);
    return 0;
}

int desk_find_committed(struct desk *desk, const struct batch *batch,
                        const rd_kafka_topic_partition_list_t *committed, bool *is, struct fault *fault)
{
    pthread_mutex_lock(&desk->lock);
    int result = find_committed(batch, committed, is, fault);
    pthread_mutex_unlock(&desk->lock);
    return result;
}
