/* Any bytes as a Kafka message: lines "name: value" (without ": " the header has no value) up to an empty line, then
 * the value. What is read as an event must be one, and the same one however its JSON is laid out. */
#include "base/jws.h"
#include "intake/cloudevent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEADERS_MAX (CLOUDEVENT_HEADERS_MAX + 2)
#define VALUE_MAX   65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory of exactly their size, so that a read past their end is seen. NULL stays NULL. */
static void *copied(const void *data, size_t len)
{
    void *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    if (len)
        memcpy(copy, data, len);
    return copy;
}

static char *text_of(const char *data, size_t len)
{
    char *text = malloc(len + 1);
    if (!text)
        abort();
    memcpy(text, data, len);
    text[len] = '\0';
    return text;
}

static struct message_header header_of(const char *line, size_t len)
{
    const char *separator = memmem(line, len, ": ", 2);
    const size_t name_len = separator ? (size_t)(separator - line) : len;
    struct message_header header = {.name = text_of(line, name_len)};
    if (separator) {
        header.len = len - name_len - 2;
        header.value = copied(separator + 2, header.len);
    }
    return header;
}

/* Takes lines off the input's beginning; what is left is the value. */
static size_t take_headers(struct message_header *headers, const char **at, const char *end)
{
    size_t n = 0;
    while (n < HEADERS_MAX && *at < end) {
        const char *newline = memchr(*at, '\n', (size_t)(end - *at));
        const char *line = *at, *line_end = newline ? newline : end;
        *at = newline ? newline + 1 : end;
        if (line == line_end)
            break;
        headers[n++] = header_of(line, (size_t)(line_end - line));
    }
    return n;
}

static bool token(const char *text)
{
    size_t len = text ? strlen(text) : 0;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0 && len <= CLOUDEVENT_ATTRIBUTE_MAX;
}

static void check(const struct cloudevent *event)
{
    if (!token(event->id) || !token(event->source) || !token(event->type))
        abort();
    if (event->traceparent && strlen(event->traceparent) != 55)
        abort();
    if (event->signature && strlen(event->signature) > JWS_MAX)
        abort();
}

/* NULL when it is refused. */
static struct cloudevent *decode(const struct message *message, enum config_framing framing)
{
    const struct cloudevent_options options = {.framing = framing, .max_bytes = VALUE_MAX};
    struct cloudevent *event;
    struct fault fault;
    if (cloudevent_decode(&event, message, &options, &fault) == 0) {
        check(event);
        return event;
    }
    /* what is malformed today is malformed tomorrow */
    if (event || fault.retryable || !fault.text[0])
        abort();
    return NULL;
}

/* A structured event's data must not depend on blanks and line breaks round it. */
static void check_layout(const struct cloudevent *event, const struct message *message)
{
    json_t *json = json_loadb(message->value, message->len, 0, NULL);
    char *text = json_dumps(json, JSON_INDENT(3));
    if (!json || !text)
        abort();
    struct message other = *message;
    other.value = text;
    other.len = strlen(text);
    struct cloudevent *again = other.len <= VALUE_MAX ? decode(&other, CONFIG_FRAMING_NONE) : NULL;
    if (other.len <= VALUE_MAX &&
        (!again || again->len != event->len || memcmp(again->data, event->data, event->len) != 0))
        abort();
    cloudevent_free(again);
    free(text);
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message_header headers[HEADERS_MAX];
    const char *at = (const char *)data, *end = at + size;
    const size_t n = take_headers(headers, &at, end);
    char *value = copied(at, (size_t)(end - at));
    const struct message message = {value, (size_t)(end - at), headers, n};
    struct cloudevent *event = decode(&message, CONFIG_FRAMING_NONE);
    if (event && n > CLOUDEVENT_HEADERS_MAX)
        abort();
    if (event && event->structured.data)
        check_layout(event, &message);
    cloudevent_free(event);
    cloudevent_free(decode(&message, CONFIG_FRAMING_CONFLUENT));
    for (size_t i = 0; i < n; i++) {
        free((char *)(uintptr_t)headers[i].name);
        free((char *)(uintptr_t)headers[i].value);
    }
    free(value);
    return 0;
}
