#include "outcome/record.h"

#include "base/jws.h"
#include "base/strict_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_MAX 64

static void type_of(const char *kind, char type[TYPE_MAX])
{
    snprintf(type, TYPE_MAX, "dsard-%s", kind);
}

static int sign(struct buf *signature, const struct records *records, const char *request, const char *kind,
                const char *line, struct fault *fault)
{
    char type[TYPE_MAX];
    type_of(kind, type);
    json_t *header = json_pack("{s:s,s:s}", "typ", type, "sub", request);
    if (!header)
        return fault_retry(fault, "no_memory", "no memory for a record");
    int result = jws_sign(signature, header, keyring_signer(records->keyring), line, strlen(line), fault);
    json_decref(header);
    return result;
}

int record_write(const struct records *records, const char *request, const char *file, const char *kind,
                 const json_t *json, struct store_object **object, struct fault *fault)
{
    struct buf signature;
    int result = -1;
    *object = NULL;
    buf_init(&signature, JWS_MAX);
    char *line = json_dumps(json, JSON_COMPACT);
    if (!line)
        fault_retry(fault, "no_memory", "no memory for a record");
    else if (strlen(line) > RECORD_MAX_BYTES - JWS_MAX)
        fault_set(fault, "too_large", "store: a %s of %zu bytes: expected at most %d", kind, strlen(line),
                  RECORD_MAX_BYTES - JWS_MAX);
    else if (sign(&signature, records, request, kind, line, fault) == 0 &&
             store_begin(records->store, request, file, object, fault) == 0 &&
             store_write(*object, line, strlen(line), fault) == 0 &&
             store_write(*object, "\n", 1, fault) == 0 &&
             store_write(*object, signature.data, signature.len, fault) == 0)
        result = store_write(*object, "\n", 1, fault);
    if (result) {
        store_abort(*object);
        *object = NULL;
    }
    free(line);
    buf_wipe(&signature);
    return result;
}

int record_store(const struct records *records, const char *request, const char *file, const char *kind,
                 const json_t *json, struct fault *fault)
{
    struct store_object *object;
    if (record_write(records, request, file, kind, json, &object, fault))
        return -1;
    return store_commit(object, fault);
}

static int parse(const struct keyring *keyring, char *text, size_t len, const char *request, const char *kind,
                 json_t **json, struct fault *fault)
{
    char type[TYPE_MAX];
    type_of(kind, type);
    char *signature = len ? memchr(text, '\n', len) : NULL;
    if (!signature)
        return fault_set(fault, "bad_record", "expected an object and a signature, a line each");
    size_t line_len = (size_t)(signature++ - text);
    signature[strcspn(signature, "\n")] = '\0';
    return keyring_verify(keyring, signature, type, request, text, line_len, fault) ||
                   strict_json_read(json, text, line_len, fault)
               ? -1
               : 0;
}

/* A key that is not known may be one that this worker has yet to learn of. */
static int distrust(const char *request, const char *file, const struct fault *why, struct fault *fault)
{
    if (why->retryable)
        return fault_retry(fault, why->code, "%s", why->text);
    if (fault_is(why, "unknown_kid"))
        return fault_retry(
            fault, "bad_record",
            "store: %s/%s was signed by an unknown key: if it is an exporter's, add its public part to "
            "exporter.retired_keys_file",
            request, file);
    return fault_set(fault, "bad_record", "store: %s/%s is no genuine record: %s", request, file, why->text);
}

int record_read(const struct records *records, const char *request, const char *file, const char *kind,
                json_t **json, struct fault *fault)
{
    struct buf content;
    struct fault why = {0};
    *json = NULL;
    buf_init(&content, RECORD_MAX_BYTES);
    int result = store_read(records->store, request, file, &content, fault);
    if (result && fault_is(fault, "too_large"))
        fault_set(fault, "bad_record", "store: %s/%s is larger than a record may be", request, file);
    if (result == 0 && parse(records->keyring, content.data, content.len, request, kind, json, &why))
        result = distrust(request, file, &why, fault);
    buf_wipe(&content);
    return result;
}

int record_take(const struct records *records, const char *request, const char *file, const char *kind,
                json_t *own, json_t **json, struct fault *fault)
{
    int result = record_read(records, request, file, kind, json, fault);
    if (result && fault_is(fault, "not_found")) {
        if (record_store(records, request, file, kind, own, fault) == 0) {
            *json = json_incref(own);
            return 0;
        }
        if (fault_is(fault, "exists"))
            result = record_read(records, request, file, kind, json, fault);
    }
    /* whoever stored it may have died before it was durable */
    if (result == 0 && store_sync(records->store, request, fault)) {
        json_decref(*json);
        *json = NULL;
        result = -1;
    }
    return result;
}
