/* client: calls to one system as they are to be made: no faster than it allows, authorised, and again where that is
 * safe. Not thread-safe. */
#ifndef REST_CLIENT_H
#define REST_CLIENT_H

#include "http.h"

/* Calls a second. */
#define CLIENT_RATE_MIN 0.001
#define CLIENT_RATE_MAX 1000.0

/* How often a call is made again at most. */
#define CLIENT_RETRIES_MAX 10

/* Borrowed, and valid as long as the client. */
struct client_options {
    const json_t *settings; /* effective ones: base_url and whatever else an engine setting says of calls */
    const json_t *secrets;
    double requests_per_second; /* what the profile says; 0: any number. The setting goes before it */
};

struct client;

/* Checks the settings ("bad_settings") and connects nowhere yet. */
int client_open(struct client **client, const struct client_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));
void client_close(struct client *client);

/* Makes one call. A redirect to the same place is followed, and the target of `request` changed, when the request
 * may be. Returns 0 with any status from 200 to 299, and with one from 400 to 499 whose meaning depends on the
 * system. Errors: "source_unreachable", "source_timeout", "source_busy", "source_error", "source_refused",
 * "source_answer", "cancelled", and what the sink says. */
int client_send(struct client *client, const struct http_wait *wait, struct request *request,
                struct response *response, struct dsar_error *error) __attribute__((warn_unused_result));

/* Says that an answer to `request` is not what it should be, and why; returns -1. */
int client_bad_answer(const struct client *client, const struct request *request, bool retryable,
                      const char *why, struct dsar_error *error);

/* Appends where `reference`, of an answer to `request`, leads to: path and query at the system's own place.
 * *is_elsewhere says whether it named another. "source_answer" when it is no URL. */
int client_locate(const struct client *client, const struct request *request, const char *reference,
                  struct buf *target, bool *is_elsewhere, struct dsar_error *error)
    __attribute__((warn_unused_result));

size_t client_answer_max(const struct client *client);

#endif
