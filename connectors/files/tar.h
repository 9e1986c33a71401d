/* tar: one file of a collection that is a tar archive (pax), written piece by piece in constant memory.
 *
 * Names go in as they are: UTF-8 ones as such, others as bytes (hdrcharset=BINARY). Owners are left out, and of the mode
 * what lets a program run as another user.
 */
#ifndef DSAR_FILES_TAR_H
#define DSAR_FILES_TAR_H

#include <dsar/connector.h>
#include <sys/stat.h>

struct tar;

/* A run of bytes in a sparse file; what is between runs is a hole. */
struct tar_run {
    int64_t offset;
    int64_t len;
};

struct tar_entry {
    const char *path;
    const struct stat *stat; /* its type, mode, time of change, and of a file the size */
    const char
        *link; /* of a symbolic link, where it leads; of a file, a path in this archive that it is another
                                   name of; NULL otherwise */
    const struct tar_run *runs; /* of a sparse file, in order */
    size_t n_runs;              /* 0: not sparse */
};

/* Begins a file in `session` (dsar_file_begin). Wants LC_CTYPE to be a UTF-8 locale. */
int tar_open(struct tar **tar, struct dsar_session *session, const char *id, const char *name,
             struct dsar_error *error) __attribute__((warn_unused_result));

/* Begins an entry. A file without `link` must then be given exactly its size in bytes, holes included. */
int tar_begin(struct tar *tar, const struct tar_entry *entry, struct dsar_error *error)
    __attribute__((warn_unused_result));
int tar_write(struct tar *tar, const void *data, size_t len, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Writes `len` zeros; those in holes cost nothing but a little time. */
int tar_zeros(struct tar *tar, int64_t len, struct dsar_error *error) __attribute__((warn_unused_result));

/* Ends the archive, and the file. Not for an archive in which something failed. */
int tar_close(struct tar *tar, struct dsar_error *error) __attribute__((warn_unused_result));

/* Frees it, closed or not. NULL is harmless. */
void tar_free(struct tar *tar);

#endif
