#include "outcome/serve.h"

#include "base/clock.h"
#include "ops/listener.h"
#include "outcome/answer.h"
#include "outcome/committer.h"
#include "outcome/figures.h"
#include "outcome/reading.h"
#include "outcome/watchdog.h"
#include "store/sweep.h"

#include <pthread.h>
#include <stdlib.h>

#define POLL_MS 50

/* How long a rebalance waits for what is done to be published. */
#define REVOKE_MS         20000
#define REVOKE_AT_ONCE_MS 2000

/* What leaving may take beyond the grace and the last transaction. */
#define LEAVE_MS 15000

struct server {
    const struct serve_options *options;
    const struct config *config;
    struct log *log;
    struct desk *desk;
    struct consumer *consumer;
    struct publisher *publisher;
    struct claims *claims;
    struct answerer answerer;
    struct committer committer;
    struct committer_figures committer_figures;
    struct figures figures;
    struct listener *listener; /* NULL: nobody is shown anything */
    struct cancel *give_up;    /* ends the tries of the committer and the sweeps */
    pthread_t *threads;
    size_t n_threads;
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
    while ((item = desk_take(server->desk, DESK_REQUESTS)) != NULL) {
        answer_request(&server->answerer, item);
        desk_finish(server->desk, item);
    }
    return NULL;
}

static void *work_control(void *arg)
{
    struct server *server = arg;
    struct item *item;
    while ((item = desk_take(server->desk, DESK_CONTROL)) != NULL) {
        answer_control(&server->answerer, item);
        desk_finish(server->desk, item);
    }
    return NULL;
}

static void *commit(void *arg)
{
    struct server *server = arg;
    struct fault fault;
    if (committer_run(&server->committer, &fault)) {
        fail(server, &fault);
        desk_close(server->desk);
    }
    return NULL;
}

static void tell_swept(struct log *log, const struct sweep_counts *counts)
{
    if (counts->n_unfinished + counts->n_unnamed + counts->n_claims)
        log_line(log, LOG_LEVEL_INFO, NULL,
                 "swept %zu unfinished objects, %zu bundles that no receipt names and %zu claims of the dead",
                 counts->n_unfinished, counts->n_unnamed, counts->n_claims);
    if (counts->n_put_back)
        log_line(log, LOG_LEVEL_WARNING, NULL,
                 "%zu bundles were nearly swept although a receipt names them, and were put back; when this "
                 "comes again, raise .store.sweep_after_s",
                 counts->n_put_back);
}

static void *sweep(void *arg)
{
    struct server *server = arg;
    const int64_t age_s = server->config->store.sweep_after_s;
    struct fault fault;
    bool failing = false; /* which was logged */
    do {
        struct sweep_counts counts;
        bool failed =
            sweep_run(server->options->exporter->store, age_s, server->give_up, &counts, &fault) != 0;
        if (failed && !failing)
            log_fault(server->log, LOG_LEVEL_WARNING, NULL, "leftovers cannot be swept", &fault);
        failing = failed;
        tell_swept(server->log, &counts);
    } while (!cancel_wait(server->give_up, age_s * 1000 / 24 + 1000));
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
    desk_revoke(server->desk, partitions, lost,
                cancel_raised(server->options->now) ? REVOKE_AT_ONCE_MS : REVOKE_MS);
}

/* --- a worker's life --- */

static void show_figures(void *ctx, struct exposition *exposition)
{
    const struct server *server = ctx;
    figures_show(&server->figures, exposition);
}

static int show(struct server *server, struct fault *fault)
{
    server->figures = (struct figures){.config = server->config,
                                       .desk = server->desk,
                                       .catalog = server->options->exporter->catalog,
                                       .committer = &server->committer_figures};
    const struct listener_options options = {
        .address = server->config->ops.address, .show_cb = show_figures, .ctx = server};
    if (!options.address)
        return 0;
    if (listener_open(&server->listener, &options, fault))
        return -1;
    log_line(server->log, LOG_LEVEL_INFO, NULL, "figures are shown on port %u",
             listener_port(server->listener));
    return 0;
}

