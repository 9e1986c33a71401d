/* block: a piece of an entry on its way from plain to sealed bytes, in secret memory. For this room only. */
#ifndef DSAR_BUNDLE_BLOCK_H
#define DSAR_BUNDLE_BLOCK_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seal;

struct block {
    struct block *next; /* in the list that holds it: free, queued, or waiting for its turn */
    struct seal *seal;  /* the entry it is of */
    uint64_t number;    /* its place in the entry, from 0 */
    bool last;          /* no other one follows */
    char *raw;
    size_t raw_bytes;
    size_t raw_cap;
    char *filtered;
    size_t filtered_bytes;
    size_t filtered_cap;
    char *sealed; /* deflated, then encrypted in place; room for what `filtered` can become */
    size_t sealed_bytes;
    size_t memory_bytes;
};

/* An empty block for `raw_cap` plain bytes, at least 4096. Memory is taken from the system as it is first
 * written. */
int block_init(struct block *block, size_t raw_cap, struct fault *fault) __attribute__((warn_unused_result));

/* Wipes what the block held and empties it. */
void block_clear(struct block *block);

/* Wipes and frees. A block of zeros is harmless. */
void block_wipe(struct block *block);

#endif
