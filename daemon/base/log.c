#include "base/log.h"

#include "base/clock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

struct log {
    int fd;
    enum log_level least;
    bool json;
};

static const char *const level_names[] = {"debug", "info", "warning", "error"};

struct log *log_new(int fd, enum log_level least, bool json)
{
    struct log *log = malloc(sizeof *log);
    if (log)
        *log = (struct log){.fd = fd, .least = least, .json = json};
    return log;
}

void log_free(struct log *log)
{
    free(log);
}

/* Escapes for a JSON string. Only printable ASCII passes: what a connector says need not be UTF-8, and must
 * neither break a line apart nor command a terminal. */
static void escape(char *out, size_t cap, const char *text, bool json)
{
    size_t len = 0;
    for (; *text && len + 3 < cap; text++) {
        unsigned char c = (unsigned char)*text;
        if (json && (c == '"' || c == '\\'))
            out[len++] = '\\';
        out[len++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    out[len] = '\0';
}

static void write_line(int fd, const char *line, size_t len)
{
    while (len) {
        ssize_t n = write(fd, line, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* nowhere is left to say that the log cannot be written */
        line += n;
        len -= (size_t)n;
    }
}

void log_line(struct log *log, enum log_level level, const char *request, const char *format, ...)
{
    if (!log || level < log->least)
        return;
    char text[1024], safe[1536], time[CLOCK_TEXT_MAX], line[LINE_MAX_BYTES];
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(text, sizeof text, format, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    escape(safe, sizeof safe, text, log->json);
    clock_format(clock_now_unix_s(), time);
    int len;
    if (log->json)
        len = snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\"%s%s%s,\"message\":\"%s\"}\n",
                       time, level_names[level], request ? ",\"request\":\"" : "", request ? request : "",
                       request ? "\"" : "", safe);
    else
        len = snprintf(line, sizeof line, "%s %-7s %s%s%s\n", time, level_names[level],
                       request ? request : "", request ? ": " : "", safe);
    if (len > 0)
        write_line(log->fd, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

void log_fault(struct log *log, enum log_level level, const char *request, const char *what,
               const struct fault *fault)
{
    log_line(log, level, request, "%s: %s (%s)", what, fault->text, fault->code);
}
