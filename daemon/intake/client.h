/* client: what the consumer and the producers have in common: how they reach Kafka. */
#ifndef DSAR_INTAKE_CLIENT_H
#define DSAR_INTAKE_CLIENT_H

#include "base/log.h"
#include "config/config.h"

#include <librdkafka/rdkafka.h>

/* The configuration of one client: brokers, the properties of the configuration file with their secrets read,
 * logging into `log` under `name`. The caller sets the opaque; log callbacks find the log through it, so it
 * must begin with a `struct client_opaque`. Codes "bad_property", "secret_unreadable". */
int client_conf(rd_kafka_conf_t **conf, const struct config *config, struct fault *fault)
    __attribute__((warn_unused_result));

/* What every client's opaque begins with. */
struct client_opaque {
    struct log *log;
    const char *name; /* "consumer" */
};

/* Sets one property that must be accepted. */
int client_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct fault *fault)
    __attribute__((warn_unused_result));

/* Sets one property unless the configuration file does. */
int client_set_default(rd_kafka_conf_t *conf, const struct config *config, const char *name,
                       const char *value, struct fault *fault) __attribute__((warn_unused_result));

/* Makes the client; takes over `conf` in any case. NULL with a fault. */
rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *name, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
