/* http: a client for one system: HTTPS with the certificate verified, or HTTP to this machine alone. It
 * follows no redirect and uses no proxy. One connection is kept alive between calls. Not thread-safe. */
#ifndef REST_HTTP_H
#define REST_HTTP_H

#include "request.h"

#include <dsar/connector.h>

struct http_options {
    const char *base_url;
    const char *ca_file;     /* PEM file to trust instead of the system's; NULL without */
    size_t answer_max_bytes; /* a longer answer is a fault */
};

struct http;

/* Checks the base URL ("bad_settings") and connects nowhere yet. Strings are copied. */
int http_open(struct http **http, const struct http_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));
void http_close(struct http *http);

/* What waits for a call to end, and how far the work is, to keep the conversation alive meanwhile. */
struct http_wait {
    struct dsar_session *session;
    uint64_t done;
    uint64_t total;
};

struct response {
    long status;
    struct buf body; /* initialised and wiped by the caller */
};

/* Makes one call. Returns 0 with any status from 200 to 299, and with 404, whose meaning depends on the
 * system. Errors: "source_unreachable", "source_timeout", "source_busy", "source_error", "source_refused",
 * "source_answer", "cancelled". */
int http_send(struct http *http, const struct http_wait *wait, const struct request *request,
              struct response *response, struct dsar_error *error) __attribute__((warn_unused_result));

/* Says that an answer to `request` is not what it should be, and why; returns -1. */
int http_bad_answer(const struct http *http, const struct request *request, bool retryable, const char *why,
                    struct dsar_error *error);

size_t http_answer_max(const struct http *http);

#endif
