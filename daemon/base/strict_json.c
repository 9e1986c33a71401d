#include "base/strict_json.h"

int strict_json_read(json_t **object, const void *text, size_t len, struct fault *fault)
{
    json_error_t error = {0}; /* jansson leaves its code as it was where it gives none */
    json_t *json = json_loadb(len ? text : "", len, JSON_REJECT_DUPLICATES, &error);
    *object = NULL;
    if (json_is_object(json)) {
        *object = json;
        return 0;
    }
    if (json) {
        json_decref(json);
        return fault_set(fault, "bad_json", "line 1: expected a JSON object, found a list");
    }
    enum json_error_code code = json_error_code(&error);
    /* jansson gives most failed allocations no code, and every error in the text one */
    if (code == json_error_unknown || code == json_error_out_of_memory)
        return fault_retry(fault, "no_memory", "no memory for %zu bytes of JSON", len);
    return fault_set(fault, "bad_json", "line %d: %s", error.line,
                     code == json_error_duplicate_key ? "a member stands there twice"
                                                      : "expected a JSON object in UTF-8");
}
