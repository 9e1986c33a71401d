/* deflater: makes self-contained pieces of a raw deflate stream (RFC 1951), fast. One thread at a time. */
#ifndef DSAR_BUNDLE_DEFLATER_H
#define DSAR_BUNDLE_DEFLATER_H

#include "base/fault.h"

#include <stddef.h>

/* An empty last block, which ends a stream of pieces. */
#define DEFLATE_END_BYTES 2
extern const unsigned char deflate_end[DEFLATE_END_BYTES];

struct deflater; /* working memory, secret */

int deflater_new(struct deflater **deflater, struct fault *fault) __attribute__((warn_unused_result));
void deflater_free(struct deflater *deflater);

/* The largest piece that `len` bytes can become. */
size_t deflate_bound(size_t len);

/* Deflates `in`, of 1 byte to 1 GiB, into a piece that ends on a byte and refers to no piece before it.
 * Pieces one after the other are a stream, once deflate_end is behind them. `out` has room for
 * deflate_bound(in_len). Returns the length of the piece, 0 with a fault when ISA-L refuses. */
size_t deflate_piece(struct deflater *deflater, const void *in, size_t in_len, void *out, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
