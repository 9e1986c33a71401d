#include "bundle/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#define RESERVE_MAX ((uint64_t)1 << 20)

struct spool {
    int fd;
    atomic_uint_fast64_t end; /* what lies before is reserved by some strand */
};

static int open_unnamed(const char *dir)
{
    int fd = open(dir, O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    /* some file systems cannot make files without a name */
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/.dsar-spool-XXXXXX", dir);
    if (len < 0 || (size_t)len >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0 && unlink(path)) {
        int error_number = errno;
        close(fd);
        errno = error_number;
        return -1;
    }
    return fd;
}

/* Whatever keeps the spool from its work may be mended while the request is tried again. */
static int failed(struct fault *fault, int error_number, const char *what)
{
    fault_errno(fault, "spool_failed", error_number, "the spool %s", what);
    if (fault)
        fault->retryable = true;
    return -1;
}

int spool_open(struct spool **spool, const char *dir, struct fault *fault)
{
    struct spool *made = malloc(sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a spool");
    made->fd = open_unnamed(dir);
    if (made->fd < 0) {
        int error_number = errno;
        free(made);
        failed(fault, error_number, "gets no file");
        return fault_prefix(fault, "%s", dir);
    }
    atomic_init(&made->end, 0);
    *spool = made;
    return 0;
}

void spool_close(struct spool *spool)
{
    if (!spool)
        return;
    close(spool->fd);
    free(spool);
}

static int write_at(int fd, const char *data, size_t len, uint64_t offset, struct fault *fault)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, data, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed(fault, n < 0 ? errno : EIO, "cannot be written");
        data += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

void strand_init(struct strand *strand, struct spool *spool)
{
    *strand = (struct strand){.spool = spool};
}

void strand_wipe(struct strand *strand)
{
    free(strand->runs);
    *strand = (struct strand){.spool = strand->spool};
}

static int add_run(struct strand *strand, uint64_t offset, struct fault *fault)
{
    if (!strand->runs || strand->n_runs == strand->cap_runs) {
        size_t cap = strand->cap_runs ? strand->cap_runs * 2 : 1;
        struct spool_run *runs = reallocarray(strand->runs, cap, sizeof *runs);
        if (!runs)
            return fault_retry(fault, "no_memory", "no memory for %zu runs of a spool", cap);
        strand->runs = runs;
        strand->cap_runs = cap;
    }
    strand->runs[strand->n_runs++] = (struct spool_run){.offset = offset};
    return 0;
}

/* Reserves room for `len` bytes and, the longer the strand is, for more. */
static int reserve(struct strand *strand, uint64_t len, struct fault *fault)
{
    uint64_t ahead = strand->bytes < RESERVE_MAX ? strand->bytes : RESERVE_MAX;
    uint64_t size = len > ahead ? len : ahead;
    uint64_t offset = atomic_fetch_add_explicit(&strand->spool->end, size, memory_order_relaxed);
    if (offset > INT64_MAX - size)
        return fault_set(fault, "spool_failed", "the spool is larger than a file can be");
    const struct spool_run *last = strand->n_runs ? &strand->runs[strand->n_runs - 1] : NULL;
    if ((!last || last->offset + last->bytes != offset) && add_run(strand, offset, fault))
        return -1;
    strand->reserved_bytes = size;
    return 0;
}

int strand_append(struct strand *strand, const void *data, size_t len, struct fault *fault)
{
    const char *next = data;
    while (len > 0) {
        if (strand->reserved_bytes == 0 && reserve(strand, len, fault))
            return -1;
        struct spool_run *run = &strand->runs[strand->n_runs - 1];
        size_t step = len < strand->reserved_bytes ? len : (size_t)strand->reserved_bytes;
        if (write_at(strand->spool->fd, next, step, run->offset + run->bytes, fault))
            return -1;
        run->bytes += step;
        strand->bytes += step;
        strand->reserved_bytes -= step;
        next += step;
        len -= step;
    }
    return 0;
}

int strand_read(const struct strand *strand, struct strand_cursor *cursor, void *data, size_t len,
                size_t *got, struct fault *fault)
{
    *got = 0;
    while (cursor->run < strand->n_runs && cursor->offset == strand->runs[cursor->run].bytes)
        *cursor = (struct strand_cursor){.run = cursor->run + 1};
    if (cursor->run == strand->n_runs || len == 0)
        return 0;
    const struct spool_run *run = &strand->runs[cursor->run];
    size_t step = len < run->bytes - cursor->offset ? len : (size_t)(run->bytes - cursor->offset);
    ssize_t n;
    do
        n = pread(strand->spool->fd, data, step, (off_t)(run->offset + cursor->offset));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return failed(fault, errno, "cannot be read");
    if (n == 0)
        return fault_retry(fault, "spool_failed", "the spool is shorter than what was written to it");
    cursor->offset += (uint64_t)n;
    *got = (size_t)n;
    return 0;
}
