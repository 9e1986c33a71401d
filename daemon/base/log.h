/* log: one line an event on standard error, for people on a terminal and for machines elsewhere.
 *
 * Lines carry request ids, counts and codes only, never personal data or secrets. Thread-safe: a line is one
 * write.
 */
#ifndef DSAR_BASE_LOG_H
#define DSAR_BASE_LOG_H

#include "base/fault.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

struct log; /* where lines go and from which level on; made by main(), shared by reference */

/* `json` true: one JSON object a line. Never NULL but without memory. Freed by log_free. */
struct log *log_new(int fd, enum log_level least, bool json);
void log_free(struct log *log);

/* Writes one line. `request` is a request id or NULL. A NULL `log` writes nothing. */
void log_line(struct log *log, enum log_level level, const char *request, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Writes a fault: its code and text behind "WHAT: ". */
void log_fault(struct log *log, enum log_level level, const char *request, const char *what,
               const struct fault *fault);

#endif
