#include "outcome/answer.h"

#include "base/clock.h"
#include "base/hex.h"
#include "intake/cloudevent.h"
#include "outcome/attempt.h"
#include "outcome/dead.h"

#include <stdio.h>
#include <string.h>

/* The longest pause between two attempts that fail for want of our own resources. */
#define PAUSE_MAX_MS 60000

/* One message on its way to its answers. */
struct answer {
    const struct answerer *answerer;
    struct item *item;
    struct origin origin;
    struct cloudevent *event;
    struct request *request;
    bool trusted;  /* whoever asks may ask */
    bool accepted; /* the portal was told */
};

static const struct config *config_of(const struct answer *answer)
{
    return answer->answerer->exporter->config;
}

/* Puts a message before the item's answers. */
static void add(struct item *item, struct outgoing *message)
{
    message->next = item->answers;
    item->answers = message;
}

/* --- reading --- */

static int decode(struct answer *answer, struct fault *fault)
{
    const rd_kafka_message_t *message = answer->item->message;
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
        .framing = config_of(answer)->kafka.framing,
        .max_bytes = config_of(answer)->requests.max_bytes,
    };
    return cloudevent_decode(&answer->event, &view, &options, fault);
}

static int verify(const struct answer *answer, struct fault *fault)
{
    const rd_kafka_message_t *message = answer->item->message;
    const char *id = answer->request->id;
    if (answer->answerer->exporter->trust) {
        const struct signed_message claim = {
            .type = answer->event->type,
            .source = answer->event->source,
            .request = id,
            .key = message->key,
            .key_len = message->key_len,
            .value = message->payload,
            .value_len = message->len,
            .signature = answer->event->signature,
            .received_unix_s = answer->item->received_unix_s,
        };
        return trust_verify(answer->answerer->exporter->trust, &claim, TRUST_REQUEST,
                            config_of(answer)->requests.audience, fault);
    }
    if (message->key_len != strlen(id) || !message->key || memcmp(message->key, id, message->key_len) != 0)
        return fault_set(fault, "sub_mismatch", "expected the request id as the message's key");
    return 0;
}

/* Reads the message. *why is set when the verdict is not REQUEST_OK; -1 when it cannot be read for want of
 * memory. */
static int read_request(struct answer *answer, enum request_verdict *verdict, struct fault *why)
{
    *verdict = REQUEST_UNUSABLE;
    if (decode(answer, why))
        return why->retryable ? -1 : 0;
    if (strcmp(answer->event->type, REQUEST_TYPE) != 0) {
        fault_set(why, "unknown_type", "expected ce_type " REQUEST_TYPE " on the topic of requests");
        return 0;
    }
    *verdict = request_parse(&answer->request, answer->event->data, answer->event->len,
                             answer->item->received_unix_s, answer->answerer->exporter->identity_keys, why);
    if (*verdict == REQUEST_UNUSABLE)
        return why->retryable ? -1 : 0;
    struct fault distrust;
    if (verify(answer, &distrust)) {
        *verdict = REQUEST_UNUSABLE;
        *why = distrust;
        return why->retryable ? -1 : 0;
    }
    answer->trusted = true;
    return 0;
}

/* --- answering --- */

static int add_dead_letter(const struct answer *answer, const struct fault *why, struct fault *fault)
{
    struct outgoing *letter = dead_letter(config_of(answer), answer->item->message, why, fault);
    if (!letter)
        return -1;
    log_line(answer->answerer->exporter->log, LOG_LEVEL_WARNING, NULL,
             "message %s/%d@%lld is a dead letter: %s (%s)", answer->origin.topic,
             (int)answer->origin.partition, (long long)answer->origin.offset, why->text, why->code);
    add(answer->item, letter);
    return 0;
}

static struct outgoing *make_event(const struct answer *answer, enum event_type type, json_t *data,
                                   struct fault *fault)
{
    char id[37], time[CLOCK_TEXT_MAX];
    if (!data || event_uuid(id, fault)) {
        if (!data)
            fault_retry(fault, "no_memory", "no memory for an event");
        return NULL;
    }
    clock_format(clock_now_unix_s(), time);
    const struct event event = {.type = type,
                                .id = id,
                                .time = time,
                                .request = answer->request->id,
                                .data = data,
                                .traceparent = answer->event->traceparent};
    return event_message(config_of(answer), answer->answerer->exporter->key, &event, fault);
}

