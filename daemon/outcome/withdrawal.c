#include "outcome/withdrawal.h"

#include "base/hex.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define KIND "withdrawal"

/* What is withdrawn, by whom. */
struct subject {
    const char *request;
    const char *source;
    char body_sha256[HEX_SHA256_MAX];
    char file[sizeof KIND + HEX_SHA256_MAX];
};

/* The file's name follows from body and source, so that one withdrawal never stands in another's place. */
static int name(struct subject *subject, const char *request, const unsigned char sha256[32],
                const char *source, struct fault *fault)
{
    unsigned char digest[32];
    char digits[HEX_SHA256_MAX];
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) && EVP_DigestUpdate(ctx, sha256, 32) &&
                EVP_DigestUpdate(ctx, source, strlen(source)) && EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_MD_CTX_free(ctx);
    if (!done) {
        fault_retry(fault, "no_memory", "no memory for a digest");
        return -1;
    }
    subject->request = request;
    subject->source = source;
    hex_encode(sha256, 32, subject->body_sha256);
    hex_encode(digest, sizeof digest, digits);
    snprintf(subject->file, sizeof subject->file, KIND "-%s", digits);
    return 0;
}

static bool says(const json_t *json, const char *member, const char *expected)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text && strcmp(text, expected) == 0;
}

/* Takes over `json`. */
static int check(const struct subject *subject, json_t *json, struct fault *fault)
{
    bool right = json_integer_value(json_object_get(json, KIND)) == 1 &&
                 says(json, "body_sha256", subject->body_sha256) && says(json, "source", subject->source);
    json_decref(json);
    return right ? 0
                 : fault_set(fault, "bad_record", "store: %s/%s is another request's withdrawal",
                             subject->request, subject->file);
}

int withdrawal_store(const struct records *records, const struct cancellation *cancellation,
                     const char *source, struct fault *fault)
{
    struct subject subject;
    json_t *found;
    if (name(&subject, cancellation->id, cancellation->sha256, source, fault))
        return -1;
    json_t *json = json_pack("{s:i,s:s,s:s,s:s}", KIND, 1, "request", subject.request, "body_sha256",
                             subject.body_sha256, "source", source);
    if (!json)
        return fault_retry(fault, "no_memory", "no memory for a withdrawal");
    int result = record_take(records, subject.request, subject.file, KIND, json, &found, fault);
    json_decref(json);
    return result ? -1 : check(&subject, found, fault);
}

int withdrawal_find(const struct records *records, const struct request *request, const char *source,
                    bool *withdrawn, struct fault *fault)
{
    struct subject subject;
    json_t *json;
    *withdrawn = false;
    if (name(&subject, request->id, request->sha256, source, fault))
        return -1;
    if (record_read(records, subject.request, subject.file, KIND, &json, fault))
        return fault_is(fault, "not_found") ? 0 : -1;
    if (check(&subject, json, fault) || store_sync(records->store, subject.request, fault))
        return -1;
    *withdrawn = true;
    return 0;
}
