/* Any bytes as a request's data, and as the value of a structured event. */
#include "intake/cloudevent.h"
#include "intake/request.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const void *data, size_t size)
{
    struct fault fault;
    struct request *request;
    enum request_verdict verdict = request_parse(&request, data, size, 1795424400, &fault);
    if ((verdict == REQUEST_UNUSABLE) != !request || (verdict != REQUEST_OK && fault.retryable))
        abort();
    if (verdict == REQUEST_OK && (request->n_identities == 0 || !request->recipient || !request->locale))
        abort();
    request_free(request);
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