/* What was touched, and how it came out: counts and codes of the outcome's event. */
static int add_audit(const struct answer *answer, const struct receipt *receipt, struct fault *fault)
{
    const json_t *own = json_object_get(json_object_get(receipt->event_data, "extensions"), "dsard");
    json_t *sources = json_object_get(own, "sources"), *withheld = json_object_get(own, "withheld");
    json_t *reason = json_object_get(receipt->event_data, "reason");
    json_t *data =
        json_pack("{s:s,s:s,s:s,s:s,s:O*,s:O*,s:O*}", "controller_id", config_of(answer)->controller.id,
                  "subject_request_id", receipt->request, "writer", config_of(answer)->kafka.transactional_id,
                  "outcome", event_type_name(receipt->type), "sources", sources, "withheld", withheld,
                  "reason", reason);
    struct outgoing *message = make_event(answer, EVENT_AUDIT, data, fault);
    json_decref(data);
    if (!message)
        return -1;
    add(answer->item, message);
    return 0;
}

static int add_receipt(const struct answer *answer, const struct receipt *receipt, struct fault *fault)
{
    const struct event event = {
        .type = receipt->type,
        .id = receipt->event_id,
        .time = receipt->event_time,
        .request = receipt->request,
        .data = receipt->event_data,
        .traceparent = answer->event->traceparent,
    };
    struct outgoing *message =
        event_message(config_of(answer), answer->answerer->exporter->key, &event, fault);
    if (!message)
        return -1;
    add(answer->item, message);
    return add_audit(answer, receipt, fault);
}

/* Not a terminal event: the request has had its one. */
static int add_repeated(const struct answer *answer, const struct receipt *receipt, struct fault *fault)
{
    json_t *data = event_data(config_of(answer), EVENT_REPEATED, answer->request->id, 0, NULL);
    json_t *first = json_pack("{s:{s:{s:s,s:s}}}", "dsard", "repeats", "type", event_type_name(receipt->type),
                              "time", receipt->event_time);
    struct outgoing *message = NULL;
    if (data && first && json_object_set(data, "extensions", first) == 0)
        message = make_event(answer, EVENT_REPEATED, data, fault);
    else
        fault_retry(fault, "no_memory", "no memory for an event");
    json_decref(first);
    json_decref(data);
    if (!message)
        return -1;
    add(answer->item, message);
    return 0;
}

static bool same_body(const struct receipt *receipt, const struct request *request)
{
    char sha256[HEX_SHA256_MAX];
    hex_encode(request->sha256, sizeof request->sha256, sha256);
    return strcmp(receipt->body_sha256, sha256) == 0;
}

/* Answers from what the store knows already. *answered is false when it knows nothing. */
static int answer_from_store(const struct answer *answer, bool *answered, struct fault *fault)
{
    struct exporter *exporter = answer->answerer->exporter;
    struct receipt *receipt;
    size_t n_bad;
    if (receipt_find(&receipt, exporter->store, answer->request->id, &answer->origin, exporter->key, &n_bad,
                     fault))
        return -1;
    if (n_bad)
        log_line(exporter->log, LOG_LEVEL_WARNING, answer->request->id,
                 "%zu receipts do not verify and are ignored", n_bad);
    *answered = receipt != NULL;
    if (!receipt)
        return 0;
    int result;
    if (!same_body(receipt, answer->request)) {
        struct fault why;
        fault_set(&why, "id_reused", "another request with this id was answered before: use a fresh UUID");
        result = add_dead_letter(answer, &why, fault);
    } else if (origin_equal(&receipt->origin, &answer->origin)) {
        log_line(exporter->log, LOG_LEVEL_INFO, answer->request->id, "outcome taken from its receipt");
        result = add_receipt(answer, receipt, fault);
    } else {
        result = add_repeated(answer, receipt, fault);
    }
    receipt_free(receipt);
    return result;
}

