#include "intake/signature.h"

#include "base/jws.h"

int signature_make(struct buf *header, const struct signature_claims *claims, const json_t *key,
                   const void *value, size_t len, struct fault *fault)
{
    json_t *bound = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "typ", claims->type, "iss", claims->source,
                              "sub", claims->request, "aud", claims->audience, "iat",
                              (json_int_t)claims->issued_unix_s, "exp", (json_int_t)claims->expires_unix_s);
    if (!bound)
        return fault_retry(fault, "no_memory", "no memory for a signature");
    int result = jws_sign(header, bound, key, value, len, fault);
    json_decref(bound);
    return result;
}
