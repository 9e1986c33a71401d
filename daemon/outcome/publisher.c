#include "outcome/publisher.h"

#include "intake/client.h"

#include <stdlib.h>
#include <string.h>

#define CALL_MS  10000
#define RETRY_MS 200
#define FLUSH_MS 5000

/* How long outcomes wait for `accepted` and `progress` of the same requests to be written before them. */
#define ORDER_MS 1000

struct publisher {
    const struct config *config;
    struct client_opaque transactional_opaque;
    struct client_opaque notifying_opaque;
    struct log *log;
    rd_kafka_t *transactional;
    rd_kafka_t *notifying;
};

typedef rd_kafka_error_t *call(rd_kafka_t *producer, const struct batch *batch);

/* Makes a call until it no longer fails with what another try may mend. NULL when it worked; the caller
 * destroys the error otherwise. */
static rd_kafka_error_t *persist(const struct publisher *publisher, call *make, const struct batch *batch,
                                 const struct cancel *cancel)
{
    for (;;) {
        rd_kafka_error_t *error = make(publisher->transactional, batch);
        if (!error || !rd_kafka_error_is_retriable(error))
            return error;
        log_line(publisher->log, LOG_LEVEL_WARNING, NULL, "kafka: %s; trying again",
                 rd_kafka_error_string(error));
        if (cancel_wait(cancel, RETRY_MS))
            return error;
        rd_kafka_error_destroy(error);
    }
}

static rd_kafka_error_t *call_init(rd_kafka_t *producer, const struct batch *batch)
{
    (void)batch;
    return rd_kafka_init_transactions(producer, CALL_MS);
}

static rd_kafka_error_t *call_send_offsets(rd_kafka_t *producer, const struct batch *batch)
{
    return rd_kafka_send_offsets_to_transaction(producer, batch->offsets, batch->group, CALL_MS);
}

static rd_kafka_error_t *call_commit(rd_kafka_t *producer, const struct batch *batch)
{
    (void)batch;
    return rd_kafka_commit_transaction(producer, CALL_MS);
}

static rd_kafka_error_t *call_abort(rd_kafka_t *producer, const struct batch *batch)
{
    (void)batch;
    return rd_kafka_abort_transaction(producer, CALL_MS);
}

static int make_producer(rd_kafka_t **producer, const struct config *config, struct client_opaque *opaque,
                         const char *transactional_id, struct fault *fault)
{
    rd_kafka_conf_t *conf;
    if (client_conf(&conf, config, fault))
        return -1;
    rd_kafka_conf_set_opaque(conf, opaque);
    int bad = client_set(conf, "linger.ms", "5", fault);
    if (transactional_id)
        bad = bad || client_set(conf, "transactional.id", transactional_id, fault) ||
              client_set_default(conf, config, "transaction.timeout.ms", "30000", fault) ||
              client_set_default(conf, config, "message.timeout.ms", "20000", fault) ||
              client_set_default(conf, config, "topic.metadata.propagation.max.ms", "5000", fault);
    else
        /* one after the other keeps their order; an idempotent producer could fail for good */
        bad = bad || client_set(conf, "acks", "all", fault) ||
              client_set(conf, "max.in.flight.requests.per.connection", "1", fault) ||
              client_set(conf, "queue.buffering.max.messages", "10000", fault);
    if (bad) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    *producer = client_new(RD_KAFKA_PRODUCER, conf, opaque->name, fault);
    return *producer ? 0 : -1;
}

/* The number of its partitions; 0 when they cannot be learned. Without this the first message of a producer waits for a
 * second until the topic is known (librdkafka before 2.10.1). */
