/* Any bytes as a configuration file: refused or read, for a worker and for a single request. */
#include "config/config.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
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
    char path[MEMORY_FILE_PATH_MAX];
    int fd = memory_file(data, size, path);
    load(path, CONFIG_FOR_RUN);
    load(path, CONFIG_FOR_ONCE);
    close(fd);
    return 0;
}
