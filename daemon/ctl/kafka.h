/* kafka: how dsarctl's commands reach the brokers. */
#ifndef DSAR_CTL_KAFKA_H
#define DSAR_CTL_KAFKA_H

#include "config/config.h"
#include "intake/client.h"

/* The common options: --brokers, --properties. */
struct ctl_kafka {
    const char *brokers;
    const char *properties_path; /* lines of NAME=VALUE, '#' begins a comment; NULL: none */
};

/* Makes a client with `extra` properties ({name, value}, …, {NULL}); delivered_cb, which is told of each
 * message produced with the opaque as `ctx`, may be NULL. NULL with a fault. The opaque must outlive the
 * client. */
rd_kafka_t *ctl_kafka_client(const struct ctl_kafka *kafka, rd_kafka_type_t type,
                             struct client_opaque *opaque, const char *const extra[][2],
                             void (*delivered_cb)(rd_kafka_t *client, const rd_kafka_message_t *message,
                                                  void *ctx),
                             struct fault *fault);

/* The partitions of a topic, their offsets set to its beginning; the caller's. Codes: "no_topic", "kafka". */
int ctl_kafka_partitions(rd_kafka_topic_partition_list_t **list, rd_kafka_t *client, const char *topic,
                         struct fault *fault) __attribute__((warn_unused_result));

#endif
