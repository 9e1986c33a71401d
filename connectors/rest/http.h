/* http: exchanges with one system: HTTPS with the certificate verified, or HTTP to this machine alone. It
 * follows no redirect itself, and uses a proxy only where one is configured. One connection is kept alive between
 * calls. Not thread-safe. */
#ifndef REST_HTTP_H
#define REST_HTTP_H

#include "request.h"
#include "response.h"
#include "site.h"

#include <dsar/connector.h>

/* All borrowed, and valid as long as the client. */
struct http_options {
    const struct site *site;
    const char *ca_file;     /* PEM file to trust instead of the system's; NULL without */
    const char *cert_file;   /* PEM file with this side's certificate; NULL without */
    const char *client_key;  /* its key, as PEM text */
    const char *proxy;       /* URL; NULL without */
    size_t answer_max_bytes; /* a longer answer is a fault */
    uint64_t sunk_max_bytes; /* the same for one that a sink takes */
};

struct http;

/* Connects nowhere yet. */
int http_open(struct http **http, const struct http_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));
void http_close(struct http *http);

/* What waits for a call to end, and how far the work is, to keep the conversation alive meanwhile. */
struct http_wait {
    struct dsar_session *session;
    uint64_t done;
    uint64_t total;
};

/* Makes one call, with `bearer` as its authorization unless it is NULL. Returns 0 with any status. Errors:
 * "source_unreachable", "source_timeout", "source_answer" when it is too long, "cancelled", "no_memory", and what the
 * sink says. */
int http_exchange(struct http *http, const struct http_wait *wait, const struct request *request,
                  const char *bearer, struct response *response, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
