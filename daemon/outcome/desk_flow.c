#include "base/clock.h"
#include "outcome/parts.h"

/* What parked requests may take of memory, and what those may take that are to be looked at again later. */
#define PARKED_BYTES_MAX (16u << 20)

/* What the headers of a message are taken for. */
#define HEADERS_BYTES 2048

/* Cancels that wait to be noted down. */
#define CONTROL_MAX 1000

/* What is in hand, of each kind of partition. */
struct load {
    size_t n_in_hand; /* requests that wait for a worker, are worked on or done */
    size_t n_later;   /* of the topic of requests: to be looked at again later */
    size_t n_parked;  /* of retry topics: their time has not come */
    size_t n_control;
    size_t later_bytes;
    size_t parked_bytes;
};

static size_t bytes_of(const struct item *item)
{
    return sizeof *item + item->message->key_len + item->message->len + HEADERS_BYTES;
}

static void add_list(struct load *load, const struct item_list *list, int64_t now_unix_ms)
{
    for (const struct item *item = list->first; item; item = item->next) {
        const bool waits = item->not_before_unix_ms > now_unix_ms;
        if (item->partition->kind == PARTITION_CONTROL) {
            load->n_control++;
        } else if (!waits) {
            load->n_in_hand++;
        } else if (item->partition->kind == PARTITION_RETRY) {
            load->n_parked++;
            load->parked_bytes += bytes_of(item);
        } else {
            load->n_later++;
            load->later_bytes += bytes_of(item);
        }
    }
}

/* What is done counts as in hand, whenever its next transaction is. */
static struct load load_of(const struct desk *desk)
{
    struct load load = {0};
    const int64_t now = clock_now_unix_ms();
    add_list(&load, &desk->waiting, now);
    add_list(&load, &desk->control, INT64_MAX);
    add_list(&load, &desk->running, INT64_MAX);
    add_list(&load, &desk->done, INT64_MAX);
    return load;
}

/* Stops at the limit and goes on at half of it, so that it does not change with each message. */
static bool beyond(size_t n, size_t max, bool paused)
{
    return paused ? n > max / 2 : n >= max;
}

static bool should_pause(const struct desk *desk, const struct partition *partition, const struct load *load)
{
    bool paused = partition->paused;
    if (desk->stopped)
        return true;
    if (beyond(offsets_runs(partition->offsets), desk->config->kafka.open_ranges, paused))
        return true;
    switch (partition->kind) {
    case PARTITION_REQUESTS:
        return beyond(load->n_in_hand, desk->n_max, paused) ||
               beyond(load->n_later, desk->config->work.parked_max, paused) ||
               beyond(load->later_bytes, PARKED_BYTES_MAX, paused);
    case PARTITION_RETRY:
        return beyond(load->n_in_hand, desk->n_max, paused) ||
               beyond(load->n_parked, desk->config->work.parked_max, paused) ||
               beyond(load->parked_bytes, PARKED_BYTES_MAX, paused);
    case PARTITION_CONTROL: break;
    }
    return beyond(load->n_control, CONTROL_MAX, paused);
}

int desk_flow(struct desk *desk, struct desk_flow *flow, struct fault *fault)
{
    flow->pause = rd_kafka_topic_partition_list_new(1);
    flow->resume = rd_kafka_topic_partition_list_new(1);
    if (!flow->pause || !flow->resume)
        return fault_retry(fault, "no_memory", "no memory for a list of partitions");
    pthread_mutex_lock(&desk->lock);
    const struct load load = load_of(desk);
    for (struct partition *partition = desk->holdings.partitions; partition; partition = partition->next) {
        bool pause = partition->owned && should_pause(desk, partition, &load);
        if (!partition->owned || pause == partition->paused)
            continue;
        rd_kafka_topic_partition_list_add(pause ? flow->pause : flow->resume, partition->topic,
                                          partition->number);
        partition->paused = pause;
    }
    pthread_mutex_unlock(&desk->lock);
    return 0;
}

static void count(struct desk_census *census, const struct item_list *list, int64_t at_risk_unix_s)
{
    for (const struct item *item = list->first; item; item = item->next) {
        if (item->due_unix_s == 0)
            continue;
        census->n_at_risk += item->due_unix_s < at_risk_unix_s;
        if (census->next_due_unix_s == 0 || item->due_unix_s < census->next_due_unix_s)
            census->next_due_unix_s = item->due_unix_s;
    }
}

void desk_count(struct desk *desk, struct desk_census *census)
{
    *census = (struct desk_census){0};
    pthread_mutex_lock(&desk->lock);
    const struct load load = load_of(desk);
    int64_t at_risk_unix_s = clock_now_unix_s() + (int64_t)desk->config->retry.margin_s;
    census->n_parked = load.n_parked + load.n_later;
    census->n_waiting = desk->waiting.n - census->n_parked;
    census->n_running = desk->running.n;
    census->n_done = desk->done.n;
    count(census, &desk->waiting, at_risk_unix_s);
    count(census, &desk->running, at_risk_unix_s);
    count(census, &desk->done, at_risk_unix_s);
    pthread_mutex_unlock(&desk->lock);
}
