#include "ctl/portal.h"

#include "base/clock.h"
#include "base/jwk.h"
#include "intake/signature.h"
#include "intake/trust.h"
#include "outcome/event.h"

#include <string.h>

#define DELIVERY_MS 30000

struct delivery {
    struct client_opaque opaque; /* first: log callbacks look for it */
    rd_kafka_resp_err_t error;
};

bool portal_option(struct portal *portal, int letter, const char *value)
{
    switch (letter) {
    case 'b': portal->kafka.brokers = value; return true;
    case 'k': portal->key_path = value; return true;
    case 's': portal->source = value; return true;
    case 'a': portal->audience = value; return true;
    case 't': portal->topic = value; return true;
    case 'p': portal->kafka.properties_path = value; return true;
    default: return false;
    }
}

bool portal_is_complete(const struct portal *portal)
{
    return portal->kafka.brokers && portal->key_path && portal->source && portal->audience && portal->topic;
}

static int sign(struct outgoing *message, const struct portal *portal, const char *type, const char *request,
                struct fault *fault)
{
    json_t *key;
    struct buf signature;
    if (jwk_load_private(&key, portal->key_path, JWK_SIGN, fault))
        return -1;
    const int64_t now = clock_now_unix_s();
    const struct signature_claims claims = {
        .type = type,
        .source = portal->source,
        .request = request,
        .audience = portal->audience,
        .issued_unix_s = now,
        .expires_unix_s = now + TRUST_LIFETIME_MAX_S,
    };
    buf_init(&signature, 4096);
    int result = signature_make(&signature, &claims, key, message->value, message->value_len, fault);
    if (result == 0)
        result = outgoing_header(message, SIGNATURE_HEADER, signature.data, signature.len, fault);
    buf_wipe(&signature);
    json_decref(key);
    return result;
}

static int add_headers(struct outgoing *message, const struct portal *portal, const char *type,
                       const char *request, struct fault *fault)
{
    char event_id[37], now[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s(), now);
    if (event_uuid(event_id, fault))
        return -1;
    const char *const headers[][2] = {{"ce_specversion", "1.0"},
                                      {"ce_id", event_id},
                                      {"ce_source", portal->source},
                                      {"ce_type", type},
                                      {"ce_time", now},
                                      {"ce_subject", request},
                                      {"content-type", "application/json"}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (outgoing_text(message, headers[i][0], headers[i][1], fault))
            return -1;
    return sign(message, portal, type, request, fault);
}

/* The last delivery report's error: a message that could not be delivered leaves the queue too. */
static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *ctx)
{
    (void)client;
    struct delivery *delivery = ctx;
    delivery->error = message->err;
}

static int deliver(const struct portal *portal, const struct outgoing *message, struct fault *fault)
{
    static const char *const properties[][2] = {
        {"enable.idempotence", "true"}, {"message.timeout.ms", "25000"}, {NULL, NULL}};
    struct delivery delivery = {.opaque = {.name = "producer"}};
    rd_kafka_t *producer =
        ctl_kafka_client(&portal->kafka, RD_KAFKA_PRODUCER, &delivery.opaque, properties, delivered, fault);
    if (!producer)
        return -1;
    int result = outgoing_produce(message, producer, fault);
    if (result == 0 && rd_kafka_flush(producer, DELIVERY_MS))
        delivery.error = RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    if (result == 0 && delivery.error)
        result = fault_retry(fault, "kafka", "topic %s: the event is not delivered: %s", message->topic,
                             rd_kafka_err2str(delivery.error));
    rd_kafka_destroy(producer);
    return result;
}

int portal_send(const struct portal *portal, const char *type, const char *request, const char *data,
                struct fault *fault)
{
    struct outgoing *message =
        outgoing_new(portal->topic, request, strlen(request), data, strlen(data), fault);
    int result =
        !message || add_headers(message, portal, type, request, fault) ? -1 : deliver(portal, message, fault);
    outgoing_free(message);
    return result;
}
