#include "ctl/dead_letters.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

#define CALL_MS  10000
#define POLL_MS  200
#define NOTE_MS  1000
#define STALL_MS 60000

/* How far a partition is to be read. */
struct extent {
    int32_t partition;
    int64_t end; /* the offset behind the last message; 0 when there is none */
    bool reached;
};

struct reading {
    const char *topic;
    rd_kafka_t *client;
    rd_kafka_topic_partition_list_t *partitions; /* from their beginning */
    struct extent *extents;                      /* one a partition */
    size_t n_left;                               /* partitions to be read on */
    bool held;                                   /* by a transaction that has not ended */
    struct dead_marker *markers;
    size_t n_markers;
    size_t markers_max;
    dead_visit *visit;
    void *ctx;
};

typedef int taker(struct reading *reading, const rd_kafka_message_t *message, struct fault *fault);

/* --- how far --- */

static int ask_extents(struct reading *reading, rd_kafka_t *client, struct fault *fault)
{
    if (ctl_kafka_partitions(&reading->partitions, client, reading->topic, fault))
        return -1;
    size_t n = (size_t)reading->partitions->cnt;
    reading->extents = calloc(n, sizeof *reading->extents);
    if (!reading->extents)
        return fault_retry(fault, "no_memory", "no memory for %zu partitions", n);
    for (size_t i = 0; i < n; i++) {
        struct extent *extent = &reading->extents[i];
        int64_t low;
        extent->partition = reading->partitions->elems[i].partition;
        rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
            client, reading->topic, extent->partition, &low, &extent->end, CALL_MS);
        if (error)
            return fault_retry(fault, "kafka", "topic %s: %s", reading->topic, rd_kafka_err2str(error));
        if (low == extent->end)
            extent->end = 0;
    }
    return 0;
}

/* To one that reads only what is committed, a topic ends where the oldest open transaction begins: markers that another
 * has committed behind it would not count. So the true ends are asked for by one that reads all. */
static int find_extents(struct reading *reading, const struct ctl_kafka *kafka, struct fault *fault)
{
    static const char *const properties[][2] = {{"isolation.level", "read_uncommitted"}, {NULL, NULL}};
    struct client_opaque opaque = {.name = "consumer"};
    rd_kafka_t *client = ctl_kafka_client(kafka, RD_KAFKA_CONSUMER, &opaque, properties, NULL, fault);
    if (!client)
        return -1;
    int result = ask_extents(reading, client, fault);
    rd_kafka_destroy(client);
    return result;
}

static void reach(struct reading *reading, struct extent *extent)
{
    if (!extent->reached)
        reading->n_left--;
    extent->reached = true;
}

static struct extent *extent_of(const struct reading *reading, int32_t partition)
{
    struct extent *extent = reading->extents;
    while (extent->partition != partition)
        extent++;
    return extent;
}

/* --- from beginning to end --- */

static int look_at(struct reading *reading, const rd_kafka_message_t *message, taker *take,
                   struct fault *fault)
{
    if (message->err && message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        /* without a topic it is about a connection, and those are made again */
        return message->rkt ? fault_retry(fault, "kafka", "topic %s: %s", reading->topic,
                                          rd_kafka_message_errstr(message))
                            : 0;
    struct extent *extent = extent_of(reading, message->partition);
    if (message->err) {
        reading->held = message->offset < extent->end;
        if (!reading->held)
            reach(reading, extent);
        return 0;
    }
    if (message->offset < extent->end && take(reading, message, fault))
        return -1;
    if (message->offset + 1 >= extent->end)
        reach(reading, extent);
    return 0;
}

static int begin(struct reading *reading, struct fault *fault)
{
    reading->n_left = (size_t)reading->partitions->cnt;
    reading->held = false;
    for (int i = 0; i < reading->partitions->cnt; i++) {
        reading->extents[i].reached = false;
        if (reading->extents[i].end == 0)
            reach(reading, &reading->extents[i]);
    }
    if (rd_kafka_assign(reading->client, reading->partitions))
        return fault_set(fault, "kafka", "topic %s cannot be read", reading->topic);
    return 0;
}

/* Says what is waited for, and when that takes too long. */
static int check_stall(const struct reading *reading, int64_t stalled_ms, bool *noted, struct fault *fault)
{
    if (stalled_ms >= STALL_MS)
        return fault_retry(fault, "kafka", "topic %s: %s; try again later", reading->topic,
                           reading->held ? "a transaction on it does not end" : "the brokers do not answer");
    if (stalled_ms >= NOTE_MS && reading->held && !*noted) {
        fprintf(stderr, "dsarctl dead: waiting for a transaction on topic %s to end\n", reading->topic);
        *noted = true;
    }
    return 0;
}

static int read_through(struct reading *reading, taker *take, struct fault *fault)
{
    bool noted = false;
    int result = begin(reading, fault);
    int64_t heard_ms = clock_now_ms();
    while (result == 0 && reading->n_left) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(reading->client, POLL_MS);
        if (message) {
            result = look_at(reading, message, take, fault);
            rd_kafka_message_destroy(message);
            heard_ms = clock_now_ms();
        } else {
            result = check_stall(reading, clock_now_ms() - heard_ms, &noted, fault);
        }
    }
    return result;
}

