#include "tar.h"

#include "../sdk/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#define ZEROS_BYTES ((size_t)1 << 20)

struct tar {
    struct archive *archive;
    struct archive_entry *entry; /* filled anew for each */
    char *zeros;
    struct dsar_session *session;
    struct dsar_error failure; /* why the session took no more */
    bool is_left;              /* what is not closed is not to be finished: nothing more may be written */
};

/* libarchive (3.6) is not told when the session takes no more: after an error of a writer it would not free all that it has. */
static la_ssize_t take(struct archive *archive, void *ctx, const void *data, size_t len)
{
    struct tar *tar = ctx;
    (void)archive;
    if (!tar->is_left && dsar_file_write(tar->session, data, len, &tar->failure))
        tar->is_left = true;
    return (la_ssize_t)len;
}

/* What came of a call of libarchive's. */
static int settled(const struct tar *tar, bool worked, struct dsar_error *error)
{
    if (tar->is_left) {
        *error = tar->failure;
        return -1;
    }
    return worked ? 0
                  : dsar_error_set(error, "internal", false, "libarchive: error %d",
                                   archive_errno(tar->archive));
}

int tar_open(struct tar **tar, struct dsar_session *session, const char *id, const char *name,
             struct dsar_error *error)
{
    struct tar *made = calloc(1, sizeof *made);
    if (!made)
        return error_no_memory(error);
    made->session = session;
    made->archive = archive_write_new();
    made->entry = archive_entry_new();
    made->zeros = calloc(1, ZEROS_BYTES);
    if (!made->archive || !made->entry || !made->zeros) {
        tar_free(made);
        return error_no_memory(error);
    }
    /* no block size: what is written comes through at once and is copied nowhere */
    if (archive_write_set_format_pax_restricted(made->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(made->archive, 0) != ARCHIVE_OK ||
        archive_write_open(made->archive, made, NULL, take, NULL) != ARCHIVE_OK) {
        settled(made, false, error);
        tar_free(made);
        return -1;
    }
    if (dsar_file_begin(session, id, name, "application/x-tar", error)) {
        tar_free(made);
        return -1;
    }
    *tar = made;
    return 0;
}

static void fill(struct archive_entry *made, const struct tar_entry *entry)
{
    const mode_t type = entry->stat->st_mode & S_IFMT;
    archive_entry_clear(made);
    archive_entry_set_pathname(made, entry->path);
    archive_entry_set_filetype(made, type);
    archive_entry_set_perm(made, entry->stat->st_mode & 0777);
    archive_entry_set_mtime(made, entry->stat->st_mtim.tv_sec, 0);
    archive_entry_set_size(made, 0);
    if (type == S_IFLNK) {
        archive_entry_set_symlink(made, entry->link);
    } else if (entry->link) {
        archive_entry_set_hardlink(made, entry->link);
    } else if (type == S_IFREG) {
        archive_entry_set_size(made, entry->stat->st_size);
        for (size_t i = 0; i < entry->n_runs; i++)
            archive_entry_sparse_add_entry(made, entry->runs[i].offset, entry->runs[i].len);
    }
}

int tar_begin(struct tar *tar, const struct tar_entry *entry, struct dsar_error *error)
{
    fill(tar->entry, entry);
    /* a warning says that a name is not UTF-8 */
    int result = archive_write_header(tar->archive, tar->entry);
    return settled(tar, result == ARCHIVE_OK || result == ARCHIVE_WARN, error);
}

int tar_write(struct tar *tar, const void *data, size_t len, struct dsar_error *error)
{
    const char *next = data;
    while (len > 0) {
        la_ssize_t n = archive_write_data(tar->archive, next, len);
        if (settled(tar, n > 0, error))
            return -1;
        next += n;
        len -= (size_t)n;
    }
    return 0;
}

int tar_zeros(struct tar *tar, int64_t len, struct dsar_error *error)
{
    while (len > 0) {
        size_t step = len < (int64_t)ZEROS_BYTES ? (size_t)len : ZEROS_BYTES;
        if (tar_write(tar, tar->zeros, step, error) || dsar_progress(tar->session, 0, 0, error))
            return -1;
        len -= (int64_t)step;
    }
    return 0;
}

int tar_close(struct tar *tar, struct dsar_error *error)
{
    if (settled(tar, archive_write_close(tar->archive) == ARCHIVE_OK, error))
        return -1;
    return dsar_file_end(tar->session, error);
}

void tar_free(struct tar *tar)
{
    if (!tar)
        return;
    tar->is_left = true;
    archive_write_free(tar->archive);
    archive_entry_free(tar->entry);
    free(tar->zeros);
    free(tar);
}
