#include "wipe.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

void *wipe_malloc(size_t size)
{
    return malloc(size);
}

void *wipe_calloc(size_t n, size_t size)
{
    return calloc(n, size);
}

void wipe_free(void *data)
{
    if (!data)
        return;
    OPENSSL_cleanse(data, malloc_usable_size(data));
    free(data);
}

void *wipe_realloc(void *data, size_t size)
{
    if (!data)
        return malloc(size);
    if (size == 0) {
        wipe_free(data);
        return NULL;
    }
    /* not realloc: it would leave the old bytes behind unwiped */
    size_t old_size = malloc_usable_size(data);
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, data, old_size < size ? old_size : size);
    wipe_free(data);
    return moved;
}

char *wipe_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}
