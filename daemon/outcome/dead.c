#include "outcome/dead.h"

#include "base/hex.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "dsar-dead-"

/* Headers of a former death are left out: the last one counts. */
static int copy_headers(struct outgoing *letter, const rd_kafka_message_t *message, struct fault *fault)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(message, &headers))
        return 0;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++)
        if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 && outgoing_header(letter, name, value, len, fault))
            return -1;
    return 0;
}

static int number_header(struct outgoing *letter, const char *name, int64_t value, struct fault *fault)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return outgoing_text(letter, name, text, fault);
}

static size_t whole_size(const rd_kafka_message_t *message)
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

struct outgoing *dead_letter(const struct config *config, const rd_kafka_message_t *message,
                             const struct fault *why, struct fault *fault)
{
    rd_kafka_timestamp_type_t type;
    bool whole = whole_size(message) <= DEAD_BYTES_MAX;
    struct outgoing *letter = whole ? outgoing_new(config->kafka.topics.dead, message->key, message->key_len,
                                                   message->payload, message->len, fault)
                                    : outgoing_new(config->kafka.topics.dead, NULL, 0, NULL, 0, fault);
    if (!letter)
        return NULL;
    if ((whole ? copy_headers(letter, message, fault) : digest_headers(letter, message, fault)) ||
        outgoing_text(letter, PREFIX "code", why->code, fault) ||
        outgoing_text(letter, PREFIX "text", why->text, fault) ||
        outgoing_text(letter, PREFIX "topic", rd_kafka_topic_name(message->rkt), fault) ||
        number_header(letter, PREFIX "partition", message->partition, fault) ||
        number_header(letter, PREFIX "offset", message->offset, fault) ||
        number_header(letter, PREFIX "timestamp", rd_kafka_message_timestamp(message, &type), fault)) {
        outgoing_free(letter);
        return NULL;
    }
    return letter;
}
