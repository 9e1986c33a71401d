#include "outcome/serve.h"

#include "base/clock.h"
#include "intake/consumer.h"
#include "outcome/answer.h"

#include <pthread.h>
#include <stdlib.h>

#define BATCH_MAX     200
#define POLL_MS       50
#define REVOKE_MS     20000
#define GRACE_MS      25000 /* less than the 30 s that container runtimes give between SIGTERM and SIGKILL */
#define ABORT_WAIT_MS 500

struct server {
    const struct serve_options *options;
    struct log *log;
    struct desk *desk;
    struct consumer *consumer;
    struct publisher *publisher;
    struct answerer answerer;
    struct cancel *give_up; /* ends the commit thread's tries */
    pthread_t *workers;
    size_t n_workers;
    pthread_t committer;
    bool committing;
    pthread_mutex_t lock;
    bool failed; /* under the lock, as the fault */
    struct fault fault;
};

static void fail(struct server *server, const struct fault *fault)
{
    pthread_mutex_lock(&server->lock);
    if (!server->failed)
        server->fault = *fault;
    server->failed = true;
    pthread_mutex_unlock(&server->lock);
}

static bool has_failed(struct server *server, struct fault *fault)
{
    pthread_mutex_lock(&server->lock);
    bool failed = server->failed;
    if (failed)
        *fault = server->fault;
    pthread_mutex_unlock(&server->lock);
    return failed;
}

/* --- threads --- */

static void *work(void *arg)
{
    struct server *server = arg;
    struct item *item;
    while ((item = desk_take(server->desk)) != NULL) {
        answer_item(&server->answerer, item);
        desk_finish(server->desk, item);
    }
    return NULL;
}

static void *commit(void *arg)
{
    struct server *server = arg;
    struct batch batch;
    struct fault fault;
    while (desk_batch(server->desk, BATCH_MAX, &batch)) {
        size_t n_items = batch.n_items;
        enum publisher_verdict verdict = publisher_commit(server->publisher, &batch, server->give_up, &fault);
        desk_settle(server->desk, &batch, verdict == PUBLISHER_COMMITTED);
        if (verdict == PUBLISHER_COMMITTED) {
            log_line(server->log, LOG_LEVEL_DEBUG, NULL, "%zu outcomes committed in one transaction",
                     n_items);
        } else if (verdict == PUBLISHER_ABORTED) {
            log_fault(server->log, LOG_LEVEL_WARNING, NULL,
                      "a transaction was aborted and will be made again", &fault);
            cancel_wait(server->give_up, ABORT_WAIT_MS);
        } else {
            fail(server, &fault);
            desk_close(server->desk);
        }
    }
    return NULL;
}

/* --- rebalances, on the polling thread --- */

static int assigned(void *ctx, rd_kafka_topic_partition_list_t *partitions,
                    rd_kafka_consumer_group_metadata_t *group, struct fault *fault)
{
    struct server *server = ctx;
    log_line(server->log, LOG_LEVEL_INFO, NULL, "%d partitions assigned", partitions->cnt);
    return desk_assign(server->desk, partitions, group, fault);
}

static void revoked(void *ctx, const rd_kafka_topic_partition_list_t *partitions, bool lost)
{
    struct server *server = ctx;
    log_line(server->log, LOG_LEVEL_INFO, NULL, "%d partitions %s", partitions->cnt,
             lost ? "lost" : "revoked");
    desk_revoke(server->desk, partitions, lost, REVOKE_MS);
}

/* --- a worker's life --- */

