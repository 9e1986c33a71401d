#include "ops/listener.h"

#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 16u
#define TIMEOUT_S       10u
#define MEMORY_BYTES    ((size_t)16384) /* of each connection, for its request */

struct listener {
    struct listener_options options;
    struct MHD_Daemon *daemon;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type,
                              const char *text, size_t len)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(len, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer_in_words(struct MHD_Connection *connection, unsigned status, const char *words)
{
    return answer(connection, status, "text/plain; charset=utf-8", words, strlen(words));
}

static enum MHD_Result show(const struct listener *listener, struct MHD_Connection *connection)
{
    struct exposition exposition;
    exposition_init(&exposition);
    listener->options.show_cb(listener->options.ctx, &exposition);
    enum MHD_Result result =
        exposition.failed || !exposition.text.len
            ? answer_in_words(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory for the figures\n")
            : answer(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                     exposition.text.data, exposition.text.len);
    exposition_wipe(&exposition);
    return result;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload, size_t *upload_len,
                              void **of_connection)
{
    (void)version;
    (void)upload;
    /* the first call comes before the body, which is not wanted */
    if (!*of_connection) {
        *of_connection = ctx;
        return MHD_YES;
    }
    if (*upload_len) {
        *upload_len = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/metrics") != 0)
        return answer_in_words(connection, MHD_HTTP_NOT_FOUND, "there is /metrics only\n");
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_in_words(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "expected GET\n");
    return show(ctx, connection);
}

/* Splits "HOST:PORT" and finds the socket address; the caller frees *found. */
static int find_address(const char *address, struct addrinfo **found, struct fault *fault)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0, skip = address[0] == '[';
    if (len <= 2 * skip || len >= sizeof host) {
        fault_set(fault, "address_unusable", "address %s: expected an IP address and a port", address);
        return -1;
    }
    memcpy(host, address + skip, len - 2 * skip);
    host[len - 2 * skip] = '\0';
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(host, colon + 1, &hints, found);
    if (error == 0)
        return 0;
    fault_set(fault, "address_unusable", "address %s: %s", address, gai_strerror(error));
    return -1;
}

int listener_open(struct listener **listener, const struct listener_options *options, struct fault *fault)
{
    struct addrinfo *address;
    struct listener *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the figures");
    new->options = *options;
    if (find_address(options->address, &address, fault)) {
        free(new);
        return -1;
    }
    const unsigned flags =
        MHD_USE_INTERNAL_POLLING_THREAD | (address->ai_family == AF_INET6 ? (unsigned)MHD_USE_IPv6 : 0u);
    new->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, handle, new, MHD_OPTION_SOCK_ADDR, address->ai_addr,
                         MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                         TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, MEMORY_BYTES, MHD_OPTION_END);
    freeaddrinfo(address);
    if (!new->daemon) {
        free(new);
        return fault_set(fault, "address_unusable", "address %s: cannot be listened on: is it in use?",
                         options->address);
    }
    *listener = new;
    return 0;
}

void listener_close(struct listener *listener)
{
    if (!listener)
        return;
    MHD_stop_daemon(listener->daemon);
    free(listener);
}

unsigned listener_port(const struct listener *listener)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}
