#include "ctl/kafka.h"

#include "base/buf.h"

#include <string.h>

#define PROPERTIES_MAX_BYTES 65536
#define METADATA_MS          10000

static int set_line(rd_kafka_conf_t *conf, char *line, const char *path, unsigned number, struct fault *fault)
{
    char ignored[256];
    line += strspn(line, " \t");
    if (!*line || *line == '#')
        return 0;
    char *equals = strchr(line, '=');
    if (!equals)
        return fault_set(fault, "bad_property", "%s:%u: expected NAME=VALUE", path, number);
    *equals = '\0';
    /* librdkafka's message could show a secret value */
    if (rd_kafka_conf_set(conf, line, equals + 1, ignored, sizeof ignored) != RD_KAFKA_CONF_OK)
        return fault_set(fault, "bad_property", "%s:%u: kafka does not take this property or its value", path,
                         number);
    return 0;
}

static int set_file(rd_kafka_conf_t *conf, const char *path, struct fault *fault)
{
    struct buf text;
    buf_init(&text, PROPERTIES_MAX_BYTES);
    int result = buf_read_file(&text, path, fault);
    unsigned number = 1;
    for (char *line = text.data; result == 0 && line && *line; number++) {
        char *end = line + strcspn(line, "\n");
        bool last = *end == '\0';
        *end = '\0';
        result = set_line(conf, line, path, number, fault);
        line = last ? end : end + 1;
    }
    buf_wipe(&text);
    return result;
}

rd_kafka_t *ctl_kafka_client(const struct ctl_kafka *kafka, rd_kafka_type_t type,
                             struct client_opaque *opaque, const char *const extra[][2],
                             void (*delivered_cb)(rd_kafka_t *client, const rd_kafka_message_t *message,
                                                  void *ctx),
                             struct fault *fault)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    int bad = client_set(conf, "bootstrap.servers", kafka->brokers, fault) ||
              client_set(conf, "log_level", "3", fault) ||
              (kafka->properties_path && set_file(conf, kafka->properties_path, fault));
    for (size_t i = 0; !bad && extra[i][0]; i++)
        bad = client_set(conf, extra[i][0], extra[i][1], fault);
    if (bad) {
        rd_kafka_conf_destroy(conf);
        return NULL;
    }
    rd_kafka_conf_set_opaque(conf, opaque);
    if (delivered_cb)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered_cb);
    return client_new(type, conf, opaque->name, fault);
}

static int list_partitions(rd_kafka_topic_partition_list_t **list, const char *name,
                           const struct rd_kafka_metadata *metadata, struct fault *fault)
{
    const struct rd_kafka_metadata_topic *topic = metadata->topics;
    if (metadata->topic_cnt != 1 || topic->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        return fault_set(fault, "no_topic", "topic %s: there is no such topic", name);
    if (topic->err || topic->partition_cnt == 0)
        return fault_retry(fault, "kafka", "topic %s: %s", name, rd_kafka_err2str(topic->err));
    *list = rd_kafka_topic_partition_list_new(topic->partition_cnt);
    for (int i = 0; i < topic->partition_cnt; i++)
        rd_kafka_topic_partition_list_add(*list, name, topic->partitions[i].id)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    return 0;
}

int ctl_kafka_partitions(rd_kafka_topic_partition_list_t **list, rd_kafka_t *client, const char *topic,
                         struct fault *fault)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client, topic, NULL);
    rd_kafka_resp_err_t error =
        handle ? rd_kafka_metadata(client, 0, handle, &metadata, METADATA_MS) : rd_kafka_last_error();
    if (handle)
        rd_kafka_topic_destroy(handle);
    if (error || !metadata)
        return fault_retry(fault, "kafka", "topic %s: %s", topic, rd_kafka_err2str(error));
    int result = list_partitions(list, topic, metadata, fault);
    rd_kafka_metadata_destroy(metadata);
    return result;
}