static int open_all(struct server *server, struct fault *fault)
{
    const struct exporter *exporter = server->options->exporter;
    const struct config *config = exporter->config;
    const struct consumer_callbacks callbacks = {.assigned = assigned, .revoked = revoked, .ctx = server};
    if (!config->requests.require_signature)
        log_line(server->log, LOG_LEVEL_WARNING, NULL,
                 "requests need no signature: whoever can write to topic %s can ask for anybody's data",
                 config->kafka.topics.requests);
    if (cancel_new(&server->give_up, fault) ||
        desk_new(&server->desk, (size_t)config->work.concurrent_requests * 2, fault) ||
        publisher_open(&server->publisher, config, server->log, server->options->leave, fault) ||
        consumer_open(&server->consumer, config, server->log, &callbacks, fault))
        return -1;
    server->answerer =
        (struct answerer){.exporter = server->options->exporter, .publisher = server->publisher};
    return 0;
}

static int start_threads(struct server *server, struct fault *fault)
{
    size_t n = server->options->exporter->config->work.concurrent_requests;
    server->workers = calloc(n, sizeof *server->workers);
    if (!server->workers)
        return fault_retry(fault, "no_memory", "no memory for the workers");
    if (pthread_create(&server->committer, NULL, commit, server))
        return fault_retry(fault, "no_process", "no thread for commits");
    server->committing = true;
    while (server->n_workers < n) {
        if (pthread_create(&server->workers[server->n_workers], NULL, work, server))
            return fault_retry(fault, "no_process", "no thread for a worker");
        server->n_workers++;
    }
    return 0;
}

static int poll_once(struct server *server, struct fault *fault)
{
    rd_kafka_message_t *message;
    if (consumer_poll(server->consumer, POLL_MS, &message, fault))
        return -1;
    return message ? desk_put(server->desk, message, fault) : 0;
}

static int poll_until_told(struct server *server, struct fault *fault)
{
    while (!cancel_raised(server->options->leave)) {
        if (desk_full(server->desk))
            consumer_pause(server->consumer, true);
        else if (desk_has_room(server->desk))
            consumer_pause(server->consumer, false);
        if (has_failed(server, fault) || poll_once(server, fault))
            return -1;
    }
    return 0;
}

/* Keeps its place in the group while what is going on comes to its end. */
static void let_finish(struct server *server)
{
    struct fault fault;
    int64_t until_ms = clock_now_ms() + GRACE_MS;
    size_t n = desk_n_running(server->desk);
    if (n)
        log_line(server->log, LOG_LEVEL_INFO, NULL, "leaving: waiting for %zu requests", n);
    consumer_pause(server->consumer, true);
    while (desk_n_running(server->desk) && clock_now_ms() < until_ms &&
           !cancel_raised(server->options->now) && !has_failed(server, &fault))
        if (poll_once(server, &fault))
            return;
}

static void leave(struct server *server, bool in_peace)
{
    if (server->desk)
        desk_stop(server->desk);
    if (in_peace)
        let_finish(server);
    if (server->desk)
        desk_cancel_all(server->desk);
    for (size_t i = 0; i < server->n_workers; i++)
        pthread_join(server->workers[i], NULL);
    if (!in_peace && server->give_up)
        cancel_raise(server->give_up);
    /* messages belong to the consumer, so they go before it; what is done is published while it is closed */
    if (server->consumer)
        consumer_leave(server->consumer);
    if (server->give_up)
        cancel_raise(server->give_up);
    if (server->desk)
        desk_close(server->desk);
    if (server->committing)
        pthread_join(server->committer, NULL);
    desk_free(server->desk);
    consumer_close(server->consumer);
    publisher_close(server->publisher);
    cancel_free(server->give_up);
    free(server->workers);
}

int serve(const struct serve_options *options, struct fault *fault)
{
    struct server server = {.options = options, .log = options->exporter->log};
    pthread_mutex_init(&server.lock, NULL);
    int result =
        open_all(&server, fault) || start_threads(&server, fault) ? -1 : poll_until_told(&server, fault);
    leave(&server, result == 0);
    if (cancel_raised(options->leave))
        result = 0; /* also when it was told to leave before Kafka could be reached */
    if (result == 0 && server.failed) {
        *fault = server.fault;
        result = -1;
    }
    pthread_mutex_destroy(&server.lock);
    return result;
}
