#include "base/program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int program_prefix(char *path, size_t cap, struct fault *fault)
{
    ssize_t len = readlink("/proc/self/exe", path, cap);
    if (len < 0 || (size_t)len >= cap)
        return fault_errno(fault, "internal", len < 0 ? errno : ENAMETOOLONG, "the program's own place");
    path[len] = '\0';
    for (int levels = 2; levels > 0; levels--) {
        char *slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    return 0;
}
