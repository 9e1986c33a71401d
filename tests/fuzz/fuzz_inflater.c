/* Four bytes of a plain size, one of how large the pieces are, then a deflate stream. It is taken as a whole just when
 * it is in pieces, gives the same then, and never more than the plain size. */
#include "base/buf.h"
#include "bundle/inflater.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES 5
#define PLAIN_MAX  ((uint32_t)1 << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

/* The bytes lie in memory of exactly their size. */
static int feed(struct inflater *inflater, const uint8_t *data, size_t len)
{
    struct fault fault;
    uint8_t *piece = malloc(len ? len : 1);
    if (!piece)
        abort();
    if (len)
        memcpy(piece, data, len);
    int result = inflater_feed(inflater, piece, len, &fault);
    if (result && (strcmp(fault.code, "bad_archive") != 0 || fault.retryable))
        abort();
    free(piece);
    return result;
}

static int inflate(struct buf *plain, const uint8_t *data, size_t len, uint32_t bytes, size_t step)
{
    const struct inflater_options options = {.bytes = bytes, .write_cb = collect, .ctx = plain};
    struct inflater *inflater;
    struct fault fault;
    int result = 0;
    buf_init(plain, PLAIN_MAX);
    if (inflater_new(&inflater, &options, &fault))
        abort();
    for (size_t at = 0; result == 0 && at < len; at += step)
        result = feed(inflater, data + at, len - at < step ? len - at : step);
    if (result == 0)
        result = inflater_finish(inflater, &fault);
    inflater_free(inflater);
    if (plain->len > bytes || (result == 0 && plain->len != bytes))
        abort();
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole, pieces;
    uint32_t bytes;
    if (size < HEAD_BYTES)
        return 0;
    memcpy(&bytes, data, sizeof bytes);
    bytes %= PLAIN_MAX;
    const int as_whole = inflate(&whole, data + HEAD_BYTES, size - HEAD_BYTES, bytes, SIZE_MAX / 2);
    const int in_pieces = inflate(&pieces, data + HEAD_BYTES, size - HEAD_BYTES, bytes, 1 + (size_t)data[4]);
    if (as_whole != in_pieces ||
        (as_whole == 0 &&
         (whole.len != pieces.len || (whole.len && memcmp(whole.data, pieces.data, whole.len) != 0))))
        abort();
    buf_wipe(&whole);
    buf_wipe(&pieces);
    return 0;
}
