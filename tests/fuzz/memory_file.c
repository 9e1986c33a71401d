#include "memory_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int memory_file(const void *data, size_t size, char path[MEMORY_FILE_PATH_MAX])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || fchmod(fd, 0600) || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
    snprintf(path, MEMORY_FILE_PATH_MAX, "/proc/self/fd/%d", fd);
    return fd;
}
