/* Any bytes as the data of a request and of a cancellation, and as the value of a structured event. */
#include "intake/cancellation.h"
#include "intake/cloudevent.h"
#include "intake/request.h"
#include "intake/syntax.h"
#include "memory_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of RFC 7515, appendix A.3, which the corpus is sealed to. */
static struct identity_keys *load_keys(void)
{
    static const char jwk[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
        "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}";
    char path[MEMORY_FILE_PATH_MAX];
    struct fault fault;
    struct identity_keys *keys;
    int fd = memory_file(jwk, strlen(jwk), path);
    if (identity_keys_load(&keys, path, &fault))
        abort();
    close(fd);
    return keys;
}

static void parse_cancellation(const void *data, size_t size)
{
    struct fault fault;
    struct cancellation cancellation;
    const bool taken = cancellation_parse(&cancellation, data, size, &fault) == 0;
    if (taken ? !syntax_is_uuid_v4(cancellation.id)
              : fault.retryable || strcmp(fault.code, "bad_cancel") != 0)
        abort();
}

static void parse(const void *data, size_t size)
{
    static struct identity_keys *keys;
    if (!keys)
        keys = load_keys();
    struct fault fault;
    struct request *request;
    enum request_verdict verdict = request_parse(&request, data, size, 1795424400, keys, &fault);
    if ((verdict == REQUEST_UNUSABLE) != !request || (verdict != REQUEST_OK && fault.retryable))
        abort();
    if (verdict == REQUEST_OK && (request->n_identities == 0 || !request->recipient || !request->locale))
        abort();
    (void)request_due(data, size);
    request_free(request);
    parse_cancellation(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct message_header header = {"content-type", "application/cloudevents+json", 28};
    static const struct cloudevent_options options = {.framing = CONFIG_FRAMING_NONE, .max_bytes = 262144};
    const struct message message = {data, size, &header, 1};
    struct fault fault;
    struct cloudevent *event;
    parse(data, size);
    if (cloudevent_decode(&event, &message, &options, &fault) == 0) {
        parse(event->data, event->len);
        cloudevent_free(event);
    } else if (fault.retryable) {
        abort(); /* what is malformed today is malformed tomorrow */
    }
    return 0;
}
