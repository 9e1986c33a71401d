/* generator: a connector that yields as many bytes as it is told, as fast as a pipe takes them: for measuring
 * dsard.
 *
 * It speaks include/dsar/PROTOCOL.md itself. Settings: `bytes`, how many (rounded up to whole payloads);
 * `shape`, "records" or "mixed": half of it records of twenty fields, a quarter mails in base64, a quarter
 * files of noise; `folder`, where the same bytes go as well. The content is the same in every run. */
#include "payload.h"
#include <dsar/protocol.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define N_PAYLOADS      8         /* of each kind; far longer together than deflate's window */
#define PIECES_PER_FILE 64        /* 16 MiB */
#define PIPE_BYTES      (1 << 20) /* fewer and longer writes */

static const char *const names[N_KINDS] = {"records", "mails", "noise"};

struct source {
    struct payload *payloads[N_KINDS]; /* N_PAYLOADS each */
    uint64_t bytes[N_KINDS];
    const char *folder; /* or NULL */
};

static _Noreturn void leave(const char *what)
{
    fprintf(stderr, "fake-generator: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_all(int fd, struct iovec *parts, int n_parts)
{
    while (n_parts) {
        ssize_t n = writev(fd, parts, n_parts);
        if (n < 0 && errno != EINTR)
            leave("write");
        for (; n > 0 && n_parts && (size_t)n >= parts->iov_len; n_parts--)
            n -= (ssize_t)parts++->iov_len;
        if (n > 0 && n_parts) {
            parts->iov_base = (char *)parts->iov_base + n;
            parts->iov_len -= (size_t)n;
        }
    }
}

/* One message: a line, and the payload when there is one. */
static void say(const struct payload *payload, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(const struct payload *payload, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    struct iovec parts[2] = {{line, (size_t)len},
                             {payload ? (void *)(uintptr_t)payload->data : NULL, payload ? payload->len : 0}};
    write_all(STDOUT_FILENO, parts, payload ? 2 : 1);
}

static int copy_open(const struct source *source, enum payload_kind kind, uint64_t file)
{
    char path[4096];
    if (!source->folder)
        return -1;
    snprintf(path, sizeof path, "%s/%s-%" PRIu64, source->folder, names[kind], file);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        leave(path);
    return fd;
}

static void copy_close(int copy)
{
    if (copy >= 0 && close(copy) < 0)
        leave("close");
}

static void send_collection(const struct source *source, enum payload_kind kind)
{
    uint64_t n_sent = 0, n_things = 0;
    int copy = -1;
    for (uint64_t at = 0; n_sent < source->bytes[kind]; at++) {
        const struct payload *payload = &source->payloads[kind][at % N_PAYLOADS];
        uint64_t file = kind == FILES ? at / PIECES_PER_FILE : 0;
        bool first = kind == FILES ? at % PIECES_PER_FILE == 0 : at == 0;
        n_sent += payload->len;
        if (first) {
            copy_close(copy);
            copy = copy_open(source, kind, file);
        }
        if (kind == FILES) {
            bool more = (at + 1) % PIECES_PER_FILE && n_sent < source->bytes[kind];
            say(payload,
                "{\"type\":\"file\",\"collection\":\"noise\",\"file\":\"%" PRIu64
                "\",\"name\":\"noise.bin\",\"media_type\":\"application/"
                "octet-stream\",\"bytes\":%zu,\"more\":%s}\n",
                file, payload->len, more ? "true" : "false");
            n_things += !more;
        } else {
            say(payload, "{\"type\":\"record\",\"collection\":\"%s\",\"count\":%u,\"bytes\":%zu}\n",
                names[kind], payload->n_records, payload->len);
            n_things += payload->n_records;
        }
        if (copy >= 0)
            write_all(copy, &(struct iovec){(void *)(uintptr_t)payload->data, payload->len}, 1);
    }
    copy_close(copy);
    say(NULL, "{\"type\":\"end\",\"collection\":\"%s\",\"status\":\"complete\",\"count\":%" PRIu64 "}\n",
        names[kind], n_things);
}

static void fetch(const struct source *source, const json_t *wanted)
{
    for (size_t at = 0; at < json_array_size(wanted); at++)
        for (enum payload_kind kind = RECORDS; kind < N_KINDS; kind++)
            if (!strcmp(json_string_value(json_array_get(wanted, at)), names[kind]))
                send_collection(source, kind);
    say(NULL, "{\"type\":\"done\",\"status\":\"ok\"}\n");
}

static void configure(struct source *source, const json_t *settings)
{
    uint64_t bytes = (uint64_t)json_integer_value(json_object_get(settings, "bytes"));
    const char *shape = json_string_value(json_object_get(settings, "shape"));
    bool mixed = shape && !strcmp(shape, "mixed");
    source->bytes[RECORDS] = mixed ? bytes / 2 : bytes;
    source->bytes[MAILS] = source->bytes[FILES] = mixed ? bytes / 4 : 0;
    source->folder = json_string_value(json_object_get(settings, "folder"));
    for (enum payload_kind kind = RECORDS; kind < N_KINDS; kind++) {
        source->payloads[kind] = calloc(N_PAYLOADS, sizeof *source->payloads[kind]);
        if (!source->payloads[kind])
            leave("memory");
        for (unsigned i = 0; i < N_PAYLOADS; i++)
            payload_fill(&source->payloads[kind][i], kind, i);
    }
    say(NULL, "{\"type\":\"ready\"}\n");
}

int main(void)
{
    static const char hello[] =
        "{\"type\":\"hello\",\"protocol\":1,\"name\":\"generator\",\"version\":\"1.0.0\",\"settings\":["
        "{\"name\":\"bytes\",\"kind\":\"integer\",\"required\":true,\"help\":\"how many bytes to yield\"},"
        "{\"name\":\"shape\",\"kind\":\"text\",\"required\":false,\"help\":\"records or "
        "mixed\",\"default\":\"mixed\"},"
        "{\"name\":\"folder\",\"kind\":\"path\",\"required\":false,\"help\":\"where the same bytes go\"}],"
        "\"collections\":[{\"name\":\"records\",\"title\":\"Records\",\"category\":\"generated\",\"needs\":["
        "\"email\"],"
        "\"fields\":{\"/id\":\"own\",\"/userid\":\"own\",\"/total\":\"own\",\"/uuid\":\"own\",\"/"
        "admin\":\"third_party\","
        "\"/secret\":\"secret\"}},"
        "{\"name\":\"mails\",\"title\":\"Mails\",\"category\":\"generated\",\"needs\":[\"email\"]},"
        "{\"name\":\"noise\",\"title\":\"Noise\",\"category\":\"generated\",\"needs\":[\"email\"]}]}\n";
    struct source source = {0};
    json_t *configured = NULL, *message;
    char line[DSAR_LINE_MAX + 1];
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
    write_all(STDOUT_FILENO, &(struct iovec){(void *)(uintptr_t)hello, sizeof hello - 1}, 1);
    while (fgets(line, sizeof line, stdin) && (message = json_loads(line, 0, NULL))) {
        const char *type = json_string_value(json_object_get(message, "type"));
        if (type && !strcmp(type, "configure") && !configured) {
            configured = json_incref(message);
            configure(&source, json_object_get(message, "settings"));
        } else if (type && !strcmp(type, "fetch") && configured) {
            fetch(&source, json_object_get(message, "collections"));
        }
        json_decref(message);
    }
    json_decref(configured);
    for (enum payload_kind kind = RECORDS; kind < N_KINDS; kind++)
        free(source.payloads[kind]);
    return 0;
}
