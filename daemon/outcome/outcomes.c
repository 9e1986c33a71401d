#include "outcome/outcomes.h"

#include "base/clock.h"
#include "outcome/dead.h"

static int no_memory(struct fault *fault)
{
    return fault_retry(fault, "no_memory", "no memory for an event");
}

static int add(struct item *item, struct outgoing *message)
{
    if (!message)
        return -1;
    message->next = item->answers;
    item->answers = message;
    return 0;
}

static struct outgoing *make_event(const struct about *about, enum event_type type, const char *id,
                                   const char *time, json_t *data, struct fault *fault)
{
    const struct exporter *exporter = about->exporter;
    const struct event event = {
        .type = type,
        .id = id,
        .time = time,
        .request = about->request,
        .data = data,
        .traceparent = about->traceparent,
    };
    return event_message(exporter->config, keyring_signer(exporter->keyring), &event, fault);
}

/* An event of now, with an id of its own. */
static struct outgoing *make_fresh(const struct about *about, enum event_type type, json_t *data,
                                   struct fault *fault)
{
    char id[37], time[CLOCK_TEXT_MAX];
    if (event_uuid(id, fault))
        return NULL;
    clock_format(clock_now_unix_s(), time);
    return make_event(about, type, id, time, data, fault);
}

/* The members that all events have, and `extension` (taken over; may be NULL) as extensions.dsard. */
static json_t *make_data(const struct about *about, enum event_type type, int64_t due_unix_s,
                         const struct fault *why, json_t *extension)
{
    json_t *data = event_data(about->exporter->config, type, about->request, due_unix_s, why);
    if (!extension || json_object_set_new(data, "extensions", json_pack("{s:o}", "dsard", extension)) == 0)
        return data;
    json_decref(data);
    return NULL;
}

/* What was touched, and how it came out: counts and codes of the outcome's event. */
static int add_audit(const struct about *about, enum event_type outcome, const json_t *outcome_data,
                     struct item *item, struct fault *fault)
{
    const struct config *config = about->exporter->config;
    const json_t *own = json_object_get(json_object_get(outcome_data, "extensions"), "dsard");
    json_t *sources = json_object_get(own, "sources"), *withheld = json_object_get(own, "withheld");
    json_t *reason = json_object_get(outcome_data, "reason");
    json_t *data =
        json_pack("{s:s,s:s,s:s,s:s,s:O*,s:O*,s:O*}", "controller_id", config->controller.id,
                  "subject_request_id", about->request, "writer", config->kafka.transactional_id, "outcome",
                  event_type_name(outcome), "sources", sources, "withheld", withheld, "reason", reason);
    int result = data ? add(item, make_fresh(about, EVENT_AUDIT, data, fault)) : no_memory(fault);
    json_decref(data);
    return result;
}

struct outgoing *outcomes_notice(const struct about *about, enum event_type type, int64_t due_unix_s,
                                 json_t *extension, struct fault *fault)
{
    json_t *data = make_data(about, type, due_unix_s, NULL, extension);
    struct outgoing *message = data ? make_fresh(about, type, data, fault) : NULL;
    if (!data)
        no_memory(fault);
    json_decref(data);
    return message;
}

static enum item_outcome outcome_of(enum event_type terminal)
{
    switch ((int)terminal) {
    case EVENT_COMPLETED: return OUTCOME_COMPLETED;
    case EVENT_REFUSED: return OUTCOME_REFUSED;
    case EVENT_CANCELLED: return OUTCOME_CANCELLED;
    default: return OUTCOME_FAILED;
    }
}

int outcomes_receipt(const struct about *about, const struct receipt *receipt, struct item *item,
                     struct fault *fault)
{
    item->outcome = outcome_of(receipt->type);
    return add(item, make_event(about, receipt->type, receipt->event_id, receipt->event_time,
                                receipt->event_data, fault)) ||
                   add_audit(about, receipt->type, receipt->event_data, item, fault)
               ? -1
               : 0;
}

int outcomes_repeated(const struct about *about, const struct receipt *first, struct item *item,
                      struct fault *fault)
{
    item->outcome = OUTCOME_REPEATED;
    json_t *repeats = first ? json_pack("{s:{s:s,s:s}}", "repeats", "type", event_type_name(first->type),
                                        "time", first->event_time)
                            : json_pack("{s:{s:s}}", "repeats", "type", event_type_name(EVENT_ACCEPTED));
    const char *status =
        first ? json_string_value(json_object_get(first->event_data, "request_status")) : "in_progress";
    json_t *data = repeats ? make_data(about, EVENT_REPEATED, 0, NULL, repeats) : NULL;
    int result = data && json_object_set_new(data, "request_status", json_string(status)) == 0
                     ? add(item, make_fresh(about, EVENT_REPEATED, data, fault))
                     : no_memory(fault);
    json_decref(data);
    return result;
}

static int add_retrying(const struct about *about, const struct retry *retry, struct item *item,
                        struct fault *fault)
{
    char next[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s() + retry->tier->delay_s, next);
    json_t *extension = json_pack("{s:{s:I,s:s}}", "retry", "attempt", (json_int_t)retry->parked->n_attempts,
                                  "next_time", next);
    json_t *data =
        extension ? make_data(about, EVENT_RETRYING, retry->due_unix_s, retry->why, extension) : NULL;
    int result = data ? add(item, make_fresh(about, EVENT_RETRYING, data, fault)) : no_memory(fault);
    json_decref(data);
    return result;
}

int outcomes_parked(const struct about *about, const struct retry *retry, struct item *item,
                    struct fault *fault)
{
    item->outcome = OUTCOME_PARKED;
    return add_retrying(about, retry, item, fault) ||
                   add(item, parking_message(retry->tier, item->message, about->request, retry->parked,
                                             about->exporter->keyring, fault))
               ? -1
               : 0;
}

int outcomes_revoked(const struct about *about, struct item *item, struct fault *fault)
{
    char id[37], time[CLOCK_TEXT_MAX];
    struct fault why;
    fault_set(&why, "revoked", "the request was withdrawn after its end");
    if (event_uuid_of(id, EVENT_EXPIRED, about->request, fault))
        return -1;
    clock_format(clock_now_unix_s(), time);
    json_t *data = make_data(about, EVENT_EXPIRED, 0, &why, NULL);
    int result = data ? add(item, make_event(about, EVENT_EXPIRED, id, time, data, fault)) ||
                            add_audit(about, EVENT_EXPIRED, data, item, fault)
                      : no_memory(fault);
    json_decref(data);
    return result ? -1 : 0;
}

int outcomes_dead(const struct exporter *exporter, const struct fault *why, struct item *item,
                  struct fault *fault)
{
    const rd_kafka_message_t *message = item->message;
    item->outcome = OUTCOME_DEAD;
    if (add(item, dead_letter(exporter->config, message, why, fault)))
        return -1;
    log_line(exporter->log, LOG_LEVEL_WARNING, NULL, "message %s/%d@%lld is a dead letter: %s (%s)",
             rd_kafka_topic_name(message->rkt), (int)message->partition, (long long)message->offset,
             why->text, why->code);
    return 0;
}
