/* body: what is in one regular file, as it is while it is read.
 *
 * A file's size is what it is when it is opened. What is appended later is left out; where it became shorter, or cannot be
 * read, zeros stand for what is missing, so that the size holds. Both are counted.
 */
#ifndef DSAR_FILES_BODY_H
#define DSAR_FILES_BODY_H

#include "tally.h"
#include "tar.h"

#define BODY_RUNS_MAX 1024

struct body {
    int fd;
    struct stat stat; /* of the open file */
    struct tar_run runs[BODY_RUNS_MAX];
    size_t n_runs;        /* 0: not sparse */
    int64_t n_data_bytes; /* without the holes */
    char *block;          /* what was read last; owned */
};

int body_init(struct body *body, struct dsar_error *error) __attribute__((warn_unused_result));

/* Wipes and frees. */
void body_wipe(struct body *body);

/* Opens the file `name` in `folder`, which looked like `seen`. False when it is not that any more, or cannot be opened: then
 * it is counted in `tally`. */
bool body_open(struct body *body, int folder, const char *name, const struct stat *seen, struct tally *tally);
void body_close(struct body *body);

/* Writes it: into the tar's entry that was begun, or, where `tar` is NULL, into the session's open file. */
int body_write(const struct body *body, struct dsar_session *session, struct tar *tar, struct tally *tally,
               struct dsar_error *error) __attribute__((warn_unused_result));

#endif
