/* Any bytes as a sealed text. What opens is what was once sealed to the key, with the header that it was bound to: no
 * input can seal. */
#include "base/jwe.h"
#include "base/jwk.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* To this key the texts of the corpus are sealed. */
static const char jwk[] =
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"XUy5yWA_9sndCActuO8zPEO-Jxhddy4Nkz3KdLwC9zk\",\"y\":"
    "\"ChQYXEJxe4Ddmag2tBtiTHSZ-jzqmQEjBkCukwbqnHQ\",\"d\":\"VlbTIYdPGh9cpv2WqTuic3JK5m0Bs2Qpa6ccDCgTf3E\"}";

static json_t *load_key(void)
{
    char path[MEMORY_FILE_PATH_MAX];
    struct fault fault;
    json_t *key;
    int fd = memory_file(jwk, sizeof jwk - 1, path);
    if (jwk_load_private(&key, path, JWK_SEAL, &fault))
        abort();
    close(fd);
    return key;
}

static void open_text(const json_t *jwe, const json_t *key)
{
    struct buf text;
    struct fault fault;
    json_t *header;
    buf_init(&text, JWE_TEXT_MAX);
    if (jwe_open(&text, &header, jwe, key, &fault)) {
        if (text.len || header || fault.retryable ||
            (strcmp(fault.code, "bad_jwe") != 0 && strcmp(fault.code, "wrong_key") != 0))
            abort();
    } else {
        const char *subject = json_string_value(json_object_get(header, "sub"));
        if (strcmp(text.data, "a secret") != 0 || !subject || strcmp(subject, "a request") != 0)
            abort();
        json_decref(header);
    }
    buf_wipe(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_t *key;
    if (!key)
        key = load_key();
    json_t *jwe = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    open_text(jwe, key);
    json_decref(jwe);
    return 0;
}
