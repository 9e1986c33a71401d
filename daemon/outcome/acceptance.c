#include "outcome/acceptance.h"

#include "base/hex.h"

#include <stdio.h>
#include <string.h>

#define KIND          "acceptance"
#define ACCEPTED_FILE "accepted"
#define ATTEMPT_KIND  "attempt"

struct accepted {
    const char *body_sha256;
    const char *source;
    struct origin origin;
    int64_t received_unix_s;
    int64_t due_unix_s;
};

static int point(struct accepted *accepted, const json_t *json, struct fault *fault)
{
    const json_t *received = json_object_get(json, "received"), *due = json_object_get(json, "due");
    accepted->body_sha256 = json_string_value(json_object_get(json, "body_sha256"));
    accepted->source = json_string_value(json_object_get(json, "source"));
    accepted->received_unix_s = json_integer_value(received);
    accepted->due_unix_s = json_integer_value(due);
    if (json_integer_value(json_object_get(json, KIND)) == 1 && accepted->body_sha256 && accepted->source &&
        json_is_integer(received) && json_is_integer(due) &&
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

static json_t *facts_of(const struct request *request, const char *sha256, const char *source,
                        const struct origin *origin, int64_t received_unix_s)
{
    return json_pack("{s:i,s:s,s:s,s:s,s:o,s:I,s:I}", KIND, 1, "request", request->id, "body_sha256", sha256,
                     "source", source, "origin", origin_json(origin), "received", (json_int_t)received_unix_s,
                     "due", (json_int_t)request->due_unix_s);
}

int acceptance_take(const struct records *records, const struct request *request, const char *source,
                    const struct origin *origin, int64_t *received_unix_s, enum acceptance *acceptance,
                    struct fault *fault)
{
    char sha256[HEX_SHA256_MAX];
    struct accepted accepted;
    json_t *json = NULL;
    hex_encode(request->sha256, sizeof request->sha256, sha256);
    json_t *own = facts_of(request, sha256, source, origin, *received_unix_s);
    if (!own)
        return fault_retry(fault, "no_memory", "no memory for an acceptance");
    int result = record_take(records, request->id, ACCEPTED_FILE, KIND, own, &json, fault);
    json_decref(own);
    if (result == 0)
        result = point(&accepted, json, fault);
    if (result == 0) {
        bool same = strcmp(accepted.body_sha256, sha256) == 0;
        *acceptance = !same                                    ? ACCEPTANCE_DIFFERENT
                      : origin_equal(&accepted.origin, origin) ? ACCEPTANCE_OURS
                                                               : ACCEPTANCE_REPEATED;
        if (*acceptance == ACCEPTANCE_OURS)
            *received_unix_s = accepted.received_unix_s;
    }
    json_decref(json);
    return result;
}

int acceptance_take_attempt(const struct records *records, const char *request, unsigned n_attempts,
                            const struct origin *place, enum acceptance *acceptance, struct fault *fault)
{
    char file[32];
    struct origin first;
    json_t *json = NULL;
    snprintf(file, sizeof file, "attempt-%u", n_attempts);
    json_t *own = json_pack("{s:i,s:s,s:I,s:o}", ATTEMPT_KIND, 1, "request", request, "attempts",
                            (json_int_t)n_attempts, "place", origin_json(place));
    if (!own)
        return fault_retry(fault, "no_memory", "no memory for an attempt");
    int result = record_take(records, request, file, ATTEMPT_KIND, own, &json, fault);
    json_decref(own);
    if (result == 0 && (json_integer_value(json_object_get(json, ATTEMPT_KIND)) != 1 ||
                        json_integer_value(json_object_get(json, "attempts")) != n_attempts ||
                        !origin_from_json(&first, json_object_get(json, "place"))))
        result = fault_set(fault, "bad_record", "store: %s/%s is no record of that attempt", request, file);
    if (result == 0)
        *acceptance = origin_equal(&first, place) ? ACCEPTANCE_OURS : ACCEPTANCE_REPEATED;
    json_decref(json);
    return result;
}

int acceptance_recall(const struct records *records, const struct request *request, const char *source,
                      const struct origin *origin, bool *accepted, int64_t *received_unix_s,
                      struct fault *fault)
{
    char sha256[HEX_SHA256_MAX];
    struct accepted first;
    json_t *json;
    *accepted = false;
    if (find(records, request->id, &json, &first, fault))
        return fault_is(fault, "not_found") ? 0 : -1;
    hex_encode(request->sha256, sizeof request->sha256, sha256);
    *accepted = strcmp(first.body_sha256, sha256) == 0 && strcmp(first.source, source) == 0 &&
                origin_equal(&first.origin, origin);
    if (*accepted)
        *received_unix_s = first.received_unix_s;
    json_decref(json);
    return 0;
}

int acceptance_find(const struct records *records, const char *request, const unsigned char sha256[32],
                    const char *source, json_t **json, struct origin *origin, int64_t *due_unix_s,
                    struct fault *fault)
{
    char expected[HEX_SHA256_MAX];
    struct accepted accepted;
    *json = NULL;
    if (find(records, request, json, &accepted, fault))
        return fault_is(fault, "not_found") ? 0 : -1;
    hex_encode(sha256, 32, expected);
    if (strcmp(accepted.body_sha256, expected) == 0 && strcmp(accepted.source, source) == 0) {
        *origin = accepted.origin;
        *due_unix_s = accepted.due_unix_s;
    } else {
        json_decref(*json);
        *json = NULL;
    }
    return 0;
}
