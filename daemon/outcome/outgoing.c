#include "outcome/outgoing.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void *copy(const void *data, size_t len)
{
    void *new = malloc(len ? len : 1);
    if (new &&len)
        memcpy(new, data, len);
    return new;
}

struct outgoing *outgoing_new(const char *topic, const void *key, size_t key_len, const void *value,
                              size_t value_len, struct fault *fault)
{
    struct outgoing *message = calloc(1, sizeof *message);
    if (message) {
        *message = (struct outgoing){
            .topic = topic, .partition = RD_KAFKA_PARTITION_UA, .key_len = key_len, .value_len = value_len};
        message->headers = rd_kafka_headers_new(8);
        message->key = key ? copy(key, key_len) : NULL;
        message->value = value ? copy(value, value_len) : NULL;
    }
    if (!message || !message->headers || (key && !message->key) || (value && !message->value)) {
        outgoing_free(message);
        fault_retry(fault, "no_memory", "no memory for a message to topic %s", topic);
        return NULL;
    }
    return message;
}

int outgoing_header(struct outgoing *message, const char *name, const void *value, size_t len,
                    struct fault *fault)
{
    if (rd_kafka_header_add(message->headers, name, -1, value, (ssize_t)len))
        return fault_retry(fault, "no_memory", "no memory for header %s", name);
    return 0;
}

int outgoing_text(struct outgoing *message, const char *name, const char *text, struct fault *fault)
{
    return text ? outgoing_header(message, name, text, strlen(text), fault) : 0;
}

static int copy_headers(struct outgoing *forward, const rd_kafka_message_t *message, const char *without,
                        struct fault *fault)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(message, &headers))
        return 0;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (strncmp(name, without, strlen(without)) != 0 && outgoing_header(forward, name, value, len, fault))
            return -1;
    return 0;
}

struct outgoing *outgoing_forward(const char *topic, const rd_kafka_message_t *message, const char *without,
                                  struct fault *fault)
{
    struct outgoing *forward =
        outgoing_new(topic, message->key, message->key_len, message->payload, message->len, fault);
    if (!forward || copy_headers(forward, message, without, fault) == 0)
        return forward;
    outgoing_free(forward);
    return NULL;
}

size_t outgoing_forward_size(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t len, size = message->key_len + message->len;
    if (rd_kafka_message_headers(message, &headers))
        return size;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        size += strlen(name) + len + 10;
    return size;
}

static void wipe(void *data, size_t len)
{
    if (data)
        OPENSSL_cleanse(data, len);
    free(data);
}

void outgoing_free(struct outgoing *message)
{
    while (message) {
        struct outgoing *next = message->next;
        wipe(message->key, message->key_len);
        wipe(message->value, message->value_len);
        if (message->headers)
            rd_kafka_headers_destroy(message->headers);
        free(message);
        message = next;
    }
}

int outgoing_produce(const struct outgoing *message, rd_kafka_t *producer, struct fault *fault)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_copy(message->headers);
    if (!headers)
        return fault_retry(fault, "no_memory", "no memory for a message to topic %s", message->topic);
    rd_kafka_resp_err_t error = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(message->topic), RD_KAFKA_V_PARTITION(message->partition),
        RD_KAFKA_V_KEY(message->key, message->key_len), RD_KAFKA_V_VALUE(message->value, message->value_len),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (!error)
        return 0;
    rd_kafka_headers_destroy(headers); /* still ours when the call failed */
    return fault_retry(fault, "kafka", "topic %s: %s", message->topic, rd_kafka_err2str(error));
}
