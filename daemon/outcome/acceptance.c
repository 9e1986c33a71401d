#include "outcome/acceptance.h"

#include "base/hex.h"

#include <string.h>

#define KIND          "acceptance"
#define ACCEPTED_FILE "accepted"

struct accepted {
    const char *body_sha256;
    const char *source;
    struct origin origin;
};

static int point(struct accepted *accepted, const json_t *json, struct fault *fault)
{
    accepted->body_sha256 = json_string_value(json_object_get(json, "body_sha256"));
    accepted->source = json_string_value(json_object_get(json, "source"));
    if (json_integer_value(json_object_get(json, KIND)) == 1 && accepted->body_sha256 && accepted->source &&
        origin_from_json(&accepted->origin, json_object_get(json, "origin")))
        return 0;
    return fault_set(fault, "bad_record", "store: the acceptance of a request is not of this version");
}

static int find(const struct records *records, const char *request, json_t **json, struct accepted *accepted,
                struct fault *fault)
{
    if (record_read(records, request, ACCEPTED_FILE, KIND, json, fault))
        return -1;
    if (point(accepted, *json, fault) == 0)
        return 0;
    json_decref(*json);
    *json = NULL;
    return -1;
}

static int make(const struct records *records, const struct request *request, const char *sha256,
                const char *source, const struct origin *origin, struct fault *fault)
{
    json_t *json = json_pack("{s:i,s:s,s:s,s:s,s:o}", KIND, 1, "request", request->id, "body_sha256", sha256,
                             "source", source, "origin", origin_json(origin));
    if (!json)
        return fault_retry(fault, "no_memory", "no memory for an acceptance");
    int result = record_store(records, request->id, ACCEPTED_FILE, KIND, json, fault);
    json_decref(json);
    return result;
}

int acceptance_take(const struct records *records, const struct request *request, const char *source,
                    const struct origin *origin, enum acceptance *acceptance, struct fault *fault)
{
    char sha256[HEX_SHA256_MAX];
    struct accepted accepted;
    json_t *json;
    hex_encode(request->sha256, sizeof request->sha256, sha256);
    int result = find(records, request->id, &json, &accepted, fault);
    if (result && strcmp(fault->code, "not_found") == 0) {
        *acceptance = ACCEPTANCE_OURS;
        if (make(records, request, sha256, source, origin, fault) == 0)
            return 0;
        if (strcmp(fault->code, "exists") == 0)
            result = find(records, request->id, &json, &accepted, fault);
    }
    if (result)
        return -1;
    bool same = strcmp(accepted.body_sha256, sha256) == 0;
    *acceptance = !same                                    ? ACCEPTANCE_DIFFERENT
                  : origin_equal(&accepted.origin, origin) ? ACCEPTANCE_OURS
                                                           : ACCEPTANCE_REPEATED;
    json_decref(json);
    return store_sync(records->store, request->id, fault);
}

int acceptance_matches(const struct records *records, const char *request, const unsigned char sha256[32],
                       const char *source, bool *matches, struct fault *fault)
{
    char expected[HEX_SHA256_MAX];
    struct accepted accepted;
    json_t *json;
    *matches = false;
    if (find(records, request, &json, &accepted, fault))
        return strcmp(fault->code, "not_found") == 0 ? 0 : -1;
    hex_encode(sha256, 32, expected);
    *matches = strcmp(accepted.body_sha256, expected) == 0 && strcmp(accepted.source, source) == 0;
    json_decref(json);
    return 0;
}
