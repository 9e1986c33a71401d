#include "outcome/reading.h"

#include "base/clock.h"
#include "intake/trust.h"
#include "outcome/acceptance.h"

#include <string.h>

static int decode(struct cloudevent **event, const struct config *config, const rd_kafka_message_t *message,
                  struct fault *fault)
{
    struct message_header list[CLOUDEVENT_HEADERS_MAX + 1];
    struct message view = {.value = message->payload, .len = message->len, .headers = list};
    rd_kafka_headers_t *headers;
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        struct message_header *at = list;
        while (view.n_headers <= CLOUDEVENT_HEADERS_MAX &&
               rd_kafka_header_get_all(headers, view.n_headers, &at->name, &at->value, &at->len) ==
                   RD_KAFKA_RESP_ERR_NO_ERROR) {
            view.n_headers++;
            at++;
        }
    }
    const struct cloudevent_options options = {
        .framing = config->kafka.framing,
        .max_bytes = config->requests.max_bytes,
    };
    return cloudevent_decode(event, &view, &options, fault);
}

static int expect_type(const struct reading *reading, const char *type, const char *topic,
                       struct fault *fault)
{
    if (strcmp(reading->event->type, type) == 0)
        return 0;
    return fault_set(fault, "unknown_type", "expected ce_type %s on the topic of %s", type, topic);
}

/* A parked message whose key is not known is looked at for so long after its time has come: keys are changed worker by
 * worker. */
#define KEY_WAIT_S (6 * 3600)

static bool key_may_come(const struct item *item)
{
    rd_kafka_timestamp_type_t type;
    int64_t now_ms = clock_now_unix_ms(), parked_ms = rd_kafka_message_timestamp(item->message, &type);
    return parked_ms <= now_ms && now_ms < parked_ms + ((int64_t)item->tier->delay_s + KEY_WAIT_S) * 1000;
}

/* Where and when the request came first. A message of a retry topic says so itself, signed by an exporter. */
static int learn_origin(struct reading *reading, const struct exporter *exporter, const struct item *item,
                        struct fault *fault)
{
    const rd_kafka_message_t *message = item->message;
    char request[REQUEST_ID_LEN + 1] = "";
    if (!item->tier) {
        reading->parked = (struct parked){
            .origin = {rd_kafka_topic_name(message->rkt), message->partition, message->offset},
            .received_unix_s = item->received_unix_s,
        };
        return 0;
    }
    if (!message->key || message->key_len != REQUEST_ID_LEN)
        return fault_set(fault, "bad_parking", "expected the request id as the message's key");
    memcpy(request, message->key, REQUEST_ID_LEN);
    if (parking_read(&reading->parked, &reading->parked_json, message, request, exporter->keyring, fault) ==
        0)
        return 0;
    if (fault_is(fault, "unknown_kid") && !key_may_come(item))
        return fault_set(fault, "bad_parking",
                         "header dsar-parked: signed by a key that did not become known in time: if it is an "
                         "exporter's, add its public part to exporter.retired_keys_file");
    return -1;
}

/* Whether whoever wrote the message may ask for this. */
static int verify(const struct reading *reading, const struct exporter *exporter,
                  const rd_kafka_message_t *message, const char *request, int64_t received_unix_s,
                  enum trust_right right, struct fault *fault)
{
    if (exporter->trust) {
        const struct signed_message claim = {
            .type = reading->event->type,
            .source = reading->event->source,
            .request = request,
            .key = message->key,
            .key_len = message->key_len,
            .value = message->payload,
            .value_len = message->len,
            .signature = reading->event->signature,
            .received_unix_s = received_unix_s,
        };
        return trust_verify(exporter->trust, &claim, right, exporter->config->requests.audience, fault);
    }
    if (!message->key || message->key_len != strlen(request) ||
        memcmp(message->key, request, message->key_len) != 0)
        return fault_set(fault, "sub_mismatch", "expected the request id as the message's key");
    return 0;
}

/* By the time when the request came first: a due time may have passed since, keys may have been retired. */
static int judge(struct reading *reading, const struct exporter *exporter, const struct item *item,
                 enum request_verdict *verdict, struct fault *why)
{
    const int64_t received_unix_s = reading->parked.received_unix_s;
    struct fault distrust;
    request_free(reading->request);
    *verdict = request_parse(&reading->request, reading->event->data, reading->event->len, received_unix_s,
                             exporter->identity_keys, why);
    if (*verdict == REQUEST_UNUSABLE)
        return -1;
    if (verify(reading, exporter, item->message, reading->request->id, received_unix_s, TRUST_REQUEST,
               &distrust) == 0)
        return 0;
    *why = distrust;
    return -1;
}

/* Of a message that was accepted, `why` is a change that was made since: its key was taken out, say. */
static int judge_accepted(struct reading *reading, const struct exporter *exporter, const struct item *item,
                          enum request_verdict *verdict, struct fault *why)
{
    if (judge(reading, exporter, item, verdict, why) == 0)
        return 0;
    if (*verdict == REQUEST_UNUSABLE || why->retryable)
        return -1;
    *verdict = REQUEST_UNANSWERABLE;
    return 0;
}

int reading_request(struct reading *reading, const struct exporter *exporter, const struct item *item,
                    enum request_verdict *verdict, struct fault *why)
{
    struct fault unknown;
    bool accepted;
    if (decode(&reading->event, exporter->config, item->message, why) ||
        expect_type(reading, REQUEST_TYPE, "requests", why) || learn_origin(reading, exporter, item, why))
        return -1;
    const int result = judge(reading, exporter, item, verdict, why);
    if (*verdict == REQUEST_UNUSABLE || (result && why->retryable) || (result == 0 && *verdict == REQUEST_OK))
        return result;
    /* it may be read again, long after it was accepted */
    if (acceptance_recall(&exporter->records, reading->request, reading->event->source,
                          &reading->parked.origin, &accepted, &reading->parked.received_unix_s, &unknown)) {
        *why = unknown;
        return -1;
    }
    return accepted ? judge_accepted(reading, exporter, item, verdict, why) : result;
}

int reading_cancellation(struct reading *reading, const struct exporter *exporter, const struct item *item,
                         struct cancellation *cancellation, struct fault *why)
{
    if (decode(&reading->event, exporter->config, item->message, why) ||
        expect_type(reading, CANCELLATION_TYPE, "control", why) ||
        cancellation_parse(cancellation, reading->event->data, reading->event->len, why))
        return -1;
    return verify(reading, exporter, item->message, cancellation->id, item->received_unix_s, TRUST_CANCEL,
                  why);
}

int64_t reading_due(const struct config *config, const rd_kafka_message_t *message)
{
    struct cloudevent *event;
    struct fault ignored;
    if (decode(&event, config, message, &ignored))
        return 0;
    int64_t due_unix_s = request_due(event->data, event->len);
    cloudevent_free(event);
    return due_unix_s;
}

void reading_wipe(struct reading *reading)
{
    request_free(reading->request);
    cloudevent_free(reading->event);
    json_decref(reading->parked_json);
    *reading = (struct reading){0};
}
