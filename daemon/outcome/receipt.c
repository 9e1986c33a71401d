#include "outcome/receipt.h"

#include "base/clock.h"
#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND "receipt" /* and the file's name */

/* Points the members into receipt->json. False when something is missing or of the wrong type. */
static bool point(struct receipt *receipt)
{
    const json_t *json = receipt->json, *event = json_object_get(json, "event");
    const char *type = json_string_value(json_object_get(event, "type"));
    receipt->request = json_string_value(json_object_get(json, "request"));
    receipt->body_sha256 = json_string_value(json_object_get(json, "body_sha256"));
    receipt->bundle = json_string_value(json_object_get(json, "bundle"));
    receipt->event_id = json_string_value(json_object_get(event, "id"));
    receipt->event_time = json_string_value(json_object_get(event, "time"));
    receipt->event_data = json_object_get(event, "data");
    return json_integer_value(json_object_get(json, "receipt")) == 1 && receipt->request &&
           receipt->body_sha256 && origin_from_json(&receipt->origin, json_object_get(json, "origin")) &&
           receipt->event_id && receipt->event_time && json_is_object(receipt->event_data) && type &&
           event_type_from_name(type, &receipt->type);
}

/* NULL with a fault. */
static struct receipt *make(const struct receipt_facts *facts, struct fault *fault)
{
    char sha256[HEX_SHA256_MAX], id[37], time[CLOCK_TEXT_MAX];
    hex_encode(facts->body_sha256, 32, sha256);
    if (event_uuid(id, fault))
        return NULL;
    clock_format(clock_now_unix_s(), time);
    struct receipt *new = calloc(1, sizeof *new);
    if (new)
        new->json = json_pack("{s:i,s:s,s:s,s:o,s:s?,s:{s:s,s:s,s:s,s:O}}", "receipt", 1, "request",
                              facts->request, "body_sha256", sha256, "origin", origin_json(facts->origin),
                              "bundle", facts->bundle, "event", "id", id, "type",
                              event_type_name(facts->type), "time", time, "data", facts->event_data);
    if (new &&new->json && point(new))
        return new;
    receipt_free(new);
    fault_retry(fault, "no_memory", "no memory for a receipt");
    return NULL;
}

void receipt_free(struct receipt *receipt)
{
    if (!receipt)
        return;
    json_decref(receipt->json);
    free(receipt);
}

static int check_bundle(const struct receipt *receipt, struct store *store, struct fault *fault)
{
    bool there = true;
    if (receipt->bundle && store_exists(store, receipt->request, receipt->bundle, &there, fault))
        return -1;
    return there ? 0
                 : fault_retry(fault, "bundle_gone",
                               "store: the bundle %s/%s was swept before its receipt was stored",
                               receipt->request, receipt->bundle);
}

static int store(const struct receipt *receipt, const struct records *records, struct fault *fault)
{
    struct store_object *object;
    if (record_write(records, receipt->request, KIND, KIND, receipt->json, &object, fault))
        return -1;
    /* from here on no sweep removes the bundle */
    if (check_bundle(receipt, records->store, fault)) {
        store_abort(object);
        return -1;
    }
    return store_commit(object, fault);
}

static int read_receipt(struct receipt *receipt, const struct records *records, const char *request,
                        struct fault *fault)
{
    if (record_read(records, request, KIND, KIND, &receipt->json, fault))
        return -1;
    if (point(receipt))
        return store_sync(records->store, request, fault);
    return fault_set(fault, "bad_record", "store: %s/" KIND " is not of this version", request);
}

int receipt_find(struct receipt **receipt, const struct records *records, const char *request,
                 struct fault *fault)
{
    *receipt = NULL;
    struct receipt *found = calloc(1, sizeof *found);
    if (!found)
        return fault_retry(fault, "no_memory", "no memory for a receipt");
    if (read_receipt(found, records, request, fault) == 0) {
        *receipt = found;
        return 0;
    }
    receipt_free(found);
    if (fault_is(fault, "not_found"))
        return 0;
    fault->retryable = true;
    return -1;
}

int receipt_take(struct receipt **receipt, const struct receipt_facts *facts, const struct records *records,
                 struct fault *fault)
{
    *receipt = NULL;
    struct receipt *own = make(facts, fault);
    if (!own)
        return -1;
    if (store(own, records, fault) == 0) {
        *receipt = own;
        return 0;
    }
    receipt_free(own);
    if (!fault_is(fault, "exists") || receipt_find(receipt, records, facts->request, fault))
        return -1;
    return *receipt ? 0
                    : fault_retry(fault, "store_failed", "store: the receipt of %s was there and is gone",
                                  facts->request);
}
