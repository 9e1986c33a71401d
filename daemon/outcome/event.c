#include "outcome/event.h"

#include "base/clock.h"
#include "base/jws.h"
#include "intake/signature.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* How long an event's signature holds: as long as the topic keeps it. */
#define SIGNATURE_LIFETIME_S (45 * 86400)

static const struct {
    const char *name;
    const char *request_status; /* OpenDSR 2.0; it has no word for an error */
} types[] = {
    [EVENT_ACCEPTED] = {"org.dsard.accepted.v1", "pending"},
    [EVENT_PROGRESS] = {"org.dsard.progress.v1", "in_progress"},
    [EVENT_COMPLETED] = {"org.dsard.completed.v1", "completed"},
    [EVENT_FAILED] = {"org.dsard.failed.v1", "cancelled"},
    [EVENT_REFUSED] = {"org.dsard.refused.v1", "cancelled"},
    [EVENT_CANCELLED] = {"org.dsard.cancelled.v1", "cancelled"},
    [EVENT_REPEATED] = {"org.dsard.repeated.v1", "completed"},
    [EVENT_RETRYING] = {"org.dsard.retrying.v1", "in_progress"},
    [EVENT_EXPIRED] = {"org.dsard.expired.v1", "completed"},
    [EVENT_AUDIT] = {"org.dsard.audit.v1", "completed"},
};

const char *event_type_name(enum event_type type)
{
    return types[type].name;
}

bool event_type_from_name(const char *name, enum event_type *type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = (enum event_type)i;
            return true;
        }
    }
    return false;
}

json_t *event_data(const struct config *config, enum event_type type, const char *request, int64_t due_unix_s,
                   const struct fault *why)
{
    json_t *data =
        json_pack("{s:s,s:s,s:s,s:s}", "api_version", "2.0", "controller_id", config->controller.id,
                  "subject_request_id", request, "request_status", types[type].request_status);
    if (data && due_unix_s) {
        char due[CLOCK_TEXT_MAX];
        clock_format(due_unix_s, due);
        if (json_object_set_new(data, "expected_completion_time", json_string(due)))
            goto no_memory;
    }
    if (data && why &&
        json_object_set_new(data, "reason", json_pack("{s:s,s:s}", "code", why->code, "text", why->text)))
        goto no_memory;
    return data;
no_memory:
    json_decref(data);
    return NULL;
}

static void write_uuid(unsigned char b[16], unsigned char version, char uuid[37])
{
    b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
    b[8] = (b[8] & 0x3f) | 0x80;
    snprintf(uuid, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
             b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

int event_uuid(char uuid[37], struct fault *fault)
{
    unsigned char b[16];
    if (RAND_bytes(b, sizeof b) != 1)
        return fault_set(fault, "internal", "no random numbers");
    write_uuid(b, 4, uuid);
    return 0;
}

int event_uuid_of(char uuid[37], enum event_type type, const char *request, struct fault *fault)
{
    char name[128];
    unsigned char digest[32];
    int len = snprintf(name, sizeof name, "%s %s", types[type].name, request);
    if (len < 0 || (size_t)len >= sizeof name)
        return fault_set(fault, "internal", "an event's name is too long");
    if (!EVP_Digest(name, (size_t)len, digest, NULL, EVP_sha256(), NULL))
        return fault_retry(fault, "no_memory", "no memory for a digest");
    write_uuid(digest, 8, uuid);
    return 0;
}

static int sign(struct buf *signature, const struct config *config, const json_t *key,
                const struct event *event, const char *value, struct fault *fault)
{
    const int64_t now = clock_now_unix_s();
    const struct signature_claims claims = {
        .type = types[event->type].name,
        .source = config->exporter.source,
        .request = event->request,
        .audience = config->controller.id,
        .issued_unix_s = now,
        .expires_unix_s = now + SIGNATURE_LIFETIME_S,
    };
    return signature_make(signature, &claims, key, value, strlen(value), fault);
}

static int add_headers(struct outgoing *message, const struct config *config, const struct event *event,
                       const struct buf *signature, struct fault *fault)
{
    return outgoing_text(message, "ce_specversion", "1.0", fault) ||
                   outgoing_text(message, "ce_id", event->id, fault) ||
                   outgoing_text(message, "ce_source", config->exporter.source, fault) ||
                   outgoing_text(message, "ce_type", types[event->type].name, fault) ||
                   outgoing_text(message, "ce_time", event->time, fault) ||
                   outgoing_text(message, "ce_subject", event->request, fault) ||
                   outgoing_text(message, "content-type", "application/json", fault) ||
                   outgoing_text(message, "traceparent", event->traceparent, fault) ||
                   outgoing_header(message, SIGNATURE_HEADER, signature->data, signature->len, fault)
               ? -1
               : 0;
}

struct outgoing *event_message(const struct config *config, const json_t *key, const struct event *event,
                               struct fault *fault)
{
    bool audit = event->type == EVENT_AUDIT;
    const char *topic = audit ? config->kafka.topics.audit : config->kafka.topics.events;
    const char *message_key = audit ? config->exporter.source : event->request;
    struct outgoing *message = NULL;
    struct buf signature;
    buf_init(&signature, JWS_MAX);
    char *value = json_dumps(event->data, JSON_COMPACT);
    if (!value)
        fault_retry(fault, "no_memory", "no memory for an event");
    else if (sign(&signature, config, key, event, value, fault) == 0)
        message = outgoing_new(topic, message_key, strlen(message_key), value, strlen(value), fault);
    if (message && add_headers(message, config, event, &signature, fault)) {
        outgoing_free(message);
        message = NULL;
    }
    free(value);
    buf_wipe(&signature);
    return message;
}

json_t *event_json(const struct config *config, const json_t *key, const struct event *event,
                   struct fault *fault)
{
    json_t *json = NULL;
    struct buf signature;
    buf_init(&signature, JWS_MAX);
    char *value = json_dumps(event->data, JSON_COMPACT);
    if (value && sign(&signature, config, key, event, value, fault) == 0)
        json = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:O}", "specversion", "1.0", "id", event->id,
                         "source", config->exporter.source, "type", types[event->type].name, "time",
                         event->time, "subject", event->request, "datacontenttype", "application/json",
                         "dsarsignature", signature.data, "data", event->data);
    if (!value || (!json && signature.len))
        fault_retry(fault, "no_memory", "no memory for an event");
    free(value);
    buf_wipe(&signature);
    return json;
}
