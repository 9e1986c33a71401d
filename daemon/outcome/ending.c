#include "outcome/ending.h"

struct ending ending_of(const struct request *request, const struct origin *origin)
{
    return (struct ending){.request = request->id,
                           .body_sha256 = request->sha256,
                           .origin = origin,
                           .due_unix_s = request->due_unix_s};
}

int ending_take(const struct ending *ending, const struct exporter *exporter, enum event_type type,
                const struct fault *why, struct receipt **receipt, struct fault *fault)
{
    json_t *data = event_data(exporter->config, type, ending->request, ending->due_unix_s, why);
    const struct receipt_facts facts = {.request = ending->request,
                                        .body_sha256 = ending->body_sha256,
                                        .origin = ending->origin,
                                        .type = type,
                                        .event_data = data};
    *receipt = NULL;
    if (!data)
        return fault_retry(fault, "no_memory", "no memory for the end of a request");
    int result = receipt_take(receipt, &facts, &exporter->records, fault);
    json_decref(data);
    return result;
}

int ending_withdraw(const struct ending *ending, const struct exporter *exporter, struct receipt **receipt,
                    struct fault *fault)
{
    struct fault why;
    fault_set(&why, "withdrawn", "whoever asked has cancelled the request");
    return ending_take(ending, exporter, EVENT_CANCELLED, &why, receipt, fault);
}
