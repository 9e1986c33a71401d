/* buf: a growable run of bytes with a maximum that is given when it is made.
 *
 * What it held is wiped whenever memory is given back, so personal data may stand in it. Not thread-safe.
 */
#ifndef DSAR_BASE_BUF_H
#define DSAR_BASE_BUF_H

#include "base/fault.h"

#include <stddef.h>

struct buf {
    char *data; /* NUL-terminated behind `len` whenever it is not NULL; owned by the buf */
    size_t len;
    size_t cap;
    size_t max; /* the largest `len` that appending may reach */
};

/* An empty buffer that never holds more than `max` bytes. Allocates nothing. */
void buf_init(struct buf *buf, size_t max);

/* Wipes and frees. The buffer is empty and usable again afterwards. */
void buf_wipe(struct buf *buf);

/* Wipes the content and keeps the memory for the next use. */
void buf_clear(struct buf *buf);

/* Makes room for `extra` bytes behind `len`. Fails with code "too_large" beyond the maximum, "no_memory"
 * without memory. */
int buf_reserve(struct buf *buf, size_t extra, struct fault *fault) __attribute__((warn_unused_result));

int buf_append(struct buf *buf, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));
int buf_append_text(struct buf *buf, const char *text, struct fault *fault)
    __attribute__((warn_unused_result));
int buf_printf(struct buf *buf, struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4), warn_unused_result));

/* Removes the first `len` bytes, which must be there. */
void buf_shift(struct buf *buf, size_t len);

/* Reads a whole file of at most `max` bytes, or a pipe up to its end; folders are refused. The buffer must be
 * initialised; its own maximum holds too. Fails with "file_unreadable", "too_large", and, retryable, "no_descriptor" or
 * "no_memory" when this process or machine is short of them. */
int buf_read_file(struct buf *buf, const char *path, struct fault *fault) __attribute__((warn_unused_result));

/* The same from an open descriptor, up to its end; `path` is for texts. */
int buf_read_fd(struct buf *buf, int fd, const char *path, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
