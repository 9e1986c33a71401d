/* log_line: one line of a web server's access log, read exactly: it is of its format from the first byte to the last, or it
 * is none. So nothing that a visitor sends (a request, a user name, a referer) can pass for another field.
 *
 *   common          ADDRESS IDENT USER [10/Oct/2000:13:55:36 -0700] "REQUEST" STATUS BYTES
 *   combined        the same, then "REFERER" "USER-AGENT"
 *   vhost_combined  combined, behind the name of the host
 *
 * In quotes a backslash escapes what follows, as Apache and nginx write it.
 */
#ifndef DSAR_FILES_LOG_LINE_H
#define DSAR_FILES_LOG_LINE_H

#include "root.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the line, escapes as they stand. */
struct log_text {
    const char *data;
    size_t len;
};

struct log_line {
    struct log_text host; /* empty without */
    struct log_text address;
    struct log_text ident;
    struct log_text user; /* "-" for nobody; may hold spaces */
    struct log_text time; /* without the brackets */
    struct log_text request;
    struct log_text status; /* three digits, or "-" */
    struct log_text bytes;  /* digits, or "-" */
    struct log_text referer;
    struct log_text user_agent; /* both empty without */
};

/* Reads a line without its newline. False when it is not of the format. */
bool log_line_read(struct log_line *line, enum log_format format, const char *text, size_t len);

#endif
