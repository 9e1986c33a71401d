#include "outcome/receipt.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/jws.h"

#include <stdlib.h>
#include <string.h>

#define RECEIPT_MAX_BYTES (1024 * 1024)
#define SUFFIX            ".receipt"

bool origin_equal(const struct origin *a, const struct origin *b)
{
    return a->partition == b->partition && a->offset == b->offset && strcmp(a->topic, b->topic) == 0;
}

/* Points the members into receipt->json. False when something is missing or of the wrong type. */
static bool point(struct receipt *receipt)
{
    const json_t *json = receipt->json;
    const json_t *origin = json_object_get(json, "origin"), *event = json_object_get(json, "event");
    const char *type = json_string_value(json_object_get(event, "type"));
    receipt->request = json_string_value(json_object_get(json, "request"));
    receipt->body_sha256 = json_string_value(json_object_get(json, "body_sha256"));
    receipt->origin.topic = json_string_value(json_object_get(origin, "topic"));
    receipt->origin.partition = (int32_t)json_integer_value(json_object_get(origin, "partition"));
    receipt->origin.offset = json_integer_value(json_object_get(origin, "offset"));
    receipt->bundle = json_string_value(json_object_get(json, "bundle"));
    receipt->event_id = json_string_value(json_object_get(event, "id"));
    receipt->event_time = json_string_value(json_object_get(event, "time"));
    receipt->event_data = json_object_get(event, "data");
    return json_integer_value(json_object_get(json, "receipt")) == 1 && receipt->request &&
           receipt->body_sha256 && receipt->origin.topic && receipt->event_id && receipt->event_time &&
           json_is_object(receipt->event_data) && type && event_type_from_name(type, &receipt->type);
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
        new->json = json_pack("{s:i,s:s,s:s,s:{s:s,s:i,s:I},s:s?,s:{s:s,s:s,s:s,s:O}}", "receipt", 1,
                              "request", facts->request->id, "body_sha256", sha256, "origin", "topic",
                              facts->origin->topic, "partition", (int)facts->origin->partition, "offset",
                              (json_int_t)facts->origin->offset, "bundle", facts->bundle, "event", "id", id,
                              "type", event_type_name(facts->type), "time", time, "data", facts->event_data);
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

int receipt_store(const struct receipt *receipt, struct store *store, const char *attempt, const json_t *key,
                  struct fault *fault)
{
    char file[128];
    struct buf signature;
    struct store_object *object = NULL;
    int result = -1;
    snprintf(file, sizeof file, "%s" SUFFIX, attempt);
    buf_init(&signature, JWS_MAX);
    char *line = json_dumps(receipt->json, JSON_COMPACT);
    json_t *header = json_pack("{s:s,s:s}", "typ", "dsard-receipt", "sub", receipt->request);
    if (!line || !header) {
        fault_retry(fault, "no_memory", "no memory for a receipt");
        goto out;
    }
    if (jws_sign(&signature, header, key, line, strlen(line), fault) ||
        store_begin(store, receipt->request, file, &object, fault) ||
        store_write(object, line, strlen(line), fault) || store_write(object, "\n", 1, fault) ||
        store_write(object, signature.data, signature.len, fault) || store_write(object, "\n", 1, fault))
        goto out;
    result = store_commit(object, fault);
    object = NULL;
out:
    store_abort(object);
    free(line);
    json_decref(header);
    buf_wipe(&signature);
    return result;
}

/* Reads what receipt_store wrote; NULL when it is not genuine. */
static struct receipt *parse(char *text, const char *request, const json_t *key)
{
    char *signature = strchr(text, '\n');
    struct fault ignored;
    json_t *header = NULL;
    if (!signature)
        return NULL;
    *signature++ = '\0';
    signature[strcspn(signature, "\n")] = '\0';
    if (jws_verify(signature, key, text, strlen(text), &ignored) || jws_header(&header, signature, &ignored))
        return NULL;
    const char *type = json_string_value(json_object_get(header, "typ"));
    bool is_receipt = type && strcmp(type, "dsard-receipt") == 0;
    json_decref(header);
    struct receipt *receipt = is_receipt ? calloc(1, sizeof *receipt) : NULL;
    if (!receipt)
        return NULL;
    receipt->json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (receipt->json && point(receipt) && strcmp(receipt->request, request) == 0)
        return receipt;
    receipt_free(receipt);
    return NULL;
}

struct search {
    struct store *store;
    const char *request;
    const struct origin *origin;
    const json_t *key;
    struct receipt *found;
    size_t n_bad;
    struct fault *fault;
};

static int look_at(const char *file, void *ctx)
{
    struct search *search = ctx;
    size_t len = strlen(file), suffix_len = strlen(SUFFIX);
    if (len <= suffix_len || strcmp(file + len - suffix_len, SUFFIX) != 0)
        return 0;
    struct buf content;
    buf_init(&content, RECEIPT_MAX_BYTES);
    int result = store_read(search->store, search->request, file, &content, search->fault);
    struct receipt *receipt =
        result || !content.len ? NULL : parse(content.data, search->request, search->key);
    buf_wipe(&content);
    if (result && strcmp(search->fault->code, "too_large") != 0 &&
        strcmp(search->fault->code, "not_found") != 0)
        return -1;
    if (!receipt) {
        search->n_bad++;
        return 0;
    }
    bool better = !search->found || origin_equal(&receipt->origin, search->origin);
    receipt_free(better ? search->found : receipt);
    if (better)
        search->found = receipt;
    return 0;
}

int receipt_find(struct receipt **receipt, struct store *store, const char *request,
                 const struct origin *origin, const json_t *key, size_t *n_bad, struct fault *fault)
{
    struct search search = {.store = store, .request = request, .origin = origin, .key = key, .fault = fault};
    int result = store_each(store, request, look_at, &search, fault);
    if (result)
        receipt_free(search.found);
    if (result == 0 && search.found && (result = store_sync(store, request, fault)) != 0)
        receipt_free(search.found);
    *receipt = result ? NULL : search.found;
    *n_bad = search.n_bad;
    return result;
}
