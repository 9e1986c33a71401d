#include "outcome/parking.h"

#include "base/b64url.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/jws.h"
#include "base/strict_json.h"
#include "intake/signature.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HEADER         "dsar-parked"
#define JWS_TYPE       "dsard-parked"
#define FACTS_MAX      2048
#define HEADER_MAX     (JWS_MAX + 2 * FACTS_MAX)
#define N_ATTEMPTS_MAX 1000000

/* --- when and where --- */

static bool in_time(const struct retry_config *retry, const struct retry_tier *tier,
                    const struct parked *parked, int64_t due_unix_s, int64_t now_unix_s)
{
    const int64_t next_unix_s = now_unix_s + tier->delay_s;
    return next_unix_s <= parked->received_unix_s + retry->horizon_s &&
           next_unix_s <= due_unix_s - (int64_t)retry->margin_s;
}

bool parking_place(const struct config *config, const struct parked *parked, int64_t due_unix_s,
                   int64_t now_unix_s, int64_t retry_after_ms, const struct retry_tier **tier)
{
    const struct retry_config *retry = &config->retry;
    if (!retry->n_tiers)
        return false;
    const struct retry_tier *last = &retry->tiers[retry->n_tiers - 1];
    const struct retry_tier *at =
        parked->n_attempts < retry->n_tiers ? &retry->tiers[parked->n_attempts - 1] : last;
    if (!in_time(retry, at, parked, due_unix_s, now_unix_s))
        return false;
    while (at < last && (int64_t)at->delay_s * 1000 < retry_after_ms &&
           in_time(retry, at + 1, parked, due_unix_s, now_unix_s))
        at++;
    *tier = at;
    return true;
}

/* --- what rides along --- */

/* Of the value and its signature: a copy with another signature would be taken for one whose key was removed. */
static int digest(const rd_kafka_message_t *message, char sha256[HEX_SHA256_MAX], struct fault *fault)
{
    unsigned char bytes[32];
    rd_kafka_headers_t *headers;
    const void *signature;
    size_t len;
    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, SIGNATURE_HEADER, &signature, &len))
        len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) &&
                EVP_DigestUpdate(ctx, message->payload, message->len) &&
                (!len || EVP_DigestUpdate(ctx, signature, len)) && EVP_DigestFinal_ex(ctx, bytes, NULL);
    EVP_MD_CTX_free(ctx);
    if (!done)
        return fault_retry(fault, "no_memory", "no memory for a digest");
    hex_encode(bytes, sizeof bytes, sha256);
    return 0;
}

static int write_facts(char **text, const rd_kafka_message_t *message, const struct parked *parked,
                       struct fault *fault)
{
    char received[CLOCK_TEXT_MAX], sha256[HEX_SHA256_MAX];
    if (digest(message, sha256, fault))
        return -1;
    clock_format(parked->received_unix_s, received);
    json_t *facts = json_pack("{s:o,s:s,s:I,s:s}", "origin", origin_json(&parked->origin), "received",
                              received, "attempts", (json_int_t)parked->n_attempts, "sha256", sha256);
    *text = facts ? json_dumps(facts, JSON_COMPACT) : NULL;
    json_decref(facts);
    return *text ? 0 : fault_retry(fault, "no_memory", "no memory for a request that is parked");
}

/* Puts the payload between the dots of the detached form. */
static int attach(struct buf *compact, const char *detached, const char *payload, struct fault *fault)
{
    const char *dots = strstr(detached, "..");
    size_t header_len = (size_t)(dots - detached) + 1;
    return buf_append(compact, detached, header_len, fault) ||
                   b64url_encode(compact, payload, strlen(payload), fault) ||
                   buf_append_text(compact, dots + 1, fault)
               ? -1
               : 0;
}

static int sign(struct buf *compact, const char *facts, const char *request, const struct keyring *keyring,
                struct fault *fault)
{
    struct buf detached;
    buf_init(&detached, JWS_MAX);
    json_t *header = json_pack("{s:s,s:s}", "typ", JWS_TYPE, "sub", request);
    int result = header ? jws_sign(&detached, header, keyring_signer(keyring), facts, strlen(facts), fault)
                        : fault_retry(fault, "no_memory", "no memory for a signature");
    if (result == 0)
        result = attach(compact, detached.data, facts, fault);
    json_decref(header);
    buf_wipe(&detached);
    return result;
}

