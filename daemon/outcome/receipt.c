#include "outcome/receipt.h"

#include "base/clock.h"
#include "base/hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIND   "receipt"
#define SUFFIX ".receipt"

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

int receipt_make(struct receipt **receipt, const struct receipt_facts *facts, struct fault *fault)
{
    char sha256[HEX_SHA256_MAX], id[37], time[CLOCK_TEXT_MAX];
    hex_encode(facts->request->sha256, sizeof facts->request->sha256, sha256);
    if (event_uuid(id, fault))
        return -1;
    clock_format(clock_now_unix_s(), time);
    struct receipt *new = calloc(1, sizeof *new);
    if (new)
        new->json = json_pack("{s:i,s:s,s:s,s:o,s:s?,s:{s:s,s:s,s:s,s:O}}", "receipt", 1, "request",
                              facts->request->id, "body_sha256", sha256, "origin", origin_json(facts->origin),
                              "bundle", facts->bundle, "event", "id", id, "type",
                              event_type_name(facts->type), "time", time, "data", facts->event_data);
    if (!new || !new->json || !point(new)) {
        receipt_free(new);
        return fault_retry(fault, "no_memory", "no memory for a receipt");
    }
    *receipt = new;
    return 0;
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

int receipt_store(const struct receipt *receipt, const struct records *records, const char *attempt,
                  struct fault *fault)
{
    char file[128];
    struct store_object *object;
    snprintf(file, sizeof file, "%s" SUFFIX, attempt);
    if (record_write(records, receipt->request, file, KIND, receipt->json, &object, fault))
        return -1;
    /* from here on no sweep removes the bundle */
    if (check_bundle(receipt, records->store, fault)) {
        store_abort(object);
        return -1;
    }
    return store_commit(object, fault);
}

struct search {
    const struct records *records;
    const char *request;
    const struct origin *origin;
    struct receipt *found;
    size_t n_bad;
    struct fault *fault;
};

/* Takes over `json`. */
static int consider(struct search *search, json_t *json)
{
    struct receipt *receipt = calloc(1, sizeof *receipt);
    if (!receipt) {
        json_decref(json);
        return fault_retry(search->fault, "no_memory", "no memory for a receipt");
    }
    receipt->json = json;
    if (!point(receipt)) {
        receipt_free(receipt);
        search->n_bad++;
        return 0;
    }
    bool better = !search->found || origin_equal(&receipt->origin, search->origin);
    receipt_free(better ? search->found : receipt);
    if (better)
        search->found = receipt;
    return 0;
}

static int look_at(const char *file, void *ctx)
{
    struct search *search = ctx;
    size_t len = strlen(file), suffix_len = strlen(SUFFIX);
    json_t *json;
    if (len <= suffix_len || strcmp(file + len - suffix_len, SUFFIX) != 0)
        return 0;
    if (record_read(search->records, search->request, file, KIND, &json, search->fault) == 0)
        return consider(search, json);
    bool bad = fault_is(search->fault, "bad_record") && !search->fault->retryable;
    search->n_bad += bad;
    return bad || fault_is(search->fault, "not_found") ? 0 : -1;
}

int receipt_find(struct receipt **receipt, const struct records *records, const char *request,
                 const struct origin *origin, size_t *n_bad, struct fault *fault)
{
    struct search search = {.records = records, .request = request, .origin = origin, .fault = fault};
    int result = store_each(records->store, request, look_at, &search, fault);
    if (result == 0 && search.found)
        result = store_sync(records->store, request, fault);
    if (result)
        receipt_free(search.found);
    *receipt = result ? NULL : search.found;
    *n_bad = search.n_bad;
    return result;
}
