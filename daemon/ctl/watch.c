#include "base/clock.h"
#include "base/jwk.h"
#include "ctl/ctl.h"
#include "ctl/event_file.h"
#include "ctl/kafka.h"
#include "intake/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MAX_S (90 * 86400)

static const char help[] =
    "usage: dsarctl watch --brokers LIST --request ID [--save FILE] [--timeout S] [--jwks FILE]\n"
    "                     [--topic NAME] "
    "[--properties FILE]\n\n"
    "Prints the events of a request, one a line, until it has ended.\n"
    "  --save        writes the last event to FILE (which must not exist), for `dsarctl open` and `verify`\n"
    "  --timeout     how long to wait for the end, in seconds; 3600 by default\n"
    "  --topic       dsar.events by default\n"
    "  --jwks        the exporter's public keys: events that they did not sign are passed over\n"
    "  --properties  a file of librdkafka properties, NAME=VALUE a line\n"
    "exit status: 0 completed; 1 failed to watch, or not ended in time; 2 wrong usage; 5 it ended "
    "otherwise\n";

struct watch {
    struct ctl_kafka kafka;
    const char *request;
    const char *save;
    const char *topic;
    const char *jwks_path;
    json_t *jwks; /* NULL: signatures are not checked */
    int64_t timeout_ms;
};

static char *header_text(const rd_kafka_message_t *message, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(message, &headers) || rd_kafka_header_get_last(headers, name, &value, &len))
        return NULL;
    return strndup(value ? value : "", len);
}

/* The message as a structured CloudEvent. NULL when it is no event. */
static json_t *event_of(const rd_kafka_message_t *message)
{
    static const char *const names[][2] = {{"specversion", "ce_specversion"},
                                           {"id", "ce_id"},
                                           {"source", "ce_source"},
                                           {"type", "ce_type"},
                                           {"time", "ce_time"},
                                           {"subject", "ce_subject"},
                                           {"datacontenttype", "content-type"},
                                           {"dsarsignature", SIGNATURE_HEADER}};
    json_t *event = json_object();
    json_t *data =
        json_loadb(message->payload ? message->payload : "", message->len, JSON_REJECT_DUPLICATES, NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *text = header_text(message, names[i][1]);
        if (text)
            json_object_set_new(event, names[i][0], json_string(text));
        free(text);
    }
    if (!data || json_object_set_new(event, "data", data) ||
        !json_string_value(json_object_get(event, "type"))) {
        json_decref(event);
        return NULL;
    }
    return event;
}

static void print_text(const char *text)
{
    ctl_print_text(text, strlen(text));
}

static void show(const json_t *event)
{
    const json_t *data = json_object_get(event, "data");
    const json_t *own = json_object_get(json_object_get(data, "extensions"), "dsard");
    const json_t *progress = json_object_get(own, "progress");
    const char *coverage = json_string_value(json_object_get(own, "coverage"));
    const char *reason = json_string_value(json_object_get(json_object_get(data, "reason"), "text"));
    const char *time = json_string_value(json_object_get(event, "time"));
    print_text(time ? time : "-");
    putchar(' ');
    print_text(json_string_value(json_object_get(event, "type")));
    if (progress)
        printf(" %lld of %lld sources", (long long)json_integer_value(json_object_get(progress, "done")),
               (long long)json_integer_value(json_object_get(progress, "total")));
    if (coverage) {
        printf(" %lld results, coverage ",
               (long long)json_integer_value(json_object_get(data, "results_count")));
        print_text(coverage);
    }
    if (reason) {
        putchar(' ');
        print_text(reason);
    }
    putchar('\n');
    fflush(stdout);
}