static int open_all(struct server *server, struct fault *fault)
{
    struct exporter *exporter = server->options->exporter;
    const struct config *config = server->config;
    const struct consumer_callbacks callbacks = {.assigned = assigned, .revoked = revoked, .ctx = server};
    const struct claims_options claims = {.store = exporter->store,
                                          .log = server->log,
                                          .worker = config->kafka.transactional_id,
                                          .interval_s = config->work.claim_s};
    if (!config->requests.require_signature)
        log_line(server->log, LOG_LEVEL_WARNING, NULL,
                 "requests need no signature: whoever can write to topic %s can ask for anybody's data",
                 config->kafka.topics.requests);
    if (cancel_new(&server->give_up, fault) || desk_new(&server->desk, config, fault) ||
        claims_new(&server->claims, &claims, fault) || show(server, fault) ||
        publisher_open(&server->publisher, config, server->log, server->options->leave, fault) ||
        consumer_open(&server->consumer, config, server->log, &callbacks, fault))
        return -1;
    server->answerer = (struct answerer){
        .exporter = exporter, .publisher = server->publisher, .claims = server->claims, .desk = server->desk};
    server->committer = (struct committer){.desk = server->desk,
                                           .publisher = server->publisher,
                                           .consumer = server->consumer,
                                           .config = config,
                                           .log = server->log,
                                           .give_up = server->give_up,
                                           .figures = &server->committer_figures};
    return 0;
}

static int start(struct server *server, void *(*run)(void *arg), struct fault *fault)
{
    if (pthread_create(&server->threads[server->n_threads], NULL, run, server))
        return fault_retry(fault, "no_process", "no thread for the worker");
    server->n_threads++;
    return 0;
}

/* The commit thread and the sweeper come first: the others end before them. */
#define N_LASTING 2

static int start_threads(struct server *server, struct fault *fault)
{
    size_t n = server->config->work.concurrent_requests + N_LASTING + 1;
    server->threads = calloc(n, sizeof *server->threads);
    if (!server->threads)
        return fault_retry(fault, "no_memory", "no memory for the workers");
    if (start(server, commit, fault) || start(server, sweep, fault) || start(server, work_control, fault))
        return -1;
    while (server->n_threads < n)
        if (start(server, work, fault))
            return -1;
    return 0;
}

static void join_down_to(struct server *server, size_t n_left)
{
    while (server->n_threads > n_left)
        pthread_join(server->threads[--server->n_threads], NULL);
}

static int poll_once(struct server *server, struct fault *fault)
{
    struct desk_flow flow;
    int result = desk_flow(server->desk, &flow, fault);
    if (result == 0) {
        consumer_pause(server->consumer, flow.pause);
        consumer_resume(server->consumer, flow.resume);
    }
    rd_kafka_topic_partition_list_destroy(flow.pause);
    rd_kafka_topic_partition_list_destroy(flow.resume);
    rd_kafka_message_t *message = NULL;
    if (result == 0)
        result = consumer_poll(server->consumer, POLL_MS, &message, fault);
    return message ? desk_put(server->desk, message, reading_due(server->config, message), fault) : result;
}

static int poll_until_told(struct server *server, struct fault *fault)
{
    while (!cancel_raised(server->options->leave))
        if (has_failed(server, fault) || poll_once(server, fault))
            return -1;
    return 0;
}

static size_t n_running(struct server *server)
{
    struct desk_census census;
    desk_count(server->desk, &census);
    return census.n_running;
}

/* Keeps its place in the group while what is going on comes to its end. */
static void let_finish(struct server *server)
{
    struct fault fault;
    int64_t until_ms = clock_now_ms() + (int64_t)server->config->work.grace_s * 1000;
    size_t n = n_running(server);
    if (n)
        log_line(server->log, LOG_LEVEL_INFO, NULL, "leaving: waiting for %zu requests", n);
    while (n_running(server) && clock_now_ms() < until_ms && !cancel_raised(server->options->now) &&
           !has_failed(server, &fault))
        if (poll_once(server, &fault))
            return;
}

static void leave(struct server *server, bool in_peace)
{
    const int64_t grace_ms = in_peace ? (int64_t)server->config->work.grace_s * 1000 : 0;
    struct watchdog *watchdog =
        watchdog_start(grace_ms + REVOKE_MS + LEAVE_MS, server->options->hung_status, server->log);
    if (server->desk)
        desk_stop(server->desk);
    if (in_peace)
        let_finish(server);
    if (server->desk)
        desk_cancel_all(server->desk);
    join_down_to(server, N_LASTING);
    if (!in_peace && server->give_up)
        cancel_raise(server->give_up);
    /* messages belong to the consumer, so they go before it; what is done is published while it is closed */
    if (server->consumer)
        consumer_leave(server->consumer);
    if (server->give_up)
        cancel_raise(server->give_up);
    if (server->desk)
        desk_close(server->desk);
    join_down_to(server, 0);
    listener_close(server->listener);
    claims_free(server->claims);
    desk_free(server->desk);
    consumer_close(server->consumer);
    publisher_close(server->publisher);
    cancel_free(server->give_up);
    free(server->threads);
    watchdog_stop(watchdog);
}

int serve(const struct serve_options *options, struct fault *fault)
{
    struct server server = {
        .options = options, .config = options->exporter->config, .log = options->exporter->log};
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