static int learn_topic(const struct publisher *publisher, rd_kafka_t *producer, const char *name)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(producer, name, NULL);
    int n_partitions = 0;
    if (!topic)
        return 0;
    if (rd_kafka_metadata(producer, 0, topic, &metadata, CALL_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const rd_kafka_metadata_topic_t *found = metadata->topic_cnt == 1 ? &metadata->topics[0] : NULL;
        if (found && found->err)
            log_line(publisher->log, LOG_LEVEL_ERROR, NULL,
                     "topic %s: %s: what is to be published there waits until it exists", name,
                     rd_kafka_err2str(found->err));
        else if (found)
            n_partitions = found->partition_cnt;
        rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(topic);
    return n_partitions;
}

/* A request, its retries and its cancel meet at one worker only where these topics have equally many partitions. */
static void learn_topics(const struct publisher *publisher)
{
    const struct topics_config *topics = &publisher->config->kafka.topics;
    const struct retry_config *retry = &publisher->config->retry;
    rd_kafka_t *producer = publisher->transactional;
    learn_topic(publisher, producer, topics->events);
    learn_topic(publisher, producer, topics->audit);
    learn_topic(publisher, producer, topics->dead);
    const int n_wanted = learn_topic(publisher, producer, topics->requests);
    for (size_t i = 0; i <= retry->n_tiers; i++) {
        const char *name = i < retry->n_tiers ? retry->tiers[i].topic : topics->control;
        int n = learn_topic(publisher, producer, name);
        if (n && n_wanted && n != n_wanted)
            log_line(publisher->log, LOG_LEVEL_ERROR, NULL,
                     "topic %s: expected %d partitions as topic %s has, not %d", name, n_wanted,
                     topics->requests, n);
    }
}

static int open_transactional(struct publisher *publisher, const struct cancel *cancel, struct fault *fault)
{
    const struct kafka_config *kafka = &publisher->config->kafka;
    if (make_producer(&publisher->transactional, publisher->config, &publisher->transactional_opaque,
                      kafka->transactional_id, fault))
        return -1;
    rd_kafka_error_t *error = persist(publisher, call_init, NULL, cancel);
    if (error) {
        fault_retry(fault, "kafka", "transactions cannot begin: %s", rd_kafka_error_string(error));
        rd_kafka_error_destroy(error);
        return -1;
    }
    learn_topics(publisher);
    return 0;
}

int publisher_open(struct publisher **publisher, const struct config *config, struct log *log,
                   const struct cancel *cancel, struct fault *fault)
{
    struct publisher *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the producers");
    new->config = config;
    new->log = log;
    new->transactional_opaque = (struct client_opaque){.log = log, .name = "transactional producer"};
    new->notifying_opaque = (struct client_opaque){.log = log, .name = "producer"};
    if (make_producer(&new->notifying, config, &new->notifying_opaque, NULL, fault) ||
        open_transactional(new, cancel, fault)) {
        publisher_close(new);
        return -1;
    }
    learn_topic(new, new->notifying, config->kafka.topics.events);
    *publisher = new;
    return 0;
}

int publisher_renew(struct publisher *publisher, const struct cancel *cancel, struct fault *fault)
{
    if (publisher->transactional)
        rd_kafka_destroy(publisher->transactional);
    publisher->transactional = NULL;
    return open_transactional(publisher, cancel, fault);
}

void publisher_close(struct publisher *publisher)
{
    if (!publisher)
        return;
    if (publisher->notifying) {
        rd_kafka_flush(publisher->notifying, FLUSH_MS);
        rd_kafka_destroy(publisher->notifying);
    }
    if (publisher->transactional)
        rd_kafka_destroy(publisher->transactional);
    free(publisher);
}

/* Turns an error into a verdict; destroys it. */
static enum publisher_verdict give_up(const struct publisher *publisher, rd_kafka_error_t *error,
                                      const struct cancel *cancel, struct fault *fault)
{
    fault_retry(fault, "kafka", "transaction: %s", rd_kafka_error_string(error));
    bool fatal = rd_kafka_error_is_fatal(error) || !rd_kafka_error_txn_requires_abort(error);
    rd_kafka_error_destroy(error);
    if (fatal)
        return PUBLISHER_UNKNOWN;
    error = persist(publisher, call_abort, NULL, cancel);
    if (!error)
        return PUBLISHER_ABORTED;
    fault_retry(fault, "kafka", "transaction cannot be aborted: %s", rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return PUBLISHER_UNKNOWN;
}

static int produce_all(const struct publisher *publisher, const struct batch *batch, struct fault *fault)
{
    for (const struct item *item = batch->items; item; item = item->next)
        for (const struct outgoing *message = item->answers; message; message = message->next)
            if (outgoing_produce(message, publisher->transactional, fault))
                return -1;
    return 0;
}

enum publisher_verdict publisher_commit(struct publisher *publisher, const struct batch *batch,
                                        const struct cancel *cancel, struct fault *fault)
{
    if (rd_kafka_outq_len(publisher->notifying))
        rd_kafka_flush(publisher->notifying, ORDER_MS);
    rd_kafka_error_t *error = rd_kafka_begin_transaction(publisher->transactional);
    if (error)
        return give_up(publisher, error, cancel, fault);
    if (produce_all(publisher, batch, fault)) {
        error = persist(publisher, call_abort, NULL, cancel);
        if (!error)
            return PUBLISHER_ABORTED;
        return give_up(publisher, error, cancel, fault);
    }
    error = persist(publisher, call_send_offsets, batch, cancel);
    if (!error)
        error = persist(publisher, call_commit, NULL, cancel);
    return error ? give_up(publisher, error, cancel, fault) : PUBLISHER_COMMITTED;
}

void publisher_notify(struct publisher *publisher, struct outgoing *message)
{
    struct fault fault;
    if (message && outgoing_produce(message, publisher->notifying, &fault))
        log_fault(publisher->log, LOG_LEVEL_WARNING, NULL, "an event is not published", &fault);
    outgoing_free(message);
    rd_kafka_poll(publisher->notifying, 0);
}
