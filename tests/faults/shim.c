/* A library for LD_PRELOAD that lets calls of one kind fail, the Nth and so many behind it, as they do when a disk is
 * full, memory is short or descriptors run out. The environment's FAULTS names the file that says which (shim.h).
 *
 * dsard starts its connectors with an empty environment, so they never load this. Memory and threads fail only for the
 * program itself and for libraries that give an error back or are given memory that suffices: librdkafka aborts without
 * memory, by its design, libzip (1.7) writes through a null pointer, and what libc does for itself (the loader, stdio,
 * resolving names) is not this project's to mend.
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RANGES_MAX 16

static struct shim_control *control; /* NULL: nothing fails */

/* Where the code lies whose allocations may fail, and as what. */
static struct {
    uintptr_t begin;
    uintptr_t end;
    enum shim_kind kind;
} ranges[RANGES_MAX];
static size_t n_ranges;

/* --- set up --- */

/* 0: a library whose allocations never fail. */
static enum shim_kind memory_of(const char *path)
{
    static const struct {
        const char *name;
        enum shim_kind kind;
    } libraries[] = {{"/libjansson.", SHIM_MEMORY},
                     {"/libyajl.", SHIM_MEMORY},
                     {"/libjose.", SHIM_MEMORY},
                     {"/libcrypto.", SHIM_CRYPTO}};
    if (!path[0])
        return SHIM_MEMORY; /* the program */
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (strstr(path, libraries[i].name))
            return libraries[i].kind;
    return 0;
}

static int take_ranges(struct dl_phdr_info *info, size_t size, void *data)
{
    (void)size;
    (void)data;
    const enum shim_kind kind = memory_of(info->dlpi_name);
    for (size_t i = 0; kind && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || n_ranges == RANGES_MAX)
            continue;
        ranges[n_ranges].begin = info->dlpi_addr + header->p_vaddr;
        ranges[n_ranges].end = info->dlpi_addr + header->p_vaddr + header->p_memsz;
        ranges[n_ranges++].kind = kind;
    }
    return 0;
}

__attribute__((constructor)) static void set_up(void)
{
    const char *path = getenv("FAULTS");
    int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    dl_iterate_phdr(take_ranges, NULL);
    if (map != MAP_FAILED)
        control = map;
}

/* --- which call fails --- */

static enum shim_kind memory_at(const void *caller)
{
    const uintptr_t at = (uintptr_t)caller;
    for (size_t i = 0; i < n_ranges; i++)
        if (at >= ranges[i].begin && at < ranges[i].end)
            return ranges[i].kind;
    return 0;
}

/* Counts the call; true when it is to fail, with errno set. */
static bool fails(enum shim_kind kind)
{
    if (!control || !kind)
        return false;
    const uint64_t n = atomic_fetch_add(&control->counts[kind - 1], 1) + 1;
    const uint64_t at = atomic_load(&control->at);
    if (atomic_load(&control->kind) != kind || n < at || n - at >= atomic_load(&control->times))
        return false;
    atomic_fetch_add(&control->n_failed, 1);
    errno = (int)atomic_load(&control->error);
    return true;
}

/* Sockets, pipes and terminals have no disk, and a log that went to a file is not what is tested. */
static bool on_disk(int fd)
{
    struct stat st;
    return control && fd > STDERR_FILENO && fstat(fd, &st) == 0 &&
           (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

/* --- disk --- */

ssize_t write(int fd, const void *data, size_t len)
{
    return on_disk(fd) && fails(SHIM_DISK) ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
    return on_disk(fd) && fails(SHIM_DISK) ? -1 : syscall(SYS_pwrite64, fd, data, len, offset);
}

int fsync(int fd)
{
    return on_disk(fd) && fails(SHIM_DISK) ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return on_disk(fd) && fails(SHIM_DISK) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    return fails(SHIM_DISK) ? -1 : (int)syscall(SYS_mkdirat, dir, path, mode);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    return fails(SHIM_DISK) ? -1 : (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return fails(SHIM_DISK) ? -1 : (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
}

/* --- descriptors; what makes a file needs the disk too --- */

static int open_it(int dir, const char *path, int flags, mode_t mode)
{
    const bool makes = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    if (fails(SHIM_DESCRIPTOR) || (makes && fails(SHIM_DISK)))
        return -1;
    return (int)syscall(SYS_openat, dir, path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = va_arg(ap, mode_t); /* means nothing, and is not looked at, where no file is made */
    va_end(ap);
    return open_it(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    va_list ap;
    va_start(ap, flags);
    const mode_t mode = va_arg(ap, mode_t);
    va_end(ap);
    return open_it(dir, path, flags, mode);
}

int socket(int domain, int type, int protocol)
{
    return fails(SHIM_DESCRIPTOR) ? -1 : (int)syscall(SYS_socket, domain, type, protocol);
}

int pipe2(int ends[2], int flags)
{
    return fails(SHIM_DESCRIPTOR) ? -1 : (int)syscall(SYS_pipe2, ends, flags);
}

int eventfd(unsigned value, int flags)
{
    return fails(SHIM_DESCRIPTOR) ? -1 : (int)syscall(SYS_eventfd2, value, flags);
}

int fcntl(int fd, int command, ...)
{
    va_list ap;
    va_start(ap, command);
    const long argument = va_arg(ap, long);
    va_end(ap);
    if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && fails(SHIM_DESCRIPTOR))
        return -1;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* --- memory: glibc's own functions behind its public ones --- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *data, size_t size);

#define MEMORY_FAILS() (control && fails(memory_at(__builtin_return_address(0))))

void *malloc(size_t size)
{
    return MEMORY_FAILS() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return MEMORY_FAILS() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *data, size_t size)
{
    return MEMORY_FAILS() ? NULL : __libc_realloc(data, size);
}

void *reallocarray(void *data, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return MEMORY_FAILS() ? NULL : __libc_realloc(data, bytes);
}

static char *copied(const char *text, size_t len)
{
    char *copy = __libc_malloc(len + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *strdup(const char *text)
{
    return MEMORY_FAILS() ? NULL : copied(text, strlen(text));
}

char *strndup(const char *text, size_t max)
{
    return MEMORY_FAILS() ? NULL : copied(text, strnlen(text, max));
}

void *mmap(void *address, size_t len, int protection, int flags, int fd, off_t offset)
{
    if (MEMORY_FAILS())
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, address, len, protection, flags, fd, offset);
}

/* --- threads and processes --- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (memory_at(__builtin_return_address(0)) == SHIM_MEMORY && fails(SHIM_PROCESS))
        return errno;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return real(thread, attributes, run, argument);
}

pid_t fork(void)
{
    pid_t (*real)(void);
    if (memory_at(__builtin_return_address(0)) == SHIM_MEMORY && fails(SHIM_PROCESS))
        return -1;
    *(void **)&real = dlsym(RTLD_NEXT, "fork");
    return real();
}
