/* Any bytes as a configuration file: refused or read, for a worker and for a single request. */
#include "config/config.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(const char *path, enum config_use use)
{
    struct config *config;
    char *errors;
    size_t size;
    FILE *out = open_memstream(&errors, &size);
    if (!out)
        abort();
    int result = config_load(&config, path, use, out);
    fclose(out);
    /* what is refused is explained */
    if (result && size == 0)
        abort();
    config_free(config);
    free(errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = memfd_create("config", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    load(path, CONFIG_FOR_RUN);
    load(path, CONFIG_FOR_ONCE);
    close(fd);
    return 0;
}
