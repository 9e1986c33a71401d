#include "base/clock.h"
#include "base/jwk.h"
#include "ctl/ctl.h"
#include "ctl/kafka.h"
#include "intake/request.h"
#include "intake/signature.h"
#include "outcome/event.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_MAX_BYTES (1024 * 1024)
#define LIFETIME_S        (45 * 86400)
#define DELIVERY_MS       30000

static const char help[] =
    "usage: dsarctl submit --brokers LIST --request FILE --key FILE --source URI --audience TEXT\n"
    "                      [--recipient FILE] [--topic NAME] [--properties FILE]\n\n"
    "Signs a request and puts it on Kafka; prints its id. FILE (or - for standard input) is the request's "
    "JSON; what\n"
    "it leaves out of subject_request_id, submitted_time, api_version and recipient is filled in.\n"
    "  --key         the portal's private signing key (keygen --kind portal)\n"
    "  --source      who asks: ce_source, as //portal.example\n"
    "  --audience    requests.audience of the workers (by default their controller.id)\n"
    "  --recipient   the recipient's JWK (keygen --kind recipient)\n"
    "  --topic       dsar.requests by default\n"
    "  --properties  a file of librdkafka properties, NAME=VALUE a line\n";

struct submit {
    struct ctl_kafka kafka;
    const char *request_path;
    const char *key_path;
    const char *source;
    const char *audience;
    const char *recipient_path;
    const char *topic;
};

struct delivery {
    struct client_opaque opaque; /* first: log callbacks look for it */
    rd_kafka_resp_err_t error;
};

static int set_default(json_t *object, const char *name, json_t *value)
{
    if (!json_object_get(object, name))
        return json_object_set_new(object, name, value);
    json_decref(value);
    return 0;
}

static json_t *sub_object(json_t *object, const char *name)
{
    return set_default(object, name, json_object()) ? NULL : json_object_get(object, name);
}

static int complete_request(json_t *body, const char *recipient_path, struct fault *fault)
{
    char id[37], now[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s(), now);
    if (event_uuid(id, fault))
        return -1;
    json_t *own = sub_object(sub_object(body, "extensions"), "dsard");
    if (!own || set_default(body, "subject_request_id", json_string(id)) ||
        set_default(body, "submitted_time", json_string(now)) ||
        set_default(body, "api_version", json_string("2.0")))
        return fault_set(fault, "bad_request", "the request cannot be completed: expected a JSON object");
    if (!recipient_path)
        return 0;
    json_t *jwk = ctl_read_json(recipient_path, 65536, fault), *public_key;
    if (!jwk)
        return -1;
    json_object_del(jwk, "d"); /* what is sent is the public part, whichever file was named */
    int result = jwk_public(&public_key, jwk, JWK_SEAL, fault);
    if (result)
        fault_prefix(fault, "%s", recipient_path);
    else
        result = set_default(own, "recipient", json_pack("{s:o}", "jwk", public_key));
    json_decref(jwk);
    return result;
}

static int sign(struct outgoing *message, const struct submit *submit, const char *id, struct fault *fault)
{
    json_t *key;
    struct buf signature;
    if (jwk_load_private(&key, submit->key_path, JWK_SIGN, fault))
        return -1;
    const int64_t now = clock_now_unix_s();
    const struct signature_claims claims = {
        .type = REQUEST_TYPE,
        .source = submit->source,
        .request = id,
        .audience = submit->audience,
        .issued_unix_s = now,
        .expires_unix_s = now + LIFETIME_S,
    };
    buf_init(&signature, 4096);
    int result = signature_make(&signature, &claims, key, message->value, message->value_len, fault);
    if (result == 0)
        result = outgoing_header(message, SIGNATURE_HEADER, signature.data, signature.len, fault);
    buf_wipe(&signature);
    json_decref(key);
    return result;
}

