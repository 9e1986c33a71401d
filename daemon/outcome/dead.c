#include "outcome/dead.h"

#include "base/clock.h"
#include "base/hex.h"
#include "intake/syntax.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX            "dsar-dead-"
#define SETTLED           PREFIX "settled"
#define SETTLED_PARTITION PREFIX "settled-partition"
#define SETTLED_OFFSET    PREFIX "settled-offset"

static const char *const state_names[] = {
    [DEAD_OPEN] = "open", [DEAD_REPLAYED] = "replayed", [DEAD_DROPPED] = "dropped"};

const char *dead_state_name(enum dead_state state)
{
    return state_names[state];
}

struct outgoing *dead_original(const rd_kafka_message_t *message, const char *topic, struct fault *fault)
{
    return outgoing_forward(topic, message, PREFIX, fault);
}

/* --- letters --- */

static int number_header(struct outgoing *message, const char *name, int64_t value, struct fault *fault)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return outgoing_text(message, name, text, fault);
}

/* What tells the value apart that is not kept. */
static int digest_headers(struct outgoing *letter, const rd_kafka_message_t *message, struct fault *fault)
{
    unsigned char digest[32];
    char sha256[HEX_SHA256_MAX];
    if (!EVP_Digest(message->payload, message->len, digest, NULL, EVP_sha256(), NULL))
        return fault_retry(fault, "no_memory", "no memory for a digest");
    hex_encode(digest, sizeof digest, sha256);
    return number_header(letter, PREFIX "bytes", (int64_t)message->len, fault) ||
                   outgoing_text(letter, PREFIX "sha256", sha256, fault)
               ? -1
               : 0;
}

static int timestamp_headers(struct outgoing *letter, const rd_kafka_message_t *message, struct fault *fault)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(message, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
        return 0;
    return number_header(letter, PREFIX "timestamp", ms, fault) ||
                   outgoing_text(letter, PREFIX "timestamp-type",
                                 type == RD_KAFKA_TIMESTAMP_CREATE_TIME ? "CreateTime" : "LogAppendTime",
                                 fault)
               ? -1
               : 0;
}

static int fact_headers(struct outgoing *letter, const struct config *config,
                        const rd_kafka_message_t *message, const struct fault *why, struct fault *fault)
{
    char now[CLOCK_TEXT_MAX];
    clock_format(clock_now_unix_s(), now);
    return outgoing_text(letter, PREFIX "code", why->code, fault) ||
                   outgoing_text(letter, PREFIX "text", why->text, fault) ||
                   outgoing_text(letter, PREFIX "topic", rd_kafka_topic_name(message->rkt), fault) ||
                   number_header(letter, PREFIX "partition", message->partition, fault) ||
                   number_header(letter, PREFIX "offset", message->offset, fault) ||
                   timestamp_headers(letter, message, fault) ||
                   outgoing_text(letter, PREFIX "consumer-group", config->kafka.group, fault) ||
                   outgoing_text(letter, PREFIX "time", now, fault)
               ? -1
               : 0;
}

struct outgoing *dead_letter(const struct config *config, const rd_kafka_message_t *message,
                             const struct fault *why, struct fault *fault)
{
    bool whole = outgoing_forward_size(message) <= DEAD_BYTES_MAX;
    struct outgoing *letter = whole ? dead_original(message, config->kafka.topics.dead, fault)
                                    : outgoing_new(config->kafka.topics.dead, NULL, 0, NULL, 0, fault);
    if (!letter)
        return NULL;
    if ((!whole && digest_headers(letter, message, fault)) ||
        fact_headers(letter, config, message, why, fault)) {
        outgoing_free(letter);
        return NULL;
    }
    return letter;
}

/* --- reading them --- */

/* Takes a header's value for printing. False when there is none. */
static bool read_text(const rd_kafka_headers_t *headers, const char *name, char *text, size_t size)
{
    const void *value;
    size_t len;
    *text = '\0';
    if (rd_kafka_header_get_last(headers, name, &value, &len) || !value)
        return false;
    if (len > size - 1)
        len = size - 1;
    memcpy(text, value, len);
    text[len] = '\0';
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
    return true;
}

/* A count or an offset; -1 when there is none. */
static int64_t read_number(const rd_kafka_headers_t *headers, const char *name, int64_t max)
{
    char text[24], *end;
    if (!read_text(headers, name, text, sizeof text) || strspn(text, "0123456789") != strlen(text) || !*text)
        return -1;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    return errno || number > max ? -1 : number;
}

static bool read_marker(const rd_kafka_headers_t *headers, struct dead_marker *marker)
{
    char state[16];
    if (!read_text(headers, SETTLED, state, sizeof state))
        return false;
    *marker = (struct dead_marker){
        .place = {(int32_t)read_number(headers, SETTLED_PARTITION, INT32_MAX),
                  read_number(headers, SETTLED_OFFSET, INT64_MAX)},
        .state = strcmp(state, state_names[DEAD_REPLAYED]) == 0 ? DEAD_REPLAYED : DEAD_DROPPED,
    };
    return true;
}

static void read_request(const rd_kafka_message_t *message, char request[REQUEST_ID_LEN + 1])
{
    request[0] = '\0';
    if (!message->key || message->key_len != REQUEST_ID_LEN)
        return;
    memcpy(request, message->key, REQUEST_ID_LEN);
    request[REQUEST_ID_LEN] = '\0';
    if (!syntax_is_uuid_v4(request))
        request[0] = '\0';
}

enum dead_kind dead_read(const rd_kafka_message_t *message, struct dead_facts *facts,
                         struct dead_marker *marker)
{
    rd_kafka_headers_t *headers;
    char time[CLOCK_TEXT_MAX];
    *facts = (struct dead_facts){.place = {message->partition, message->offset}};
    if (rd_kafka_message_headers(message, &headers))
        return DEAD_OTHER;
    if (!read_text(headers, PREFIX "code", facts->code, sizeof facts->code))
        return !message->payload && read_marker(headers, marker) ? DEAD_MARKER : DEAD_OTHER;
    read_text(headers, PREFIX "text", facts->text, sizeof facts->text);
    read_text(headers, PREFIX "topic", facts->topic, sizeof facts->topic);
    if (!read_text(headers, PREFIX "time", time, sizeof time) || clock_parse(time, &facts->time_unix_s, NULL))
        facts->time_unix_s = 0;
    facts->partition = (int32_t)read_number(headers, PREFIX "partition", INT32_MAX);
    facts->offset = read_number(headers, PREFIX "offset", INT64_MAX);
    int64_t former_bytes = read_number(headers, PREFIX "bytes", INT64_MAX);
    facts->kept = former_bytes < 0;
    facts->bytes = facts->kept ? (int64_t)message->len : former_bytes;
    read_request(message, facts->request);
    return DEAD_LETTER;
}

/* --- settling them --- */

struct outgoing *dead_marker(const char *topic, const struct dead_marker *marker, struct fault *fault)
{
    struct outgoing *message = outgoing_new(topic, NULL, 0, NULL, 0, fault);
    if (!message)
        return NULL;
    message->partition = marker->place.partition;
    if (outgoing_text(message, SETTLED, state_names[marker->state], fault) ||
        number_header(message, SETTLED_PARTITION, marker->place.partition, fault) ||
        number_header(message, SETTLED_OFFSET, marker->place.offset, fault)) {
        outgoing_free(message);
        return NULL;
    }
    return message;
}
