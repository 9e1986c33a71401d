/* wipe: an allocator that leaves nothing behind, for libraries that hold personal data or secrets in memory
 * of their own (libcurl, yajl). As the C functions of the same name, but what is given back is zeroed first.
 * Thread-safe. */
#ifndef REST_WIPE_H
#define REST_WIPE_H

#include <stddef.h>

void *wipe_malloc(size_t size);
void *wipe_calloc(size_t n, size_t size);
void *wipe_realloc(void *data, size_t size);
char *wipe_strdup(const char *text);
void wipe_free(void *data);

#endif
