#include "outcome/ending.h"

/* Takes over the event's `data`. */
static int take(const struct exporter *exporter, struct receipt_facts *facts, json_t *data,
                struct receipt **receipt, struct fault *fault)
{
    *receipt = NULL;
    if (!data)
        return fault_retry(fault, "no_memory", "no memory for the end of a request");
    facts->event_data = data;
    int result = receipt_make(receipt, facts, fault);
    if (result == 0 && receipt_take(receipt, &exporter->records, fault)) {
        receipt_free(*receipt);
        *receipt = NULL;
        result = -1;
    }
    json_decref(data);
    return result;
}

int ending_take(const struct exporter *exporter, const struct request *request, const struct origin *origin,
                enum event_type type, const struct fault *why, struct receipt **receipt, struct fault *fault)
{
    struct receipt_facts facts = {
        .request = request->id, .body_sha256 = request->sha256, .origin = origin, .type = type};
    return take(exporter, &facts, event_data(exporter->config, type, request->id, request->due_unix_s, why),
                receipt, fault);
}

int ending_withdraw(const struct exporter *exporter, const char *request, const unsigned char *sha256,
                    const struct origin *origin, struct receipt **receipt, struct fault *fault)
{
    struct receipt_facts facts = {
        .request = request, .body_sha256 = sha256, .origin = origin, .type = EVENT_CANCELLED};
    struct fault why;
    fault_set(&why, "withdrawn", "whoever asked has cancelled the request");
    return take(exporter, &facts, event_data(exporter->config, EVENT_CANCELLED, request, 0, &why), receipt,
                fault);
}
