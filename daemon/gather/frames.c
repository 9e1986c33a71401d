#include "gather/frames.h"

#include "base/clock.h"
#include "dsar/protocol.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_STEP 65536

void frames_init(struct frames *frames)
{
    frames->taken = 0;
    buf_init(&frames->input, DSAR_LINE_MAX + READ_STEP);
    buf_init(&frames->payload, DSAR_PAYLOAD_MAX);
}

void frames_wipe(struct frames *frames)
{
    buf_wipe(&frames->input);
    buf_wipe(&frames->payload);
}

/* Standard error may hold anything, so it is shown only to those who ask for it. */
static void drain_log(struct frames *frames)
{
    char text[512];
    ssize_t n = read(frames->child->log, text, sizeof text - 1);
    if (n > 0) {
        text[n] = '\0';
        log_line(frames->log, LOG_LEVEL_DEBUG, NULL, "connector of %s says: %s", frames->source, text);
    } else if (n == 0) {
        close(frames->child->log);
        frames->child->log = -1;
    }
}

static int still_wanted(const struct frames *frames, struct fault *fault)
{
    if (cancel_raised(frames->cancel))
        return fault_set(fault, "cancelled", "source %s: the request was cancelled", frames->source);
    if (clock_now_ms() >= frames->deadline_ms)
        return fault_retry(fault, "source_timeout", "source %s: not done within its deadline",
                           frames->source);
    return 0;
}

/* Waits until the child's pipe `fd` is ready for `events`. */
static int await(struct frames *frames, int fd, short events, struct fault *fault)
{
    for (;;) {
        if (still_wanted(frames, fault))
            return -1;
        int64_t now = clock_now_ms();
        int64_t silent_at = frames->since_ms + frames->keep_alive_ms;
        if (now >= silent_at)
            return fault_retry(fault, "source_silent", "source %s: no whole message for %lld s",
                               frames->source, (long long)(frames->keep_alive_ms / 1000));
        int64_t until = silent_at < frames->deadline_ms ? silent_at : frames->deadline_ms;
        int64_t wait_ms = until <= now ? 0 : until - now < 60000 ? until - now : 60000;
        struct pollfd p[3] = {{.fd = fd, .events = events},
                              {.fd = cancel_fd(frames->cancel), .events = POLLIN},
                              {.fd = frames->child->log, .events = POLLIN}};
        if (poll(p, 3, (int)wait_ms) < 0 && errno != EINTR)
            return fault_errno(fault, "internal", errno, "source %s: poll", frames->source);
        if (p[2].revents)
            drain_log(frames);
        if (p[0].revents)
            return 0;
    }
}

static int crashed(const struct frames *frames, struct fault *fault)
{
    int number = child_signal(frames->child);
    if (number == SIGSYS)
        return fault_set(
            fault, "sandbox_violation",
            "source %s: its connector was ended for a system call that no connector needs (SIGSYS): the "
            "kernel's log or `strace -f` tells which; see daemon/sandbox/README.md before it is trusted "
            "again",
            frames->source);
    if (number)
        return fault_retry(
            fault, "source_crashed",
            "source %s: the connector was ended by signal %d (SIG%s) in the middle of the conversation",
            frames->source, number, sigabbrev_np(number) ? sigabbrev_np(number) : "?");
    return fault_retry(fault, "source_crashed",
                       "source %s: the connector left in the middle of the conversation", frames->source);
}

/* Reads at most `cap` bytes, at least one. */
static int read_some(struct frames *frames, char *data, size_t cap, size_t *len, struct fault *fault)
{
    /* asked here too: a connector that never pauses never makes us wait */
    if (still_wanted(frames, fault))
        return -1;
    for (;;) {
        ssize_t n = read(frames->child->out, data, cap);
        if (n > 0) {
            *len = (size_t)n;
            return 0;
        }
        if (n == 0)
            return crashed(frames, fault);
        if (errno != EAGAIN && errno != EINTR)
            return fault_errno(fault, "source_crashed", errno, "source %s: pipe", frames->source);
        if (await(frames, frames->child->out, POLLIN, fault))
            return -1;
    }
}