/* --- first the markers, then the letters --- */

static int take_marker(struct reading *reading, const rd_kafka_message_t *message, struct fault *fault)
{
    struct dead_facts facts;
    struct dead_marker marker;
    if (dead_read(message, &facts, &marker) != DEAD_MARKER)
        return 0;
    if (reading->n_markers == reading->markers_max) {
        size_t max = reading->markers_max ? reading->markers_max * 2 : 64;
        struct dead_marker *larger = reallocarray(reading->markers, max, sizeof *larger);
        if (!larger)
            return fault_retry(fault, "no_memory", "no memory for %zu settled letters", max);
        reading->markers = larger;
        reading->markers_max = max;
    }
    reading->markers[reading->n_markers++] = marker;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct dead_place *one = &((const struct dead_marker *)a)->place;
    const struct dead_place *other = &((const struct dead_marker *)b)->place;
    if (one->partition != other->partition)
        return one->partition < other->partition ? -1 : 1;
    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

static int take_letter(struct reading *reading, const rd_kafka_message_t *message, struct fault *fault)
{
    struct dead_facts facts;
    struct dead_marker marker;
    if (dead_read(message, &facts, &marker) != DEAD_LETTER)
        return 0;
    marker.place = facts.place;
    const struct dead_marker *found =
        reading->n_markers ? bsearch(&marker, reading->markers, reading->n_markers, sizeof marker, compare)
                           : NULL;
    if (found)
        facts.state = found->state;
    return reading->visit(reading->ctx, &facts, message, fault);
}

static int read_twice(struct reading *reading, struct fault *fault)
{
    if (read_through(reading, take_marker, fault))
        return -1;
    if (reading->n_markers)
        qsort(reading->markers, reading->n_markers, sizeof *reading->markers, compare);
    return read_through(reading, take_letter, fault);
}

int dead_letters_read(const struct ctl_kafka *kafka, const char *topic, dead_visit *visit, void *ctx,
                      struct fault *fault)
{
    /* a group id is wanted, but partitions are assigned by hand and nothing is committed */
    static const char *const properties[][2] = {{"group.id", "dsarctl"},
                                                {"enable.auto.commit", "false"},
                                                {"auto.offset.reset", "earliest"},
                                                {"isolation.level", "read_committed"},
                                                {"enable.partition.eof", "true"},
                                                {"fetch.wait.max.ms", "20"},
                                                {"queued.max.messages.kbytes", "8192"},
                                                {NULL, NULL}};
    struct client_opaque opaque = {.name = "consumer"};
    struct reading reading = {.topic = topic, .visit = visit, .ctx = ctx};
    int result = find_extents(&reading, kafka, fault);
    if (result == 0) {
        reading.client = ctl_kafka_client(kafka, RD_KAFKA_CONSUMER, &opaque, properties, NULL, fault);
        result = -1;
    }
    if (reading.client) {
        rd_kafka_poll_set_consumer(reading.client);
        result = read_twice(&reading, fault);
        rd_kafka_consumer_close(reading.client);
        rd_kafka_destroy(reading.client);
    }
    if (reading.partitions)
        rd_kafka_topic_partition_list_destroy(reading.partitions);
    free(reading.extents);
    free(reading.markers);
    return result;
}
