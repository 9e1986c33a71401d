#include "screen/arena.h"

#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

/* Each piece carries its size before it. */
#define HEAD alignof(max_align_t)

static size_t rounded(size_t size)
{
    return (size + HEAD - 1) / HEAD * HEAD;
}

static void *take(void *ctx, size_t size)
{
    struct arena *arena = ctx;
    if (size > SIZE_MAX - 2 * HEAD || rounded(size) + HEAD > arena->cap - arena->used)
        return NULL;
    char *piece = arena->data + arena->used;
    memcpy(piece, &size, sizeof size);
    arena->used += HEAD + rounded(size);
    return piece + HEAD;
}

static void *take_more(void *ctx, void *piece, size_t size)
{
    void *more = take(ctx, size);
    if (piece && more) {
        size_t before;
        memcpy(&before, (char *)piece - HEAD, sizeof before);
        memcpy(more, piece, before < size ? before : size);
    }
    return more;
}

static void leave(void *ctx, void *piece)
{
    (void)ctx;
    (void)piece;
}

yajl_alloc_funcs arena_funcs(struct arena *arena)
{
    return (yajl_alloc_funcs){.malloc = take, .realloc = take_more, .free = leave, .ctx = arena};
}

void arena_wipe(struct arena *arena)
{
    OPENSSL_cleanse(arena->data, arena->used);
    arena->used = 0;
}
