/* smoke: does this librdkafka agree with this broker on all that dsard needs of it? See README.md beside this
 * file.
 *
 *   kafka-smoke BOOTSTRAP IN OUT      two empty topics of four partitions each
 *
 * Says "ok: WHAT" for each point and leaves with 0, or with 1 at the first that does not hold. */
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_PARTITIONS 4
#define N_MESSAGES   100
#define N_COMMITTED  50
#define N_ABORTED    10
#define METADATA_MAX 4096
#define DEADLINE_MS  30000

static const char *bootstrap;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void require(bool holds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Says whether a point holds, and leaves when it does not. */
static void require(bool holds, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs(holds ? "ok: " : "NOT: ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    fflush(stdout);
    if (!holds)
        exit(1);
}

/* A transactional call that must work. */
static void require_done(rd_kafka_error_t *error, const char *what)
{
    require(!error, "%s%s%s", what, error ? ": " : "", error ? rd_kafka_error_string(error) : "");
}

/* A step that is no point of its own: says nothing when it works. */
static void need(bool works, const char *what)
{
    if (!works)
        require(false, "%s", what);
}

struct setting {
    const char *name, *value;
};

/* `settings` ends with an empty one. */
static rd_kafka_t *client_new(rd_kafka_type_t type, const struct setting *settings)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    need(!rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, text, sizeof text), "bootstrap.servers");
    for (; settings->name; settings++)
        need(!rd_kafka_conf_set(conf, settings->name, settings->value, text, sizeof text), settings->name);
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    need(client, "a client");
    return client;
}

static rd_kafka_t *consumer_new(const char *group, const char *topic, const char *isolation)
{
    const struct setting settings[] = {{"group.id", group},
                                       {"isolation.level", isolation},
                                       {"enable.auto.commit", "false"},
                                       {"auto.offset.reset", "earliest"},
                                       {"enable.partition.eof", "true"},
                                       {"partition.assignment.strategy", "range"},
                                       {"session.timeout.ms", "2500"},
                                       {"heartbeat.interval.ms", "500"},
                                       {"fetch.wait.max.ms", "10"},
                                       {NULL, NULL}};
    rd_kafka_t *consumer = client_new(RD_KAFKA_CONSUMER, settings);
    rd_kafka_poll_set_consumer(consumer);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, topic, RD_KAFKA_PARTITION_UA);
    need(!rd_kafka_subscribe(consumer, topics), "subscribe");
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

static void consumer_free(rd_kafka_t *consumer)
{
    rd_kafka_consumer_close(consumer);
    rd_kafka_destroy(consumer);
}

/* Counts messages until every partition said that it is at its end. */
static int consume_all(rd_kafka_t *consumer, int *n_with_header)
{
    int n = 0, n_ends = 0;
    for (int64_t deadline = now_ms() + DEADLINE_MS; n_ends < N_PARTITIONS && now_ms() < deadline;) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 200);
        if (!message)
            continue;
        rd_kafka_headers_t *headers;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            n_ends++;
        else if (!message->err) {
            n++;
            if (n_with_header && !rd_kafka_message_headers(message, &headers))
                ++*n_with_header;
        }
        rd_kafka_message_destroy(message);
    }
    return n;
}

static int count(const char *topic, const char *group, const char *isolation, int *n_with_header)
{
    rd_kafka_t *consumer = consumer_new(group, topic, isolation);
    int n = consume_all(consumer, n_with_header);
    consumer_free(consumer);
    return n;
}

static void produce(rd_kafka_t *producer, const char *topic, int n)
{
    for (int i = 0; i < n; i++) {
        char key[32];
        snprintf(key, sizeof key, "key-%d", i);
        rd_kafka_resp_err_t error =
            rd_kafka_producev(producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(i % N_PARTITIONS),
                              RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(key, strlen(key)),
                              RD_KAFKA_V_HEADER("ce_id", key, (ssize_t)strlen(key)),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (error)
            require(false, "produce: %s", rd_kafka_err2str(error));
    }
}

static rd_kafka_topic_partition_list_t *offsets_new(const char *topic, int64_t offset, size_t metadata_size)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(N_PARTITIONS);
    for (int i = 0; i < N_PARTITIONS; i++) {
        rd_kafka_topic_partition_t *partition = rd_kafka_topic_partition_list_add(list, topic, i);
        partition->offset = offset;
        if (metadata_size) {
            partition->metadata = malloc(metadata_size);
            need(partition->metadata, "memory");
            memset(partition->metadata, 'a' + i, metadata_size);
            partition->metadata_size = metadata_size;
        }
    }
    return list;
}

static rd_kafka_t *transactional_new(void)
{
    const struct setting settings[] = {
        {"transactional.id", "smoke"}, {"transaction.timeout.ms", "30000"}, {"linger.ms", "5"}, {NULL, NULL}};
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, settings);
    int64_t start = now_ms();
    require_done(rd_kafka_init_transactions(producer, DEADLINE_MS), "init_transactions");
    printf("    init_transactions took %d ms\n", (int)(now_ms() - start));
    return producer;
}

/* Sends offsets with so much metadata inside the present transaction. */
static rd_kafka_error_t *send_offsets(rd_kafka_t *producer, rd_kafka_t *consumer, const char *topic,
                                      int64_t offset, size_t metadata_size)
{
    rd_kafka_topic_partition_list_t *offsets = offsets_new(topic, offset, metadata_size);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
    rd_kafka_error_t *error = rd_kafka_send_offsets_to_transaction(producer, offsets, group, DEADLINE_MS);
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(offsets);
    return error;
}

