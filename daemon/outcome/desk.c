#include "outcome/desk.h"

#include "base/clock.h"
#include "outcome/offsets.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct partition {
    struct partition *next;
    char *topic;
    int32_t number;
    bool owned;
    uint64_t epoch;
    struct offsets *offsets; /* NULL when not owned */
};

/* A membership of the consumer group: kept while a batch still speaks for it. */
struct membership {
    unsigned n_users;
    rd_kafka_consumer_group_metadata_t *group;
};

struct list {
    struct item *first;
    struct item **last;
    size_t n;
};

struct desk {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* few threads wait here, and things change seldom: one condition serves all */
    size_t n_max;
    struct partition *partitions;
    struct membership *membership;
    struct list waiting;
    struct list running;
    struct list done;
    bool committing;
    bool stopped;
    bool closed;
};

static void list_init(struct list *list)
{
    *list = (struct list){.last = &list->first};
}

static void list_add(struct list *list, struct item *item)
{
    item->next = NULL;
    *list->last = item;
    list->last = &item->next;
    list->n++;
}

static void list_remove(struct list *list, struct item *item)
{
    struct item **at = &list->first;
    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    if (list->last == &item->next)
        list->last = at;
    list->n--;
}

static void item_free(struct item *item)
{
    if (item->message)
        rd_kafka_message_destroy(item->message);
    outgoing_free(item->answers);
    cancel_free(item->cancel);
    free(item);
}

static bool is_orphan(const struct item *item)
{
    return !item->partition->owned || item->partition->epoch != item->epoch;
}

static void drop_orphans(struct list *list)
{
    for (struct item *item = list->first, *next; item; item = next) {
        next = item->next;
        if (!is_orphan(item))
            continue;
        list_remove(list, item);
        item_free(item);
    }
}

static void membership_leave(struct membership *membership)
{
    if (!membership || --membership->n_users)
        return;
    rd_kafka_consumer_group_metadata_destroy(membership->group);
    free(membership);
}

int desk_new(struct desk **desk, size_t n_max, struct fault *fault)
{
    struct desk *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the requests in hand");
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&new->lock, NULL);
    pthread_cond_init(&new->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    new->n_max = n_max;
    list_init(&new->waiting);
    list_init(&new->running);
    list_init(&new->done);
    *desk = new;
    return 0;
}

static void list_free(struct list *list)
{
    while (list->first) {
        struct item *item = list->first;
        list_remove(list, item);
        item_free(item);
    }
}

