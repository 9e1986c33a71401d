/* memory_file: bytes as a file that has no name in any folder, for what reads paths. */
#ifndef DSAR_FUZZ_MEMORY_FILE_H
#define DSAR_FUZZ_MEMORY_FILE_H

#include <stddef.h>

#define MEMORY_FILE_PATH_MAX 64

/* Returns a descriptor, at the file's beginning, that is the caller's to close; until then `path` leads to the
 * file. Only its owner may read it. Aborts when it cannot be made. */
int memory_file(const void *data, size_t size, char path[MEMORY_FILE_PATH_MAX]);

#endif
