/* seal_pool: the worker's blocks and the threads that turn plain blocks into sealed bytes.
 *
 * One pool serves all requests of a process. A block holds plain bytes on the way in, the filtered and the deflated
 * bytes on the way out; all of it lives in secret memory that is wiped between uses. Thread-safe.
 */
#ifndef DSAR_BUNDLE_SEAL_POOL_H
#define DSAR_BUNDLE_SEAL_POOL_H

#include "base/fault.h"

#include <stddef.h>

struct seal_pool;

struct seal_pool_options {
    unsigned n_threads;  /* threads that filter, deflate and seal; 1 to 64 */
    unsigned n_blocks;   /* at least one for each writer that fills blocks at the same time, and one for each thread */
    size_t block_bytes;  /* plain bytes a block takes: at least DSAR_PAYLOAD_MAX, the largest record */
};

int seal_pool_new(struct seal_pool **pool, const struct seal_pool_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Stops the threads and frees the blocks. No bundle may be left that uses the pool. NULL is harmless. */
void seal_pool_free(struct seal_pool *pool);

#endif