void desk_free(struct desk *desk)
{
    if (!desk)
        return;
    list_free(&desk->waiting);
    list_free(&desk->running);
    list_free(&desk->done);
    while (desk->partitions) {
        struct partition *partition = desk->partitions;
        desk->partitions = partition->next;
        offsets_free(partition->offsets);
        free(partition->topic);
        free(partition);
    }
    membership_leave(desk->membership);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* --- partitions come and go --- */

static struct partition *find_partition(struct desk *desk, const char *topic, int32_t number)
{
    struct partition *partition = desk->partitions;
    while (partition && (partition->number != number || strcmp(partition->topic, topic) != 0))
        partition = partition->next;
    return partition;
}

static struct partition *make_partition(struct desk *desk, const char *topic, int32_t number)
{
    struct partition *partition = calloc(1, sizeof *partition);
    char *copy = strdup(topic);
    if (!partition || !copy) {
        free(partition);
        free(copy);
        return NULL;
    }
    *partition = (struct partition){.next = desk->partitions, .topic = copy, .number = number};
    desk->partitions = partition;
    return partition;
}

static int assign_one(struct desk *desk, rd_kafka_topic_partition_t *assigned, struct fault *fault)
{
    struct partition *partition = find_partition(desk, assigned->topic, assigned->partition);
    if (!partition)
        partition = make_partition(desk, assigned->topic, assigned->partition);
    if (!partition)
        return fault_retry(fault, "no_memory", "no memory for partition %s/%d", assigned->topic,
                           (int)assigned->partition);
    bool committed = assigned->offset >= 0;
    offsets_free(partition->offsets);
    partition->offsets = NULL;
    if (offsets_new(&partition->offsets, committed ? assigned->offset : 0,
                    committed ? assigned->metadata : NULL, assigned->metadata_size, fault))
        return fault_prefix(fault, "partition %s/%d", assigned->topic, (int)assigned->partition);
    partition->owned = true;
    partition->epoch++;
    if (!committed)
        assigned->offset = RD_KAFKA_OFFSET_BEGINNING;
    return 0;
}

int desk_assign(struct desk *desk, rd_kafka_topic_partition_list_t *partitions,
                rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
{
    struct membership *membership = calloc(1, sizeof *membership);
    if (!membership) {
        rd_kafka_consumer_group_metadata_destroy(group);
        return fault_retry(fault, "no_memory", "no memory for a membership of the consumer group");
    }
    *membership = (struct membership){.n_users = 1, .group = group};
    pthread_mutex_lock(&desk->lock);
    membership_leave(desk->membership);
    desk->membership = membership;
    int result = 0;
    for (int i = 0; result == 0 && i < partitions->cnt; i++)
        result = assign_one(desk, &partitions->elems[i], fault);
    pthread_mutex_unlock(&desk->lock);
    return result;
}

static void wait_until(struct desk *desk, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_cond_timedwait(&desk->changed, &desk->lock, &until);
}

void desk_revoke(struct desk *desk, const rd_kafka_topic_partition_list_t *partitions, bool lost, int wait_ms)
{
    int64_t until_ms = clock_now_ms() + wait_ms;
    pthread_mutex_lock(&desk->lock);
    while (!lost && !desk->closed && (desk->committing || desk->done.n) && clock_now_ms() < until_ms)
        wait_until(desk, until_ms);
    for (int i = 0; i < partitions->cnt; i++) {
        struct partition *partition =
            find_partition(desk, partitions->elems[i].topic, partitions->elems[i].partition);
        if (!partition)
            continue;
        partition->owned = false;
        partition->epoch++;
        offsets_free(partition->offsets);
        partition->offsets = NULL;
    }
    drop_orphans(&desk->waiting);
    drop_orphans(&desk->done);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

/* --- messages come --- */

static int64_t arrival(const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    return type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && ms > 0 ? ms / 1000 : clock_now_unix_s();
}

static struct item *find_orphan(const struct desk *desk, const struct partition *partition, int64_t offset)
{
    struct item *item = desk->running.first;
    while (item && (item->partition != partition || item->message->offset != offset))
        item = item->next;
    return item;
}

static int make_item(struct desk *desk, rd_kafka_message_t *message, struct partition *partition,
                     struct fault *fault)
{
    struct item *item = calloc(1, sizeof *item);
    if (!item)
        return fault_retry(fault, "no_memory", "no memory for a request");
    if (cancel_new(&item->cancel, fault)) {
        free(item);
        return -1;
    }
    item->message = message;
    item->received_unix_s = arrival(message);
    item->partition = partition;
    item->epoch = partition->epoch;
    list_add(&desk->waiting, item);
    pthread_cond_broadcast(&desk->changed);
    return 0;
}

int desk_put(struct desk *desk, rd_kafka_message_t *message, struct fault *fault)
{
    int result = 0;
    bool wanted = false;
    pthread_mutex_lock(&desk->lock);
    struct partition *partition = find_partition(desk, rd_kafka_topic_name(message->rkt), message->partition);
    if (partition && partition->owned && !desk->stopped)
        result = offsets_delivered(partition->offsets, message->offset, &wanted, fault);
    if (wanted) {
        struct item *orphan = find_orphan(desk, partition, message->offset);
        if (orphan) {
            orphan->epoch = partition->epoch;
            wanted = false;
        } else {
            result = make_item(desk, message, partition, fault);
            wanted = result == 0;
        }
    }
    pthread_mutex_unlock(&desk->lock);
    if (!wanted)
        rd_kafka_message_destroy(message);
    return result;
}

static size_t in_hand(const struct desk *desk)
{
    return desk->waiting.n + desk->running.n + desk->done.n;
}

bool desk_full(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    bool full = in_hand(desk) >= desk->n_max;
    pthread_mutex_unlock(&desk->lock);
    return full;
}

bool desk_has_room(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    bool room = in_hand(desk) <= desk->n_max / 2;
    pthread_mutex_unlock(&desk->lock);
    return room;
}

/* --- workers --- */

static bool same_key(const struct item *a, const struct item *b)
{
    return a->message->key_len == b->message->key_len && a->message->key_len > 0 &&
           memcmp(a->message->key, b->message->key, a->message->key_len) == 0;
}

/* The first that waits, but none whose request is being worked on already: what that leaves in the store is
 * the answer to a message that says the same again. */
static struct item *next_item(const struct desk *desk)
{
    for (struct item *item = desk->waiting.first; item; item = item->next) {
        const struct item *running = desk->running.first;
        while (running && !same_key(running, item))
            running = running->next;
        if (!running)
            return item;
    }
    return NULL;
}

struct item *desk_take(struct desk *desk)
{
    struct item *item = NULL;
    pthread_mutex_lock(&desk->lock);
    while (!desk->stopped && !(item = next_item(desk)))
        pthread_cond_wait(&desk->changed, &desk->lock);
    if (item) {
        list_remove(&desk->waiting, item);
        list_add(&desk->running, item);
    }
    pthread_mutex_unlock(&desk->lock);
    return item;
}

void desk_finish(struct desk *desk, struct item *item)
{
    pthread_mutex_lock(&desk->lock);
    list_remove(&desk->running, item);
    if (item->answers && !is_orphan(item))
        list_add(&desk->done, item);
    else
        item_free(item);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

/* --- the commit thread --- */

/* The element for the partition in the list of offsets, with the text of what is done above the base. */
static int add_offset(struct batch *batch, const struct partition *partition, struct fault *fault)
{
    if (rd_kafka_topic_partition_list_find(batch->offsets, partition->topic, partition->number))
        return 0;
    rd_kafka_topic_partition_t *element =
        rd_kafka_topic_partition_list_add(batch->offsets, partition->topic, partition->number);
    struct buf text;
    buf_init(&text, OFFSETS_METADATA_MAX + 64);
    int result = offsets_metadata(partition->offsets, &text, fault);
    if (result == 0 && text.len) {
        element->metadata = strdup(text.data);
        element->metadata_size = text.len;
        if (!element->metadata)
            result = fault_retry(fault, "no_memory", "no memory for a commit");
    }
    element->offset = offsets_base(partition->offsets);
    buf_wipe(&text);
    return result;
}

/* Stages all before the first element is written: the text of a partition tells of all of its items. */
static int fill(struct desk *desk, size_t n_max, struct batch *batch, struct fault *fault)
{
    *batch = (struct batch){.offsets = rd_kafka_topic_partition_list_new(4)};
    struct item **last = &batch->items;
    drop_orphans(&desk->done);
    while (desk->done.first && batch->n_items < n_max) {
        struct item *item = desk->done.first;
        list_remove(&desk->done, item);
        item->next = NULL;
        *last = item;
        last = &item->next;
        batch->n_items++;
        offsets_stage(item->partition->offsets, item->message->offset);
    }
    batch->membership = desk->membership;
    if (batch->membership) {
        batch->membership->n_users++;
        batch->group = batch->membership->group;
    }
    for (const struct item *item = batch->items; item; item = item->next)
        if (add_offset(batch, item->partition, fault))
            return -1;
    return 0;
}

static void settle(struct desk *desk, struct batch *batch, bool committed)
{
    for (struct item *item = batch->items; item; item = item->next)
        if (!is_orphan(item))
            offsets_settle(item->partition->offsets, committed);
    for (struct item *item = batch->items, *next; item; item = next) {
        next = item->next;
        if (committed || is_orphan(item))
            item_free(item);
        else
            list_add(&desk->done, item);
    }
    rd_kafka_topic_partition_list_destroy(batch->offsets);
    membership_leave(batch->membership);
    *batch = (struct batch){0};
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
        /* without memory, or all were orphans: what is left waits a moment */
        settle(desk, batch, false);
        pthread_cond_broadcast(&desk->changed);
        if (desk->done.first)
            wait_until(desk, clock_now_ms() + 100);
    }
    bool more = desk->committing = !desk->closed;
    pthread_mutex_unlock(&desk->lock);
    return more;
}

void desk_settle(struct desk *desk, struct batch *batch, bool committed)
{
    pthread_mutex_lock(&desk->lock);
    settle(desk, batch, committed);
    desk->committing = false;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

/* --- leaving --- */

void desk_stop(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->stopped = true;
    list_free(&desk->waiting);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

void desk_cancel_all(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    for (struct item *item = desk->running.first; item; item = item->next)
        cancel_raise(item->cancel);
    pthread_mutex_unlock(&desk->lock);
}

size_t desk_n_running(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    size_t n = desk->running.n;
    pthread_mutex_unlock(&desk->lock);
    return n;
}

void desk_close(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->closed = true;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}
