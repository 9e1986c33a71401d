/* seal_pool: the worker's blocks and the threads that turn plain blocks into sealed bytes.
 *
 * One pool serves all requests of a process. A block holds plain bytes on the way in, the filtered and the
 * deflated bytes on the way out; all of it lives in secret memory that is wiped between uses. Thread-safe.
 */
#ifndef DSAR_BUNDLE_SEAL_POOL_H
#define DSAR_BUNDLE_SEAL_POOL_H

#include "base/fault.h"

#include <stddef.h>

struct seal_pool;
struct block;

struct seal_pool_options {
    unsigned n_threads; /* threads that filter, deflate and seal; 1 to 64 */
    unsigned n_blocks;  /* at least one for each writer that fills blocks at the same time, and one for each
                           thread */
    size_t block_bytes; /* plain bytes a block takes, 4 KiB to 64 MiB: at least DSAR_PAYLOAD_MAX, the largest
                           record */
};

int seal_pool_new(struct seal_pool **pool, const struct seal_pool_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Stops the threads and frees the blocks. No bundle may be left that uses the pool. NULL is harmless. */
void seal_pool_free(struct seal_pool *pool);

/* The rest is for this room only.
 *
 * A block goes from the free ones to a writer, who fills it; from there through the queue to a thread, which
 * seals it (seal_block) and gives it back. Threads never wait for a block, and a block waits at most for
 * blocks of its own entry that went into the queue before it: so every block that was submitted comes back.
 */

/* The size that blocks were made with. */
size_t seal_pool_block_bytes(const struct seal_pool *pool);

/* An empty block. Waits until there is one. */
struct block *seal_pool_acquire(struct seal_pool *pool);

/* Puts a filled block, whose `seal` and `number` are set, into the queue. */
void seal_pool_submit(struct seal_pool *pool, struct block *block);

/* Wipes a block and gives it back. */
void seal_pool_release(struct seal_pool *pool, struct block *block);

#endif
