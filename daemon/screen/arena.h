/* arena: memory for a yajl parser, which does not check what its allocator gives and holds personal data.
 *
 * It is set aside at once and cannot run out; what was used is wiped at the end. */
#ifndef DSAR_SCREEN_ARENA_H
#define DSAR_SCREEN_ARENA_H

#include <stddef.h>
#include <yajl/yajl_common.h>

/* What a parser can need for `len` bytes of input: its two buffers double from 2 KiB until the longest string
 * fits, and leave each former size behind; the rest is fixed. */
#define ARENA_CAP(len) (8 * (len) + 32768)

struct arena {
    char *data; /* borrowed, aligned as malloc does; `cap` bytes */
    size_t cap;
    size_t used;
};

/* The allocator that yajl_alloc takes; `arena` outlives the parser. */
yajl_alloc_funcs arena_funcs(struct arena *arena);

void arena_wipe(struct arena *arena);

#endif
