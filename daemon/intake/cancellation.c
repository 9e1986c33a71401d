#include "intake/cancellation.h"

#include "base/hex.h"
#include "base/strict_json.h"
#include "intake/syntax.h"

#include <jansson.h>
#include <string.h>

static int bad(struct fault *fault, const char *member, const char *expected)
{
    return fault_set(fault, "bad_cancel", "cancel: `%s` must be %s", member, expected);
}

static int read_members(struct cancellation *cancellation, const json_t *body, struct fault *fault)
{
    const json_t *version = json_object_get(body, "api_version");
    const char *version_text = json_string_value(version);
    const char *id = json_string_value(json_object_get(body, "subject_request_id"));
    const char *sha256 = json_string_value(json_object_get(body, "body_sha256"));
    if (version && (!version_text || strcmp(version_text, "2.0") != 0))
        return bad(fault, "api_version", "\"2.0\" or absent");
    if (!id || !syntax_is_uuid_v4(id))
        return bad(fault, "subject_request_id", "a UUID of version 4 in lower case");
    if (!sha256 || hex_decode(sha256, cancellation->sha256, sizeof cancellation->sha256))
        return bad(fault, "body_sha256",
                   "the SHA-256 of the request's data as 64 lower-case hexadecimal digits");
    memcpy(cancellation->id, id, sizeof cancellation->id);
    return 0;
}

int cancellation_parse(struct cancellation *cancellation, const void *data, size_t len, struct fault *fault)
{
    json_t *body;
    struct fault cause;
    if (strict_json_read(&body, data, len, &cause))
        return cause.retryable ? fault_retry(fault, cause.code, "cancel: %s", cause.text)
                               : fault_set(fault, "bad_cancel", "cancel: %s", cause.text);
    int result = read_members(cancellation, body, fault);
    json_decref(body);
    return result;
}
