#include "intake/cloudevent.h"

#include "base/clock.h"
#include "base/jws.h"
#include "base/strict_json.h"
#include "intake/signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FRAME_BYTES     5
#define STRUCTURED_TYPE "application/cloudevents"

/* The attributes that are read: as headers with "ce_" before them, or as members. Others are ignored. */
static const char *const attribute_names[] = {"specversion", "id",          "source",         "type",
                                              "time",        "traceparent", "datacontenttype"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int bad(struct fault *fault, const char *what, const char *expected)
{
    return fault_set(fault, "bad_event", "event: `%s` must be %s", what, expected);
}

static int no_memory(struct fault *fault)
{
    return fault_retry(fault, "no_memory", "no memory for an event");
}

static const struct message_header *find(const struct message *message, const char *name)
{
    for (size_t i = 0; i < message->n_headers; i++)
        if (strcmp(message->headers[i].name, name) == 0)
            return &message->headers[i];
    return NULL;
}

static bool is_read(const char *name)
{
    return strncmp(name, "ce_", 3) == 0 || strcmp(name, "content-type") == 0 ||
           strcmp(name, SIGNATURE_HEADER) == 0 || strcmp(name, "traceparent") == 0;
}

/* One who doubles a header could show one value to the checker and another to the user of it. */
static int check_headers(const struct message *message, struct fault *fault)
{
    if (message->n_headers > CLOUDEVENT_HEADERS_MAX)
        return fault_set(fault, "bad_event", "event: more than %d headers", CLOUDEVENT_HEADERS_MAX);
    for (size_t i = 0; i < message->n_headers; i++) {
        const char *name = message->headers[i].name;
        if (is_read(name) && find(message, name) != &message->headers[i])
            return fault_set(fault, "bad_event", "event: a header that is read stands there twice");
    }
    return 0;
}

/* Takes a header's value as text into the attributes. One that is absent is no error. */
static int take_header(json_t *attributes, const char *as, const struct message *message, const char *name,
                       size_t max, struct fault *fault)
{
    const struct message_header *header = find(message, name);
    if (!header)
        return 0;
    if (!header->value || header->len > max || memchr(header->value, '\0', header->len))
        return fault_set(fault, "bad_event", "event: header `%s` must be text of at most %zu bytes", name,
                         max);
    /* the copy is what checks UTF-8 */
    json_t *text = json_stringn(header->value, header->len);
    if (!text)
        return bad(fault, name, "UTF-8");
    return json_object_set_new(attributes, as, text) ? no_memory(fault) : 0;
}

static int take_binary(struct cloudevent *event, const struct message *message, struct fault *fault)
{
    for (size_t i = 0; i < COUNT(attribute_names); i++) {
        char name[32] = "ce_";
        strncat(name, attribute_names[i], sizeof name - sizeof "ce_");
        if (take_header(event->attributes, attribute_names[i], message, name, CLOUDEVENT_ATTRIBUTE_MAX,
                        fault))
            return -1;
    }
    /* some SDKs send ce_datacontenttype besides; the binding says content-type */
    return take_header(event->attributes, "datacontenttype", message, "content-type",
                       CLOUDEVENT_ATTRIBUTE_MAX, fault);
}

/* RFC 4648 section 4. OpenSSL takes '=' anywhere for a zero and drops blanks at the ends, so both are looked
 * for. */
static int decode_base64(struct buf *out, const char *text, size_t len, struct fault *fault)
{
    size_t symbols = strcspn(text, "=");
    if (len == 0 || len % 4 || len > INT32_MAX || len - symbols > 2 ||
        strspn(text + symbols, "=") != len - symbols)
        return bad(fault, "data_base64", "base64 with padding");
    if (buf_reserve(out, len / 4 * 3, fault))
        return -1;
    int whole = EVP_DecodeBlock((unsigned char *)out->data, (const unsigned char *)text, (int)len);
    if (whole < 0 || (size_t)whole != len / 4 * 3)
        return bad(fault, "data_base64", "base64 with padding");
    out->len = (size_t)whole - (len - symbols);
    out->data[out->len] = '\0';
    return 0;
}

static int append_cb(const char *text, size_t len, void *ctx)
{
    return buf_append(ctx, text, len, NULL);
}

static int take_data(struct cloudevent *event, const json_t *root, struct fault *fault)
{
    const json_t *data = json_object_get(root, "data");
    const json_t *encoded = json_object_get(root, "data_base64");
    if (!data == !encoded)
        return bad(fault, "data", "there, or else `data_base64`");
    /* a number can be longer when it is written again, nothing else */
    buf_init(&event->structured, event->len * 8);
    if (encoded && !json_is_string(encoded))
        return bad(fault, "data_base64", "text");
    if (encoded) {
        if (decode_base64(&event->structured, json_string_value(encoded), json_string_length(encoded), fault))
            return -1;
    } else if (json_dump_callback(data, append_cb, &event->structured, JSON_COMPACT | JSON_ENCODE_ANY)) {
        return no_memory(fault);
    }
    event->data = event->structured.data;
    event->len = event->structured.len;
    return 0;
}

static int take_structured(struct cloudevent *event, struct fault *fault)
{
    int result = -1;
    json_t *root;
    struct fault cause;
    if (strict_json_read(&root, event->data, event->len, &cause))
        return cause.retryable ? fault_retry(fault, cause.code, "event: %s", cause.text)
                               : fault_set(fault, "bad_event", "event: %s", cause.text);
    for (size_t i = 0; i < COUNT(attribute_names); i++) {
        json_t *value = json_object_get(root, attribute_names[i]);
        if (!value || json_is_null(value))
            continue;
        if (!json_is_string(value) || json_string_length(value) > CLOUDEVENT_ATTRIBUTE_MAX) {
            fault_set(fault, "bad_event", "event: `%s` must be text of at most %d bytes", attribute_names[i],
                      CLOUDEVENT_ATTRIBUTE_MAX);
            goto out;
        }
        if (json_object_set(event->attributes, attribute_names[i], value)) {
            no_memory(fault);
            goto out;
        }
    }
    result = take_data(event, root, fault);
out:
    json_decref(root);
    return result;
}

/* The printable characters of ASCII without the blank. */
static bool is_token(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static const char *attribute(const struct cloudevent *event, const char *name)
{
    return json_string_value(json_object_get(event->attributes, name));
}

/* application/json or any …+json; what follows a ';' says nothing that JSON does not say itself. */
static bool is_json(const char *type)
{
    size_t len = strcspn(type, "; ");
    return (len == 16 && strncasecmp(type, "application/json", len) == 0) ||
           (len > 5 && memchr(type, '/', len) && strncasecmp(type + len - 5, "+json", 5) == 0);
}

/* 00-<32 hex>-<16 hex>-<2 hex>, lower case, ids not all zero. */
static bool is_traceparent(const char *text)
{
    static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";
    if (!text || strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; i < sizeof form - 1; i++)
        if (form[i] == 'x' ? !strchr("0123456789abcdef", text[i]) : text[i] != form[i])
            return false;
    return strspn(text + 3, "0") < 32 && strspn(text + 36, "0") < 16;
}

static int check_attributes(struct cloudevent *event, struct fault *fault)
{
    static const char *const required[] = {"id", "source", "type"};
    const char *specversion = attribute(event, "specversion");
    const char *time = attribute(event, "time");
    const char *content = attribute(event, "datacontenttype");
    int64_t ignored;
    if (!specversion || strcmp(specversion, "1.0") != 0)
        return bad(fault, "specversion", "1.0");
    for (size_t i = 0; i < COUNT(required); i++) {
        const char *text = attribute(event, required[i]);
        if (!text || !is_token(text))
            return bad(fault, required[i], "there, in printable ASCII without blanks");
    }
    if (time && clock_parse(time, &ignored, NULL))
        return bad(fault, "time", "a time as in 2026-11-23T08:00:00Z (RFC 3339)");
    if (content && !is_json(content))
        return bad(fault, "datacontenttype", "application/json");
    event->id = attribute(event, "id");
    event->source = attribute(event, "source");
    event->type = attribute(event, "type");
    return 0;
}

/* The header of the tracing libraries wins over the attribute. Neither is worth refusing a request for. */
static void choose_traceparent(struct cloudevent *event)
{
    const char *header = attribute(event, "header:traceparent");
    const char *own = attribute(event, "traceparent");
    event->traceparent = is_traceparent(header) ? header : is_traceparent(own) ? own : NULL;
}

static int unframe(struct cloudevent *event, const struct message *message, enum config_framing framing,
                   struct fault *fault)
{
    const unsigned char *value = message->value;
    event->data = value;
    event->len = message->len;
    if (framing == CONFIG_FRAMING_NONE)
        return 0;
    if (message->len < FRAME_BYTES || value[0] != 0)
        return fault_set(fault, "bad_framing",
                         "event: expected Confluent framing: a zero byte and a schema id of 4 bytes");
    event->data = value + FRAME_BYTES;
    event->len -= FRAME_BYTES;
    return 0;
}

/* 1 structured, 0 binary, -1 a content type that is neither. */
static int mode(const struct message *message, struct fault *fault)
{
    const struct message_header *type = find(message, "content-type");
    const size_t prefix = sizeof STRUCTURED_TYPE - 1;
    if (!type || !type->value || type->len < prefix || strncasecmp(type->value, STRUCTURED_TYPE, prefix) != 0)
        return 0;
    const char *rest = (const char *)type->value + prefix;
    size_t len = type->len - prefix;
    bool json = len == 0 || *rest == ';' ||
                (len >= 5 && strncasecmp(rest, "+json", 5) == 0 && (len == 5 || rest[5] == ';'));
    return json ? 1
                : bad(fault, "content-type", "application/cloudevents+json (one event) or application/json");
}

static int fill(struct cloudevent *event, const struct message *message, enum config_framing framing,
                struct fault *fault)
{
    if (check_headers(message, fault) || unframe(event, message, framing, fault))
        return -1;
    int structured = mode(message, fault);
    if (structured < 0 || (structured ? take_structured(event, fault) : take_binary(event, message, fault)))
        return -1;
    if (check_attributes(event, fault) ||
        take_header(event->attributes, "header:signature", message, SIGNATURE_HEADER, JWS_MAX, fault) ||
        take_header(event->attributes, "header:traceparent", message, "traceparent", CLOUDEVENT_ATTRIBUTE_MAX,
                    fault))
        return -1;
    event->signature = attribute(event, "header:signature");
    choose_traceparent(event);
    return 0;
}

int cloudevent_decode(struct cloudevent **event, const struct message *message,
                      const struct cloudevent_options *options, struct fault *fault)
{
    *event = NULL;
    if (!message->value)
        return fault_set(fault, "tombstone", "event: a message without a value");
    if (message->len > options->max_bytes)
        return fault_set(fault, "too_large", "event: %zu bytes where at most %zu are allowed", message->len,
                         options->max_bytes);
    struct cloudevent *decoded = calloc(1, sizeof *decoded);
    if (!decoded)
        return no_memory(fault);
    decoded->attributes = json_object();
    if (!decoded->attributes || fill(decoded, message, options->framing, fault)) {
        if (!decoded->attributes)
            no_memory(fault);
        cloudevent_free(decoded);
        return -1;
    }
    *event = decoded; /* the caller's from here */
    return 0;
}

void cloudevent_free(struct cloudevent *event)
{
    if (!event)
        return;
    buf_wipe(&event->structured);
    json_decref(event->attributes);
    OPENSSL_cleanse(event, sizeof *event);
    free(event);
}
