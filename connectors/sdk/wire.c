#include "wire.h"

#include "base/clock.h"
#include "error.h"

#include <dsar/protocol.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_STEP 65536

void wire_init(struct wire *wire, int in_fd, int out_fd)
{
    *wire = (struct wire){.in_fd = in_fd, .out_fd = out_fd, .written_ms = clock_now_ms()};
    buf_init(&wire->inbox, DSAR_LINE_MAX + READ_STEP);
    buf_init(&wire->line, DSAR_LINE_MAX);
}

void wire_wipe(struct wire *wire)
{
    buf_wipe(&wire->inbox);
    buf_wipe(&wire->line);
}

static int broken(struct dsar_error *error, const char *text)
{
    return dsar_error_set(error, "conversation", false, "%s", text);
}

static int write_all(int fd, struct iovec *parts, int n_parts, struct dsar_error *error)
{
    while (n_parts > 0) {
        ssize_t n = writev(fd, parts, n_parts);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            char reason[128];
            return dsar_error_set(error, "conversation", false, "standard output: %s",
                                  strerror_r(errno, reason, sizeof reason));
        }
        size_t done = (size_t)n;
        while (n_parts > 0 && done >= parts->iov_len) {
            done -= parts->iov_len;
            parts++;
            n_parts--;
        }
        if (n_parts > 0) {
            parts->iov_base = (char *)parts->iov_base + done;
            parts->iov_len -= done;
        }
    }
    return 0;
}

static int append_json(const char *text, size_t len, void *ctx)
{
    return buf_append(ctx, text, len, NULL);
}

int wire_send(struct wire *wire, json_t *message, const char *payload, size_t len, struct dsar_error *error)
{
    if (payload && json_object_set_new(message, "bytes", json_integer((json_int_t)len)))
        return error_no_memory(error);
    buf_clear(&wire->line);
    if (json_dump_callback(message, append_json, &wire->line, JSON_COMPACT) ||
        buf_append(&wire->line, "\n", 1, NULL))
        return dsar_error_set(error, "line_too_long", false,
                              "a message does not fit into a line of %d bytes, or memory is out",
                              DSAR_LINE_MAX);
    struct iovec parts[] = {
        {.iov_base = wire->line.data, .iov_len = wire->line.len},
        {.iov_base = NULL, .iov_len = 0},
    };
    if (payload) {
        memcpy(&parts[1].iov_base, &payload,
               sizeof payload); /* writev only reads, but its parts are not const */
        parts[1].iov_len = len;
    }
    int result = write_all(wire->out_fd, parts, 2, error);
    buf_clear(&wire->line);
    wire->written_ms = clock_now_ms();
    return result;
}

static int parse(const char *line, size_t len, json_t **message, const char **type, struct dsar_error *error)
{
    *message = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
    if (!*message)
        return broken(error, "standard input: expected one JSON object a line");
    *type = json_string_value(json_object_get(*message, "type"));
    if (*type)
        return 0;
    json_decref(*message);
    *message = NULL;
    return broken(error, "standard input: expected a message with a `type`");
}

/* 1: a message was taken, 0: no whole line is there. */
static int take_line(struct wire *wire, json_t **message, const char **type, struct dsar_error *error)
{
    const char *end = wire->inbox.len ? memchr(wire->inbox.data, '\n', wire->inbox.len) : NULL;
    size_t len = end ? (size_t)(end - wire->inbox.data) : wire->inbox.len;
    if (len >= DSAR_LINE_MAX)
        return broken(error, "standard input: a line is too long");
    if (!end)
        return wire->at_end && len ? broken(error, "standard input: the last line is cut short") : 0;
    int result = parse(wire->inbox.data, len, message, type, error);
    buf_shift(&wire->inbox, len + 1);
    return result ? -1 : 1;
}

/* Reads once. 1: something came or the end was seen, 0: nothing is there. */
static int fill(struct wire *wire, bool wait, struct dsar_error *error)
{
    struct pollfd poll_fd = {.fd = wire->in_fd, .events = POLLIN};
    int ready = poll(&poll_fd, 1, wait ? -1 : 0);
    if (ready < 0 && errno != EINTR)
        return broken(error, "standard input: cannot be waited for");
    if (ready <= 0)
        return wait ? 1 : 0;
    struct fault fault;
    if (buf_reserve(&wire->inbox, READ_STEP, &fault))
        return error_from_fault(error, &fault);
    ssize_t n = read(wire->in_fd, wire->inbox.data + wire->inbox.len, READ_STEP);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return wait ? 1 : 0;
    if (n < 0)
        return broken(error, "standard input: cannot be read");
    wire->inbox.len += (size_t)n;
    wire->inbox.data[wire->inbox.len] = '\0';
    wire->at_end = n == 0;
    return 1;
}

int wire_receive(struct wire *wire, bool wait, json_t **message, const char **type, struct dsar_error *error)
{
    *message = NULL;
    for (;;) {
        int taken = take_line(wire, message, type, error);
        if (taken)
            return taken < 0 ? -1 : 0;
        if (wire->at_end)
            return 0;
        int filled = fill(wire, wait, error);
        if (filled <= 0)
            return filled;
    }
}
