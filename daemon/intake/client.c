#include "intake/client.h"

#include "base/buf.h"

#include <string.h>

#define SECRET_MAX_BYTES 65536

/* The same properties go to consumer and producers, so each is told of some that only the others use. */
static enum log_level level_of(int syslog_level, const char *facility)
{
    if (strcmp(facility, "CONFWARN") == 0)
        return LOG_LEVEL_DEBUG;
    return syslog_level <= 3 ? LOG_LEVEL_ERROR : syslog_level <= 5 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
}

static void log_cb(const rd_kafka_t *client, int level, const char *facility, const char *text)
{
    const struct client_opaque *opaque = rd_kafka_opaque(client);
    log_line(opaque->log, level_of(level, facility), NULL, "kafka %s: %s: %s", opaque->name, facility, text);
}

int client_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct fault *fault)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        return fault_set(fault, "bad_property", "kafka property %s: %s", name, text);
    return 0;
}

int client_set_default(rd_kafka_conf_t *conf, const struct config *config, const char *name,
                       const char *value, struct fault *fault)
{
    for (size_t i = 0; i < config->kafka.n_properties; i++)
        if (strcmp(config->kafka.properties[i].name, name) == 0)
            return 0;
    return client_set(conf, name, value, fault);
}

/* librdkafka's own message would show the value, so it is not used. */
static int set_secret(rd_kafka_conf_t *conf, const struct config_pair *pair, struct fault *fault)
{
    char ignored[256];
    struct buf secret;
    buf_init(&secret, SECRET_MAX_BYTES);
    int result = buf_read_file(&secret, pair->value, fault);
    if (result == 0) {
        if (!secret.data || secret.len == 0)
            result = fault_set(fault, "secret_unreadable", "kafka property %s: %s is empty", pair->name,
                               pair->value);
        else {
            /* only at the end: a PEM file has many lines */
            while (secret.len && strchr("\r\n", secret.data[secret.len - 1]))
                secret.data[--secret.len] = '\0';
            if (rd_kafka_conf_set(conf, pair->name, secret.data, ignored, sizeof ignored) != RD_KAFKA_CONF_OK)
                result =
                    fault_set(fault, "bad_property", "kafka property %s: the value in %s was not accepted",
                              pair->name, pair->value);
        }
    }
    buf_wipe(&secret);
    return result;
}

int client_conf(rd_kafka_conf_t **conf, const struct config *config, struct fault *fault)
{
    rd_kafka_conf_t *new = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(new, log_cb);
    int result = client_set(new, "bootstrap.servers", config->kafka.brokers, fault) ||
                         client_set(new, "client.id", config->kafka.transactional_id, fault) ||
                         client_set(new, "reconnect.backoff.max.ms", "1000", fault) ||
                         client_set(new, "log.connection.close", "false", fault)
                     ? -1
                     : 0;
    for (size_t i = 0; result == 0 && i < config->kafka.n_properties; i++) {
        const struct config_pair *pair = &config->kafka.properties[i];
        result =
            pair->is_file ? set_secret(new, pair, fault) : client_set(new, pair->name, pair->value, fault);
    }
    if (result) {
        rd_kafka_conf_destroy(new);
        return -1;
    }
    *conf = new;
    return 0;
}

rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, const char *name, struct fault *fault)
{
    char text[256];
    rd_kafka_t *client = rd_kafka_new(type, conf, text, sizeof text);
    if (!client) {
        rd_kafka_conf_destroy(conf);
        fault_set(fault, "bad_property", "kafka %s: %s", name, text);
    }
    return client;
}
