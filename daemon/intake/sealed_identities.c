#include "intake/sealed_identities.h"

#include "base/buf.h"
#include "base/jwe.h"
#include "base/strict_json.h"
#include "dsar/protocol.h"
#include "intake/request.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* JSON may write each byte of a value as six (\u0061); 128 are for the names of the members and blanks. */
_Static_assert(REQUEST_IDENTITIES_MAX *(6 * DSAR_IDENTITY_MAX + DSAR_NAME_MAX + 128) <= JWE_TEXT_MAX,
               "what may stand in a request in clear may be sealed");

static int bad(struct fault *fault, const char *why)
{
    return fault_set(fault, "bad_sealed_identities", "request: `extensions.dsard.sealed_identities`: %s",
                     why);
}

static int bad_unless_retryable(struct fault *fault, const struct fault *cause)
{
    return cause->retryable ? fault_retry(fault, cause->code, "%s", cause->text) : bad(fault, cause->text);
}

int sealed_identities_make(json_t **sealed, const char *request, json_t *identities, const json_t *key,
                           struct fault *fault)
{
    int result = -1;
    json_t *header = json_pack("{s:s}", "request", request);
    json_t *content = json_pack("{s:O}", "subject_identities", identities);
    char *text = content ? json_dumps(content, JSON_COMPACT) : NULL;
    *sealed = NULL;
    if (header && text)
        result = jwe_seal(sealed, header, key, text, fault);
    else
        fault_retry(fault, "no_memory", "no memory to seal identities");
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
    json_decref(content);
    json_decref(header);
    return result;
}

/* The key that the protected header names; nothing is proven by that. */
static int find_key(const json_t **key, const json_t *sealed, const struct identity_keys *keys,
                    struct fault *fault)
{
    json_t *header;
    struct fault cause;
    if (jwe_header(&header, sealed, &cause))
        return bad_unless_retryable(fault, &cause);
    const char *kid = json_string_value(json_object_get(header, "kid"));
    *key = kid ? identity_keys_find(keys, kid) : NULL;
    int result = 0;
    if (!kid)
        result = bad(fault, "the protected header must name the key by `kid`");
    else if (!*key)
        result = fault_set(
            fault, "unknown_identity_key",
            "request: `extensions.dsard.sealed_identities` is sealed to a key that the workers do not "
            "have (requests.identity_keys_file)");
    json_decref(header);
    return result;
}

static int read_text(json_t **opened, const struct buf *text, struct fault *fault)
{
    struct fault cause;
    if (strict_json_read(opened, text->data, text->len, &cause))
        return bad_unless_retryable(fault, &cause);
    if (json_object_size(*opened) == 1 && json_object_get(*opened, "subject_identities"))
        return 0;
    json_decref(*opened);
    *opened = NULL;
    return bad(fault, "the sealed text must be an object of `subject_identities` only");
}

int sealed_identities_open(json_t **opened, const json_t *sealed, const char *request,
                           const struct identity_keys *keys, struct fault *fault)
{
    const json_t *key = NULL;
    json_t *header;
    struct buf text;
    struct fault cause;
    *opened = NULL;
    if (find_key(&key, sealed, keys, fault))
        return -1;
    buf_init(&text, JWE_TEXT_MAX);
    if (jwe_open(&text, &header, sealed, key, &cause)) {
        buf_wipe(&text);
        return bad_unless_retryable(fault, &cause);
    }
    const char *bound = json_string_value(json_object_get(header, "request"));
    int result = bound && strcmp(bound, request) == 0
                     ? read_text(opened, &text, fault)
                     : bad(fault, "the protected header must bind this request's id as `request`");
    json_decref(header);
    buf_wipe(&text);
    return result;
}