struct outgoing *parking_message(const struct retry_tier *tier, const rd_kafka_message_t *message,
                                 const char *request, const struct parked *parked,
                                 const struct keyring *keyring, struct fault *fault)
{
    struct outgoing *parking = NULL;
    struct buf compact;
    char *facts = NULL;
    buf_init(&compact, HEADER_MAX);
    if (outgoing_forward_size(message) > PARKING_BYTES_MAX)
        fault_set(fault, "too_large", "the message is too large to be parked: expected at most %d bytes",
                  PARKING_BYTES_MAX);
    else if (write_facts(&facts, message, parked, fault) == 0 &&
             sign(&compact, facts, request, keyring, fault) == 0)
        parking = outgoing_forward(tier->topic, message, HEADER, fault);
    if (parking) {
        parking->partition = parked->origin.partition;
        if (outgoing_header(parking, HEADER, compact.data, compact.len, fault)) {
            outgoing_free(parking);
            parking = NULL;
        }
    }
    free(facts);
    buf_wipe(&compact);
    return parking;
}

/* --- and back --- */

static int bad(struct fault *fault, const char *expected)
{
    return fault_set(fault, "bad_parking", "header " HEADER ": expected %s", expected);
}

static int take_header(struct buf *compact, const rd_kafka_message_t *message, struct fault *fault)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(message, &headers) ||
        rd_kafka_header_get_last(headers, HEADER, &value, &len) || !value)
        return bad(fault, "one on a message of a retry topic");
    if (len > HEADER_MAX || memchr(value, '\0', len))
        return bad(fault, "a compact JWS");
    return buf_append(compact, value, len, fault);
}

/* Takes the payload out from between the dots, which leaves the detached form. */
static int detach(struct buf *detached, struct buf *payload, const char *compact, struct fault *fault)
{
    const char *first = strchr(compact, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second)
        return bad(fault, "a compact JWS");
    if (b64url_decode(payload, first + 1, (size_t)(second - first) - 1, fault))
        return fault->retryable ? -1 : bad(fault, "a payload as base64url");
    return buf_append(detached, compact, (size_t)(first - compact) + 1, fault) ||
                   buf_append_text(detached, second, fault)
               ? -1
               : 0;
}

static int read_facts(struct parked *parked, const json_t *facts, const rd_kafka_message_t *message,
                      struct fault *fault)
{
    char sha256[HEX_SHA256_MAX];
    const char *received = json_string_value(json_object_get(facts, "received"));
    const char *expected = json_string_value(json_object_get(facts, "sha256"));
    const json_int_t n_attempts = json_integer_value(json_object_get(facts, "attempts"));
    if (!origin_from_json(&parked->origin, json_object_get(facts, "origin")) || !received || !expected ||
        n_attempts < 1 || n_attempts > N_ATTEMPTS_MAX ||
        clock_parse(received, &parked->received_unix_s, NULL))
        return bad(fault, "origin, received, attempts and sha256");
    if (digest(message, sha256, fault))
        return -1;
    if (strcmp(sha256, expected) != 0)
        return bad(fault, "the value and the signature that were parked");
    parked->n_attempts = (unsigned)n_attempts;
    return 0;
}

static int open_facts(json_t **facts, const char *compact, const char *request, const struct keyring *keyring,
                      struct fault *fault)
{
    struct buf detached, payload;
    buf_init(&detached, HEADER_MAX);
    buf_init(&payload, FACTS_MAX);
    struct fault cause = {0};
    int result = detach(&detached, &payload, compact, fault);
    if (result == 0 &&
        (keyring_verify(keyring, detached.data, JWS_TYPE, request, payload.data, payload.len, &cause) ||
         strict_json_read(facts, payload.data, payload.len, &cause))) {
        /* a key that is not known may be one that this worker has yet to learn of */
        result = cause.retryable || fault_is(&cause, "unknown_kid")
                     ? fault_retry(fault, cause.code, "header " HEADER ": %s", cause.text)
                     : fault_set(fault, "bad_parking", "header " HEADER ": %s", cause.text);
    }
    buf_wipe(&detached);
    buf_wipe(&payload);
    return result;
}

int parking_read(struct parked *parked, json_t **json, const rd_kafka_message_t *message, const char *request,
                 const struct keyring *keyring, struct fault *fault)
{
    struct buf compact;
    buf_init(&compact, HEADER_MAX);
    *json = NULL;
    int result = take_header(&compact, message, fault);
    if (result == 0)
        result = open_facts(json, compact.data, request, keyring, fault);
    if (result == 0)
        result = read_facts(parked, *json, message, fault);
    buf_wipe(&compact);
    if (result) {
        json_decref(*json);
        *json = NULL;
    }
    return result;
}
