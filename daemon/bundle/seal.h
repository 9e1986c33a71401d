/* seal: one entry's bytes on their way from plain blocks to the spool. For this room only.
 *
 * Blocks are filtered and deflated on the pool's threads in any order; then, in the entry's order, hashed,
 * shown to the filter, encrypted, authenticated and spooled, by whichever thread finds the next one ready. No
 * thread waits for another's block. The first fault ends the work: blocks that come later are only given
 * back.
 */
#ifndef DSAR_BUNDLE_SEAL_H
#define DSAR_BUNDLE_SEAL_H

#include "base/fault.h"
#include "bundle/bundle.h"
#include "bundle/deflater.h"
#include "bundle/seal_pool.h"
#include "bundle/spool.h"

struct seal;

struct seal_options {
    struct seal_pool *pool;
    struct strand *strand;             /* where sealed bytes go, empty; outlives the seal */
    const char *passphrase;            /* used by seal_new only */
    const struct entry_filter *filter; /* copied, may be NULL */
};

/* Takes more than a millisecond, for the keys. */
int seal_new(struct seal **seal, const struct seal_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Waits for the blocks that are on their way, whose bytes need not arrive any more. NULL is harmless. */
void seal_free(struct seal *seal);

/* -1 with the fault that the pool's threads have met, if they have. */
int seal_check(struct seal *seal, struct fault *fault) __attribute__((warn_unused_result));

/* Hands over the entry's next block, which is not empty unless it is the last. By one thread at a time, as
 * all of the above. */
void seal_submit(struct seal *seal, struct block *block, bool last);

/* Whether the filter must be told where the entry ends, by a last block. */
bool seal_wants_last(const struct seal *seal);

/* Waits until all blocks are in the spool and ends the entry's bytes. Fills `bytes` and `sha256` of `info`.
 */
int seal_finish(struct seal *seal, struct entry_info *info, struct fault *fault)
    __attribute__((warn_unused_result));

/* For the pool's threads: does a block's work and gives it back to the pool. */
void seal_block(struct block *block, struct deflater *deflater);

#endif
