/* Gives a fuzz target each file of a folder, without a fuzzer: reread FOLDER. An empty folder is an error. */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes lie in memory of exactly their size, so that a read past their end is seen. */
static int give(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st)) {
        perror(name);
        return -1;
    }
    size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (!data || read(fd, data, size) != st.st_size) {
        perror(name);
        free(data);
        close(fd);
        return -1;
    }
    close(fd);
    fprintf(stderr, "%s\n", name);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    int n_files = 0, result = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (struct dirent *entry; result == 0 && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        n_files++;
        result = give(dirfd(folder), entry->d_name);
    }
    closedir(folder);
    return result == 0 && n_files > 0 ? 0 : 1;
}
