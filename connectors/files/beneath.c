#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSIDE (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_beneath(int folder, const char *path, int flags, uint64_t resolve)
{
    const struct open_how how = {.flags = (unsigned)(flags | O_RDONLY | O_CLOEXEC), .resolve = resolve};
    long fd;
    do
        fd = syscall(SYS_openat2, folder, path, &how, sizeof how);
    while (fd < 0 && errno == EINTR);
    return (int)fd;
}

int beneath_folder(int folder, const char *path, bool may_cross)
{
    return open_beneath(folder, path, O_DIRECTORY, may_cross ? INSIDE : INSIDE | RESOLVE_NO_XDEV);
}

int beneath_file(int folder, const char *name)
{
    const int flags = O_NONBLOCK | O_NOCTTY;
    int fd = open_beneath(folder, name, flags | O_NOATIME, INSIDE | RESOLVE_NO_XDEV);
    /* only a file's owner may ask for that */
    return fd < 0 && errno == EPERM ? open_beneath(folder, name, flags, INSIDE | RESOLVE_NO_XDEV) : fd;
}