int frames_write(struct frames *frames, const json_t *message, struct fault *fault)
{
    char *line = json_dumps(message, JSON_COMPACT);
    if (!line)
        return fault_retry(fault, "no_memory", "no memory for a message to source %s", frames->source);
    size_t len = strlen(line), at = 0;
    line[len++] = '\n'; /* takes the place of the NUL */
    int result = 0;
    frames->since_ms = clock_now_ms();
    while (result == 0 && at < len) {
        ssize_t n = write(frames->child->in, line + at, len - at);
        if (n > 0) {
            at += (size_t)n;
            frames->since_ms = clock_now_ms();
        } else if (n < 0 && errno == EPIPE) {
            result = crashed(frames, fault);
        } else if (n < 0 && errno != EAGAIN && errno != EINTR) {
            result = fault_errno(fault, "source_crashed", errno, "source %s: pipe", frames->source);
        } else {
            result = await(frames, frames->child->in, POLLOUT, fault);
        }
    }
    OPENSSL_cleanse(line, len);
    free(line);
    return result;
}

/* Reads until a whole line stands behind what was taken; *len is its length without the newline. */
static int read_line(struct frames *frames, size_t *len, struct fault *fault)
{
    struct buf *input = &frames->input;
    size_t searched = 0;
    for (;;) {
        const char *line = input->data + frames->taken;
        size_t there = input->len - frames->taken;
        const char *newline = there > searched ? memchr(line + searched, '\n', there - searched) : NULL;
        if (newline && newline - line < DSAR_LINE_MAX) {
            *len = (size_t)(newline - line);
            return 0;
        }
        if (newline || there >= DSAR_LINE_MAX)
            return fault_set(fault, "source_protocol", "source %s: a line is longer than %d bytes",
                             frames->source, DSAR_LINE_MAX);
        searched = there;
        buf_shift(input, frames->taken);
        frames->taken = 0;
        if (buf_reserve(input, READ_STEP, fault))
            return -1;
        size_t n = 0;
        if (read_some(frames, input->data + input->len, READ_STEP, &n, fault))
            return -1;
        input->len += n;
    }
}

static int read_payload(struct frames *frames, const json_t *bytes, struct fault *fault)
{
    json_int_t announced = json_integer_value(bytes);
    if (!json_is_integer(bytes) || announced < 0 || announced > DSAR_PAYLOAD_MAX)
        return fault_set(fault, "source_protocol", "source %s: `bytes` must be a whole number from 0 to %d",
                         frames->source, DSAR_PAYLOAD_MAX);
    size_t want = (size_t)announced;
    size_t there = frames->input.len - frames->taken;
    size_t have = there < want ? there : want;
    frames->payload.len = 0; /* what it held is written over now and wiped at the end */
    if (buf_reserve(&frames->payload, want, fault) ||
        buf_append(&frames->payload, frames->input.data + frames->taken, have, fault))
        return -1;
    frames->taken += have;
    while (frames->payload.len < want) {
        size_t n = 0;
        if (read_some(frames, frames->payload.data + frames->payload.len, want - frames->payload.len, &n,
                      fault))
            return -1;
        frames->payload.len += n;
    }
    frames->payload.data[want] = '\0';
    return 0;
}

int frames_read(struct frames *frames, json_t **message, const char **type, struct fault *fault)
{
    size_t len = 0;
    frames->since_ms = clock_now_ms();
    if (read_line(frames, &len, fault))
        return -1;
    json_error_t error;
    json_t *parsed = json_loadb(frames->input.data + frames->taken, len, JSON_REJECT_DUPLICATES, &error);
    frames->taken += len + 1;
    *type = json_string_value(json_object_get(parsed, "type"));
    if (!*type) {
        json_decref(parsed);
        return fault_set(fault, "source_protocol",
                         "source %s: a line is not a JSON object with a text `type`", frames->source);
    }
    const json_t *bytes = json_object_get(parsed, "bytes");
    if (bytes && read_payload(frames, bytes, fault)) {
        json_decref(parsed);
        return -1;
    }
    *message = parsed;
    return 0;
}