static int add_headers(struct outgoing *message, const struct submit *submit, const char *id,
                       struct fault *fault)
{
    char event_id[37], now[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s(), now);
    if (event_uuid(event_id, fault))
        return -1;
    const char *const headers[][2] = {
        {"ce_specversion", "1.0"},           {"ce_id", event_id}, {"ce_source", submit->source},
        {"ce_type", REQUEST_TYPE},           {"ce_time", now},    {"ce_subject", id},
        {"content-type", "application/json"}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (outgoing_text(message, headers[i][0], headers[i][1], fault))
            return -1;
    return sign(message, submit, id, fault);
}

/* The last delivery report's error: a message that could not be delivered leaves the queue too. */
static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *ctx)
{
    (void)client;
    struct delivery *delivery = ctx;
    delivery->error = message->err;
}

static int send_message(const struct submit *submit, const struct outgoing *message, struct fault *fault)
{
    static const char *const properties[][2] = {
        {"enable.idempotence", "true"}, {"message.timeout.ms", "25000"}, {NULL, NULL}};
    struct delivery delivery = {.opaque = {.name = "producer"}};
    rd_kafka_t *producer =
        ctl_kafka_client(&submit->kafka, RD_KAFKA_PRODUCER, &delivery.opaque, properties, delivered, fault);
    if (!producer)
        return -1;
    int result = outgoing_produce(message, producer, fault);
    if (result == 0 && rd_kafka_flush(producer, DELIVERY_MS))
        delivery.error = RD_KAFKA_RESP_ERR__MSG_TIMED_OUT;
    if (result == 0 && delivery.error)
        result = fault_retry(fault, "kafka", "topic %s: the request is not delivered: %s", message->topic,
                             rd_kafka_err2str(delivery.error));
    rd_kafka_destroy(producer);
    return result;
}

static int submit_request(const struct submit *submit, struct fault *fault)
{
    json_t *body = ctl_read_json(submit->request_path, REQUEST_MAX_BYTES, fault);
    char *text = NULL;
    struct outgoing *message = NULL;
    int result = -1;
    if (!body || complete_request(body, submit->recipient_path, fault))
        goto out;
    const char *id = json_string_value(json_object_get(body, "subject_request_id"));
    text = json_dumps(body, JSON_COMPACT);
    if (!id || !text) {
        fault_set(fault, "bad_request", "subject_request_id must be a text");
        goto out;
    }
    /* also when its delivery then fails or is in doubt: it may be sent again under the same id */
    puts(id);
    message = outgoing_new(submit->topic, id, strlen(id), text, strlen(text), fault);
    if (!message || add_headers(message, submit, id, fault) || send_message(submit, message, fault))
        goto out;
    result = 0;
out:
    outgoing_free(message);
    free(text);
    json_decref(body);
    return result;
}

int ctl_submit(int argc, char **argv)
{
    static const struct option options[] = {
        {"brokers", required_argument, NULL, 'b'},  {"request", required_argument, NULL, 'r'},
        {"key", required_argument, NULL, 'k'},      {"source", required_argument, NULL, 's'},
        {"audience", required_argument, NULL, 'a'}, {"recipient", required_argument, NULL, 'e'},
        {"topic", required_argument, NULL, 't'},    {"properties", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    struct submit submit = {.topic = "dsar.requests"};
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'b': submit.kafka.brokers = optarg; break;
        case 'r': submit.request_path = optarg; break;
        case 'k': submit.key_path = optarg; break;
        case 's': submit.source = optarg; break;
        case 'a': submit.audience = optarg; break;
        case 'e': submit.recipient_path = optarg; break;
        case 't': submit.topic = optarg; break;
        case 'p': submit.kafka.properties_path = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (!submit.kafka.brokers || !submit.request_path || !submit.key_path || !submit.source ||
        !submit.audience || optind != argc)
        return ctl_help(help, 0);
    return submit_request(&submit, &fault) ? ctl_failed("submit", &fault) : CTL_DONE;
}