static void notify(const struct answer *answer, enum event_type type, json_t *extensions)
{
    struct fault fault;
    json_t *data =
        event_data(config_of(answer), type, answer->request->id, answer->request->due_unix_s, NULL);
    if (data && extensions)
        json_object_set(data, "extensions", extensions);
    struct outgoing *message = make_event(answer, type, data, &fault);
    json_decref(data);
    if (message)
        publisher_notify(answer->answerer->publisher, message);
}

static void notify_progress(void *ctx, size_t n_done, size_t n_sources)
{
    json_t *extensions = json_pack("{s:{s:{s:I,s:I}}}", "dsard", "progress", "done", (json_int_t)n_done,
                                   "total", (json_int_t)n_sources);
    notify(ctx, EVENT_PROGRESS, extensions);
    json_decref(extensions);
}

static int export(struct answer *answer, struct fault *fault)
{
    const struct attempt attempt = {
        .exporter = answer->answerer->exporter,
        .request = answer->request,
        .origin = &answer->origin,
        .cancel = answer->item->cancel,
        .progress_cb = notify_progress,
        .ctx = answer,
    };
    struct receipt *receipt;
    if (attempt_run(&attempt, &receipt, fault))
        return -1;
    int result = add_receipt(answer, receipt, fault);
    receipt_free(receipt);
    return result;
}

static int end_request(struct answer *answer, enum event_type type, const struct fault *why,
                       struct fault *fault)
{
    struct receipt *receipt;
    struct exporter *exporter = answer->answerer->exporter;
    log_fault(exporter->log, LOG_LEVEL_WARNING, answer->request->id, event_type_name(type), why);
    if (attempt_end(exporter, answer->request, &answer->origin, type, why, &receipt, fault))
        return -1;
    int result = add_receipt(answer, receipt, fault);
    receipt_free(receipt);
    return result;
}

/* --- the whole --- */

static void forget(struct answer *answer)
{
    request_free(answer->request);
    cloudevent_free(answer->event);
    answer->request = NULL;
    answer->event = NULL;
}

/* From the bytes to the answers, once. */
static int answer_once(struct answer *answer, struct fault *fault)
{
    enum request_verdict verdict;
    struct fault why;
    bool answered = false;
    if (read_request(answer, &verdict, &why)) {
        *fault = why;
        return -1;
    }
    if (verdict == REQUEST_UNUSABLE)
        return add_dead_letter(answer, &why, fault);
    if (answer_from_store(answer, &answered, fault))
        return -1;
    if (answered)
        return 0;
    if (verdict == REQUEST_UNANSWERABLE)
        return end_request(answer, EVENT_REFUSED, &why, fault);
    if (!answer->accepted)
        notify(answer, EVENT_ACCEPTED, NULL);
    answer->accepted = true;
    return export(answer, fault);
}

static void drop_answers(struct item *item)
{
    outgoing_free(item->answers);
    item->answers = NULL;
}

/* Whether another attempt cannot help: the fault does not pass with time, or the time for an answer is over.
 */
static bool is_hopeless(const struct answer *answer, const struct fault *fault)
{
    const struct request *request = answer->request;
    return answer->trusted &&
           (!fault->retryable || (request->due_unix_s && clock_now_unix_s() >= request->due_unix_s));
}

void answer_item(const struct answerer *answerer, struct item *item)
{
    struct answer answer = {
        .answerer = answerer,
        .item = item,
        .origin = {.topic = rd_kafka_topic_name(item->message->rkt),
                   .partition = item->message->partition,
                   .offset = item->message->offset},
    };
    struct log *log = answerer->exporter->log;
    int64_t pause_ms = answerer->exporter->config->retry.first_ms;
    struct fault fault;
    while (answer_once(&answer, &fault)) {
        drop_answers(item);
        if (cancel_raised(item->cancel))
            break;
        if (is_hopeless(&answer, &fault)) {
            struct fault why = fault;
            if (end_request(&answer, EVENT_FAILED, &why, &fault) == 0)
                break;
            drop_answers(item);
        }
        log_fault(log, LOG_LEVEL_ERROR, answer.request ? answer.request->id : NULL,
                  "the attempt failed and will be made again", &fault);
        if (cancel_wait(item->cancel, pause_ms))
            break;
        pause_ms = pause_ms * 2 < PAUSE_MAX_MS ? pause_ms * 2 : PAUSE_MAX_MS;
        forget(&answer);
    }
    forget(&answer);
}
