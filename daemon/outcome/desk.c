#include "outcome/desk.h"

#include "base/clock.h"
#include "base/cond.h"
#include "outcome/parts.h"

#include <stdlib.h>
#include <string.h>

/* The longest sleep of a worker without a look at what waits: the clock may be set. */
#define LOOK_AGAIN_MS 60000

/* Before an item is taken for which there was no descriptor. */
#define NO_MEANS_MS 1000

int desk_new(struct desk **desk, const struct config *config, struct fault *fault)
{
    struct desk *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the requests in hand");
    pthread_mutex_init(&new->lock, NULL);
    cond_init(&new->changed);
    new->config = new->holdings.config = config;
    new->n_max = (size_t)config->work.concurrent_requests * 2;
    item_list_init(&new->waiting);
    item_list_init(&new->control);
    item_list_init(&new->running);
    item_list_init(&new->done);
    *desk = new;
    return 0;
}

void desk_free(struct desk *desk)
{
    if (!desk)
        return;
    item_list_free(&desk->waiting);
    item_list_free(&desk->control);
    item_list_free(&desk->running);
    item_list_free(&desk->done);
    holdings_wipe(&desk->holdings);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

/* --- partitions come and go --- */

int desk_assign(struct desk *desk, rd_kafka_topic_partition_list_t *partitions,
                rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
{
    pthread_mutex_lock(&desk->lock);
    int result = holdings_take(&desk->holdings, partitions, group, fault);
    pthread_mutex_unlock(&desk->lock);
    return result;
}

void desk_drop_orphans(struct item_list *list)
{
    for (struct item *item = list->first, *next; item; item = next) {
        next = item->next;
        if (!item_is_orphan(item))
            continue;
        item_list_remove(list, item);
        item_free(item);
    }
}

/* Whether there is something that a transaction may publish soon: what was aborted before is not waited for. */
static bool is_publishing(const struct desk *desk)
{
    const struct item *item = desk->done.first;
    while (item && item->n_aborts)
        item = item->next;
    return desk->in_transaction || item;
}

void desk_revoke(struct desk *desk, const rd_kafka_topic_partition_list_t *partitions, bool lost, int wait_ms)
{
    int64_t until_ms = clock_now_ms() + wait_ms;
    pthread_mutex_lock(&desk->lock);
    while (!lost && !desk->closed && is_publishing(desk) && clock_now_ms() < until_ms)
        cond_wait_until(&desk->changed, &desk->lock, until_ms);
    holdings_give_up(&desk->holdings, partitions);
    desk_drop_orphans(&desk->waiting);
    desk_drop_orphans(&desk->control);
    desk_drop_orphans(&desk->done);
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

/* A parked message waits from the time that Kafka has of it; one of the future counts as of now. */
static int64_t ripe_at(const rd_kafka_message_t *message, const struct retry_tier *tier)
{
    rd_kafka_timestamp_type_t type;
    int64_t now = clock_now_unix_ms(), parked = rd_kafka_message_timestamp(message, &type);
    return tier ? (parked > 0 && parked < now ? parked : now) + (int64_t)tier->delay_s * 1000 : 0;
}

static struct item *find_orphan(const struct desk *desk, const struct partition *partition, int64_t offset)
{
    struct item *item = desk->running.first;
    while (item && (item->partition != partition || item->message->offset != offset))
        item = item->next;
    return item;
}

static int make_item(struct desk *desk, rd_kafka_message_t *message, struct partition *partition,
                     int64_t due_unix_s, struct fault *fault)
{
    struct item *item = calloc(1, sizeof *item);
    if (!item)
        return fault_retry(fault, "no_memory", "no memory for a request");
    item->message = message;
    item->received_unix_s = arrival(message);
    item->tier = partition->tier;
    item->partition = partition;
    item->epoch = partition->epoch;
    item->due_unix_s = due_unix_s;
    item->not_before_unix_ms = ripe_at(message, partition->tier);
    item_list_add(partition->kind == PARTITION_CONTROL ? &desk->control : &desk->waiting, item);
    pthread_cond_broadcast(&desk->changed);
    return 0;
}

int desk_put(struct desk *desk, rd_kafka_message_t *message, int64_t due_unix_s, struct fault *fault)
{
    int result = 0;
    bool wanted = false;
    pthread_mutex_lock(&desk->lock);
    struct partition *partition =
        holdings_find(&desk->holdings, rd_kafka_topic_name(message->rkt), message->partition);
    if (partition && partition->owned && !desk->stopped)
        result = offsets_delivered(partition->offsets, message->offset, &wanted, fault);
    if (wanted) {
        struct item *orphan = find_orphan(desk, partition, message->offset);
        if (orphan) {
            orphan->epoch = partition->epoch;
            wanted = false;
        } else {
            result = make_item(desk, message, partition, due_unix_s, fault);
            wanted = result == 0;
        }
    }
    pthread_mutex_unlock(&desk->lock);
    if (!wanted)
        rd_kafka_message_destroy(message);
    return result;
}

/* --- workers --- */

/* Of the items whose time has come the one that is due first. *wait_ms is when to look again. */
static struct item *next_item(const struct desk *desk, enum desk_tray tray, int64_t *wait_ms)
{
    struct item *first = NULL;
    int64_t now = clock_now_unix_ms();
    *wait_ms = LOOK_AGAIN_MS;
    for (struct item *item = (tray == DESK_CONTROL ? &desk->control : &desk->waiting)->first; item;
         item = item->next) {
        if (item->not_before_unix_ms > now) {
            if (item->not_before_unix_ms - now < *wait_ms)
                *wait_ms = item->not_before_unix_ms - now;
        } else if (!first || item->due_unix_s < first->due_unix_s) {
            first = item;
        }
    }
    return first;
}

/* The flag is made only now: descriptors are few, and messages that wait may be many. */
static bool begin(struct desk *desk, struct item *item)
{
    struct fault ignored;
    if (cancel_new(&item->cancel, &ignored)) {
        item->not_before_unix_ms = clock_now_unix_ms() + NO_MEANS_MS;
        return false;
    }
    item_list_remove(item->partition->kind == PARTITION_CONTROL ? &desk->control : &desk->waiting, item);
    item_list_add(&desk->running, item);
    return true;
}

struct item *desk_take(struct desk *desk, enum desk_tray tray)
{
    struct item *item = NULL;
    int64_t wait_ms;
    pthread_mutex_lock(&desk->lock);
    while (!desk->stopped) {
        item = next_item(desk, tray, &wait_ms);
        if (item && begin(desk, item))
            break;
        if (!item)
            cond_wait_until(&desk->changed, &desk->lock, clock_now_ms() + wait_ms);
        item = NULL;
    }
    pthread_mutex_unlock(&desk->lock);
    return item;
}

static void put_back(struct desk *desk, struct item *item, int64_t after_ms)
{
    item->not_before_unix_ms = clock_now_unix_ms() + after_ms;
    item_list_add(item->partition->kind == PARTITION_CONTROL ? &desk->control : &desk->waiting, item);
}

void desk_finish(struct desk *desk, struct item *item)
{
    pthread_mutex_lock(&desk->lock);
    const bool cancelled = cancel_raised(item->cancel);
    item_list_remove(&desk->running, item);
    cancel_free(item->cancel);
    item->cancel = NULL;
    if (item->fate == ITEM_DROPPED || item_is_orphan(item)) {
        item_free(item);
    } else if (item->fate == ITEM_LATER) {
        put_back(desk, item, item->later_ms);
    } else if (item->outcome == OUTCOME_PARKED && cancelled && !desk->stopped) {
        /* withdrawn just when it was to wait for long: it can end now */
        outgoing_free(item->answers);
        item->answers = NULL;
        put_back(desk, item, 0);
    } else {
        item->not_before_unix_ms = 0;
        item_list_add(&desk->done, item);
    }
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}

bool desk_owns(struct desk *desk, const struct item *item)
{
    pthread_mutex_lock(&desk->lock);
    bool owns = !item_is_orphan(item);
    pthread_mutex_unlock(&desk->lock);
    return owns;
}

static bool is_about(const struct item *item, const char *request)
{
    size_t len = strlen(request);
    return item->partition->kind != PARTITION_CONTROL && item->message->key_len == len &&
           memcmp(item->message->key, request, len) == 0;
}

bool desk_withdraw(struct desk *desk, const char *request)
{
    bool in_hand = false;
    pthread_mutex_lock(&desk->lock);
    for (struct item *item = desk->running.first; item; item = item->next) {
        if (!is_about(item, request))
            continue;
        cancel_raise(item->cancel);
        in_hand = true;
    }
    for (struct item *item = desk->waiting.first; item; item = item->next) {
        if (!is_about(item, request))
            continue;
        item->not_before_unix_ms = 0;
        in_hand = true;
    }
    for (const struct item *item = desk->done.first; item; item = item->next)
        in_hand = in_hand || is_about(item, request);
    for (const struct item *item = desk->in_transaction; item; item = item->next)
        in_hand = in_hand || is_about(item, request);
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
    return in_hand;
}

/* --- leaving --- */

void desk_stop(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->stopped = true;
    item_list_free(&desk->waiting);
    item_list_free(&desk->control);
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

void desk_close(struct desk *desk)
{
    pthread_mutex_lock(&desk->lock);
    desk->closed = true;
    pthread_cond_broadcast(&desk->changed);
    pthread_mutex_unlock(&desk->lock);
}
