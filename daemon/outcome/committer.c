#include "outcome/committer.h"

#include "base/clock.h"

#define BATCH_MAX 200
#define AGAIN_MS  500

/* Producers that follow one another so fast are fenced off by another process, time and again. */
#define RENEWALS_MAX       4
#define RENEWALS_WITHIN_MS 120000

struct renewals {
    int64_t at_ms[RENEWALS_MAX];
    size_t n;
};

static int too_often(struct renewals *renewals, const struct config *config, struct fault *fault)
{
    int64_t now = clock_now_ms(), *oldest = &renewals->at_ms[renewals->n++ % RENEWALS_MAX];
    int64_t since = renewals->n > RENEWALS_MAX ? now - *oldest : RENEWALS_WITHIN_MS;
    *oldest = now;
    if (since >= RENEWALS_WITHIN_MS)
        return 0;
    return fault_set(
        fault, "fenced",
        "kafka: producers fail one after another: is another process using the transactional id %s? "
        "Each worker needs one of its own",
        config->kafka.transactional_id);
}

static int ask_committed(const struct committer *committer, rd_kafka_topic_partition_list_t *list,
                         struct fault *fault)
{
    while (consumer_committed(committer->consumer, list, fault)) {
        log_fault(committer->log, LOG_LEVEL_WARNING, NULL, "trying again", fault);
        if (cancel_wait(committer->give_up, AGAIN_MS))
            return -1;
    }
    return 0;
}

static void count_outcomes(struct committer_figures *figures, const struct batch *batch)
{
    atomic_fetch_add(&figures->n_committed, 1);
    for (const struct item *item = batch->items; item; item = item->next)
        atomic_fetch_add(&figures->n_outcomes[item->outcome], 1);
}

static void settle(struct committer *committer, struct batch *batch, bool committed)
{
    if (committed)
        count_outcomes(committer->figures, batch);
    desk_settle(committer->desk, batch, committed);
}

/* Finds out what became of a transaction whose producer can do no more. Settles the batch in any case. */
static int resolve(struct committer *committer, struct batch *batch, struct fault *fault)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_copy(batch->offsets);
    bool committed = false;
    int result = publisher_renew(committer->publisher, committer->give_up, fault) ||
                         ask_committed(committer, list, fault) ||
                         desk_find_committed(committer->desk, batch, list, &committed, fault)
                     ? -1
                     : 0;
    settle(committer, batch, committed);
    rd_kafka_topic_partition_list_destroy(list);
    return result;
}

int committer_run(struct committer *committer, struct fault *fault)
{
    struct renewals renewals = {.n = 0};
    struct batch batch;
    while (desk_batch(committer->desk, BATCH_MAX, &batch)) {
        size_t n_items = batch.n_items;
        switch (publisher_commit(committer->publisher, &batch, committer->give_up, fault)) {
        case PUBLISHER_COMMITTED:
            settle(committer, &batch, true);
            log_line(committer->log, LOG_LEVEL_DEBUG, NULL, "%zu outcomes committed in one transaction",
                     n_items);
            break;
        case PUBLISHER_ABORTED:
            settle(committer, &batch, false);
            atomic_fetch_add(&committer->figures->n_aborted, 1);
            log_fault(committer->log, LOG_LEVEL_WARNING, NULL,
                      "a transaction was aborted and will be made again", fault);
            /* What was on its way may have arrived, though its answer has not: librdkafka (2.0.2) then gives its sequence
             * number to a message of the next transaction, which the broker takes for a copy. A new producer has numbers
             * of its own. */
            if (publisher_renew(committer->publisher, committer->give_up, fault))
                return -1;
            break;
        case PUBLISHER_UNKNOWN:
            atomic_fetch_add(&committer->figures->n_resolved, 1);
            log_fault(committer->log, LOG_LEVEL_WARNING, NULL,
                      "what became of a transaction is being found out", fault);
            if (cancel_raised(committer->give_up) || too_often(&renewals, committer->config, fault)) {
                settle(committer, &batch, false);
                return -1;
            }
            if (resolve(committer, &batch, fault))
                return -1;
            break;
        }
    }
    return 0;
}
