#include "body.h"

#include "../sdk/error.h"
#include "beneath.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES ((size_t)256 * 1024)

/* Where bytes go. */
struct sink {
    struct tar *tar; /* NULL: to the session's file */
    struct dsar_session *session;
};

int body_init(struct body *body, struct dsar_error *error)
{
    *body = (struct body){.fd = -1};
    body->block = calloc(1, BLOCK_BYTES);
    return body->block ? 0 : error_no_memory(error);
}

void body_wipe(struct body *body)
{
    body_close(body);
    if (body->block)
        OPENSSL_cleanse(body->block, BLOCK_BYTES);
    free(body->block);
    body->block = NULL;
}

void body_close(struct body *body)
{
    if (body->fd >= 0)
        close(body->fd);
    body->fd = -1;
}

/* Finds the runs of data. Those beyond the most that are kept become one, and so does a file that cannot say. */
static void find_runs(struct body *body)
{
    const int64_t size = body->stat.st_size;
    body->n_runs = 0;
    body->n_data_bytes = size;
    if (body->stat.st_blocks >= (size + 511) / 512)
        return;
    body->n_data_bytes = 0;
    for (int64_t at = 0; at < size && body->n_runs < BODY_RUNS_MAX;) {
        off_t data = lseek(body->fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            data = size;
        else if (data < at)
            data = at;
        off_t hole = data < size ? lseek(body->fd, data, SEEK_HOLE) : size;
        if (hole <= data || hole > size || body->n_runs + 1 == BODY_RUNS_MAX)
            hole = size;
        /* an empty run at the end says that the rest is a hole */
        body->runs[body->n_runs++] =
            (struct tar_run){.offset = data < size ? data : size, .len = data < size ? hole - data : 0};
        body->n_data_bytes += data < size ? hole - data : 0;
        at = hole;
    }
    if (body->n_data_bytes == size)
        body->n_runs = 0;
}

bool body_open(struct body *body, int folder, const char *name, const struct stat *seen, struct tally *tally)
{
    body->fd = beneath_file(folder, name);
    if (body->fd < 0 || fstat(body->fd, &body->stat)) {
        tally_miss(tally, errno);
        body_close(body);
        return false;
    }
    if (!S_ISREG(body->stat.st_mode) || body->stat.st_dev != seen->st_dev ||
        body->stat.st_ino != seen->st_ino) {
        tally->n[TALLY_CHANGED]++;
        body_close(body);
        return false;
    }
    find_runs(body);
    return true;
}

static int put_zeros(const struct body *body, const struct sink *sink, int64_t len, struct dsar_error *error)
{
    if (sink->tar)
        return tar_zeros(sink->tar, len, error);
    OPENSSL_cleanse(body->block, BLOCK_BYTES);
    while (len > 0) {
        size_t step = len < (int64_t)BLOCK_BYTES ? (size_t)len : BLOCK_BYTES;
        if (dsar_file_write(sink->session, body->block, step, error))
            return -1;
        len -= (int64_t)step;
    }
    return 0;
}

/* Writes one run; *left is what of it could not be read. */
static int put_run(const struct body *body, const struct sink *sink, const struct tar_run *run, int64_t *left,
                   struct dsar_error *error)
{
    *left = run->len;
    while (*left > 0) {
        size_t step = *left < (int64_t)BLOCK_BYTES ? (size_t)*left : BLOCK_BYTES;
        ssize_t n = pread(body->fd, body->block, step, run->offset + run->len - *left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 0;
        if (sink->tar ? tar_write(sink->tar, body->block, (size_t)n, error)
                      : dsar_file_write(sink->session, body->block, (size_t)n, error))
            return -1;
        if (dsar_progress(sink->session, 0, 0, error))
            return -1;
        *left -= n;
    }
    return 0;
}

static void compare(const struct body *body, bool is_cut, struct tally *tally)
{
    struct stat now;
    if (fstat(body->fd, &now))
        now = (struct stat){.st_size = -1};
    if (is_cut || now.st_size < body->stat.st_size)
        tally->n[TALLY_CUT]++;
    else if (now.st_size != body->stat.st_size || now.st_mtim.tv_sec != body->stat.st_mtim.tv_sec ||
             now.st_mtim.tv_nsec != body->stat.st_mtim.tv_nsec)
        tally->n[TALLY_CHANGED]++;
}

int body_write(const struct body *body, struct dsar_session *session, struct tar *tar, struct tally *tally,
               struct dsar_error *error)
{
    const struct sink sink = {.tar = tar, .session = session};
    const struct tar_run whole = {.len = body->stat.st_size};
    const struct tar_run *runs = body->n_runs ? body->runs : &whole;
    const size_t n_runs = body->n_runs ? body->n_runs : 1;
    bool is_cut = false;
    int64_t at = 0;
    for (size_t i = 0; i < n_runs; i++) {
        int64_t left;
        if (put_zeros(body, &sink, runs[i].offset - at, error) ||
            put_run(body, &sink, &runs[i], &left, error) || put_zeros(body, &sink, left, error))
            return -1;
        is_cut = is_cut || left > 0;
        at = runs[i].offset + runs[i].len;
    }
    if (put_zeros(body, &sink, body->stat.st_size - at, error))
        return -1;
    compare(body, is_cut, tally);
    return 0;
}