static void check_committed(rd_kafka_t *consumer, const char *topic, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = offsets_new(topic, RD_KAFKA_OFFSET_INVALID, 0);
    require(!rd_kafka_committed(consumer, list, DEADLINE_MS), "committed offsets are read");
    for (int i = 0; i < N_PARTITIONS; i++)
        require(list->elems[i].offset == offset && list->elems[i].metadata_size == METADATA_MAX &&
                    ((const char *)list->elems[i].metadata)[METADATA_MAX - 1] == 'a' + i,
                "partition %d is committed at %d with %d bytes of metadata", i, (int)offset, METADATA_MAX);
    rd_kafka_topic_partition_list_destroy(list);
}

static void check_transactions(const char *in, const char *out, rd_kafka_t *consumer)
{
    rd_kafka_t *producer = transactional_new();
    require_done(rd_kafka_begin_transaction(producer), "begin");
    produce(producer, out, N_COMMITTED);
    require_done(send_offsets(producer, consumer, in, 7, METADATA_MAX), "send_offsets_to_transaction");
    int64_t start = now_ms();
    require_done(rd_kafka_commit_transaction(producer, DEADLINE_MS), "commit");
    printf("    the first commit took %d ms\n", (int)(now_ms() - start));
    check_committed(consumer, in, 7);

    require_done(rd_kafka_begin_transaction(producer), "begin");
    produce(producer, out, N_ABORTED);
    need(!rd_kafka_flush(producer, DEADLINE_MS), "flush");
    require_done(send_offsets(producer, consumer, in, 9, 3), "send_offsets_to_transaction");
    require_done(rd_kafka_abort_transaction(producer, DEADLINE_MS), "abort");
    check_committed(consumer, in, 7);
    require(count(out, "smoke-committed", "read_committed", NULL) == N_COMMITTED,
            "read_committed sees what was committed, and no more");
    require(count(out, "smoke-uncommitted", "read_uncommitted", NULL) == N_COMMITTED + N_ABORTED,
            "read_uncommitted sees what was aborted too");

    require_done(rd_kafka_begin_transaction(producer), "begin");
    rd_kafka_error_t *error = send_offsets(producer, consumer, in, 9, METADATA_MAX + 1);
    require(error && rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE &&
                rd_kafka_error_txn_requires_abort(error),
            "metadata beyond %d bytes is refused, and the transaction can be aborted", METADATA_MAX);
    rd_kafka_error_destroy(error);
    require_done(rd_kafka_abort_transaction(producer, DEADLINE_MS), "abort");

    require_done(rd_kafka_begin_transaction(producer), "begin");
    produce(producer, out, 1);
    need(!rd_kafka_flush(producer, DEADLINE_MS), "flush");
    rd_kafka_t *second = transactional_new();
    error = rd_kafka_commit_transaction(producer, DEADLINE_MS);
    require(error && rd_kafka_error_is_fatal(error), "a second producer of the same id fences the first: %s",
            error ? rd_kafka_error_name(error) : "it did not");
    rd_kafka_error_destroy(error);
    rd_kafka_destroy(producer);
    rd_kafka_destroy(second);
    require(count(out, "smoke-fenced", "read_committed", NULL) == N_COMMITTED,
            "what the fenced producer wrote is aborted");
}

static int n_assigned(rd_kafka_t *consumer)
{
    rd_kafka_topic_partition_list_t *list = NULL;
    need(!rd_kafka_assignment(consumer, &list), "assignment");
    int n = list->cnt;
    rd_kafka_topic_partition_list_destroy(list);
    return n;
}

static void poll_once(rd_kafka_t *consumer)
{
    rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer, 50);
    if (message)
        rd_kafka_message_destroy(message);
}

/* A second member joins, each gets half; it leaves, and the first gets all back. */
static void check_rebalance(const char *in, rd_kafka_t *first)
{
    rd_kafka_t *second = consumer_new("smoke", in, "read_committed");
    int64_t start = now_ms(), deadline = start + DEADLINE_MS;
    bool half = false, whole = false;
    while (!half && now_ms() < deadline) {
        poll_once(first);
        poll_once(second);
        half = n_assigned(first) == N_PARTITIONS / 2 && n_assigned(second) == N_PARTITIONS / 2;
    }
    printf("    the rebalance took %d ms\n", (int)(now_ms() - start));
    consumer_free(second);
    while (!whole && now_ms() < deadline) {
        poll_once(first);
        whole = n_assigned(first) == N_PARTITIONS;
    }
    require(half && whole, "a second member takes half of the partitions and gives them back");
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s BOOTSTRAP IN OUT\n", argv[0]);
        return 2;
    }
    bootstrap = argv[1];
    const char *in = argv[2], *out = argv[3];
    printf("librdkafka %s\n", rd_kafka_version_str());

    const struct setting settings[] = {{"enable.idempotence", "true"}, {NULL, NULL}};
    rd_kafka_t *producer = client_new(RD_KAFKA_PRODUCER, settings);
    produce(producer, in, N_MESSAGES);
    require(!rd_kafka_flush(producer, DEADLINE_MS), "an idempotent producer's messages are delivered");
    rd_kafka_destroy(producer);

    int n_with_header = 0;
    rd_kafka_t *consumer = consumer_new("smoke", in, "read_committed");
    require(consume_all(consumer, &n_with_header) == N_MESSAGES && n_with_header == N_MESSAGES,
            "a group consumes them, headers included");
    check_transactions(in, out, consumer);
    check_rebalance(in, consumer);
    consumer_free(consumer);
    return 0;
}
