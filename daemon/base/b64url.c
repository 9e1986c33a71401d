#include "base/b64url.h"

#include <jose/b64.h>
#include <stdint.h>

int b64url_decode(struct buf *out, const char *text, size_t len, struct fault *fault)
{
    size_t size = len / 4 * 3 + len % 4 * 3 / 4;
    if (buf_reserve(out, size, fault))
        return -1;
    /* libjose's decoder is as strict as promised, also about left-over bits */
    if (len && jose_b64_dec_buf(text, len, out->data + out->len, size) != size)
        return fault_set(fault, "bad_base64", "expected base64url without padding");
    out->len += size;
    out->data[out->len] = '\0';
    return 0;
}

int b64url_encode(struct buf *out, const void *data, size_t len, struct fault *fault)
{
    if (len > SIZE_MAX / 4 * 3 - 3)
        return fault_set(fault, "too_large", "%zu bytes are too many for base64url", len);
    size_t size = len / 3 * 4 + (len % 3 ? len % 3 + 1 : 0);
    if (buf_reserve(out, size, fault))
        return -1;
    if (size && jose_b64_enc_buf(data, len, out->data + out->len, size) != size)
        return fault_set(fault, "internal", "base64url cannot be written");
    out->len += size;
    out->data[out->len] = '\0';
    return 0;
}