static int save(const char *path, const json_t *event, struct fault *fault)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (!file) {
        fault_errno(fault, "file_unwritable", errno, "%s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    bool wrong = json_dumpf(event, file, JSON_INDENT(2)) != 0;
    if (fclose(file) || wrong)
        return fault_set(fault, "file_unwritable", "%s: cannot be written", path);
    return 0;
}

static bool is_terminal(const char *type)
{
    static const char *const terminal[] = {"org.dsard.completed.v1", "org.dsard.failed.v1",
                                           "org.dsard.refused.v1", "org.dsard.cancelled.v1"};
    for (size_t i = 0; i < sizeof terminal / sizeof *terminal; i++)
        if (strcmp(type, terminal[i]) == 0)
            return true;
    return false;
}

/* Shows an event of the request. *status is set when it was the last one. */
static int look_at(const struct watch *watch, const rd_kafka_message_t *message, int *status,
                   struct fault *fault)
{
    if (message->key_len != strlen(watch->request) ||
        memcmp(message->key, watch->request, message->key_len) != 0)
        return 0;
    json_t *event = event_of(message);
    if (!event)
        return 0;
    int result = 0;
    struct fault untrue;
    if (watch->jwks && event_file_verify(event, watch->jwks, &untrue)) {
        fprintf(stderr, "dsarctl watch: an event is passed over: %s\n", untrue.text);
        json_decref(event);
        return 0;
    }
    const char *type = json_string_value(json_object_get(event, "type"));
    show(event);
    if (is_terminal(type)) {
        *status = strcmp(type, "org.dsard.completed.v1") == 0 ? CTL_DONE : CTL_REFUSED;
        if (watch->save)
            result = save(watch->save, event, fault);
    }
    json_decref(event);
    return result;
}

static int follow(const struct watch *watch, rd_kafka_t *client, int *status, struct fault *fault)
{
    int64_t until_ms = clock_now_ms() + watch->timeout_ms;
    *status = -1;
    while (*status == -1) {
        if (clock_now_ms() >= until_ms)
            return fault_set(fault, "timeout", "request %s has not ended within %lld s", watch->request,
                             (long long)(watch->timeout_ms / 1000));
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 200);
        if (!message)
            continue;
        int result = 0;
        if (!message->err)
            result = look_at(watch, message, status, fault);
        rd_kafka_message_destroy(message);
        if (result)
            return -1;
    }
    return 0;
}

static int watch_request(const struct watch *watch, int *status, struct fault *fault)
{
    /* a group id is wanted, but partitions are assigned by hand and nothing is committed */
    static const char *const properties[][2] = {{"group.id", "dsarctl"},
                                                {"enable.auto.commit", "false"},
                                                {"isolation.level", "read_committed"},
                                                {NULL, NULL}};
    struct client_opaque opaque = {.name = "consumer"};
    rd_kafka_t *client = ctl_kafka_client(&watch->kafka, RD_KAFKA_CONSUMER, &opaque, properties, NULL, fault);
    if (!client)
        return -1;
    rd_kafka_poll_set_consumer(client);
    rd_kafka_topic_partition_list_t *partitions;
    int result = ctl_kafka_partitions(&partitions, client, watch->topic, fault);
    if (result == 0) {
        if (rd_kafka_assign(client, partitions) == RD_KAFKA_RESP_ERR_NO_ERROR)
            result = follow(watch, client, status, fault);
        else
            result = fault_set(fault, "kafka", "topic %s cannot be read", watch->topic);
        rd_kafka_topic_partition_list_destroy(partitions);
    }
    rd_kafka_consumer_close(client);
    rd_kafka_destroy(client);
    return result;
}

int ctl_watch(int argc, char **argv)
{
    static const struct option options[] = {{"brokers", required_argument, NULL, 'b'},
                                            {"request", required_argument, NULL, 'r'},
                                            {"save", required_argument, NULL, 's'},
                                            {"timeout", required_argument, NULL, 'w'},
                                            {"topic", required_argument, NULL, 't'},
                                            {"properties", required_argument, NULL, 'p'},
                                            {"jwks", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct watch watch = {.topic = "dsar.events", .timeout_ms = 3600 * 1000};
    struct fault fault;
    char *end = NULL;
    int status = CTL_FAILED;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'b': watch.kafka.brokers = optarg; break;
        case 'r': watch.request = optarg; break;
        case 's': watch.save = optarg; break;
        case 'j': watch.jwks_path = optarg; break;
        case 't': watch.topic = optarg; break;
        case 'p': watch.kafka.properties_path = optarg; break;
        case 'w':
            watch.timeout_ms = strtol(optarg, &end, 10);
            if (*end || watch.timeout_ms <= 0 || watch.timeout_ms > TIMEOUT_MAX_S)
                return ctl_help(help, 0);
            watch.timeout_ms *= 1000;
            break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (!watch.kafka.brokers || !watch.request || optind != argc)
        return ctl_help(help, 0);
    int result = watch.jwks_path ? jwk_load_set(&watch.jwks, watch.jwks_path, &fault) : 0;
    if (result == 0)
        result = watch_request(&watch, &status, &fault);
    json_decref(watch.jwks);
    return result ? ctl_failed("watch", &fault) : status;
}
