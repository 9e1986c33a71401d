/* lines: a file line by line, as it is or through gzip, in constant memory. */
#ifndef DSAR_FILES_LINES_H
#define DSAR_FILES_LINES_H

#include <dsar/connector.h>

/* The longest line. */
#define LINES_BYTES_MAX ((size_t)64 * 1024)

/* Sees a line without its newline; NULL where one is too long. */
typedef int (*lines_cb)(void *ctx, const char *line, size_t len, struct dsar_error *error);

enum lines_end {
    LINES_WHOLE,
    LINES_CUT,        /* what is behind the last newline is no whole line, and was not shown */
    LINES_UNREADABLE, /* the disk, or what is packed, is broken: what is behind that was not shown */
    LINES_TOO_MANY,   /* more than *bytes_left */
};

/* Reads from `fd`, which stays open, until its end or until *bytes_left, which is counted down, is 0. -1 only when `use`
 * returns it, when dsard wants the work stopped, or without memory. */
int lines_read(int fd, bool is_gzip, uint64_t *bytes_left, struct dsar_session *session, lines_cb use,
               void *ctx, enum lines_end *end, struct dsar_error *error) __attribute__((warn_unused_result));

#endif
