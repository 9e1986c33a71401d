/* Any bytes as the text of a detached signature: header, form, and verification by a key that never signs. */
#include "base/jwk.h"
#include "base/jws.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *a_key(void)
{
    struct fault fault;
    json_t *key;
    json_t *jwk = json_pack("{s:s, s:s, s:s, s:s}", "kty", "EC", "crv", "P-256", "x",
                            "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y",
                            "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    if (jwk_public(&key, jwk, JWK_SIGN, &fault))
        abort();
    json_decref(jwk);
    return key;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *key;
    struct fault fault;
    json_t *header;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (!key)
        key = a_key();
    if (jws_header(&header, text, &fault) == 0)
        json_decref(header);
    if (jws_verify(text, key, "forged", 6, &fault) == 0 || fault.retryable)
        abort();
    free(text);
    return 0;
}
