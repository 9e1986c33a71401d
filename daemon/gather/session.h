/* session: one conversation with one connector process about one person (include/dsar/PROTOCOL.md).
 *
 * A session is used by one thread. A connector that breaks the protocol, dies, falls silent or takes too long
 * ends the session, never the daemon.
 */
#ifndef DSAR_GATHER_SESSION_H
#define DSAR_GATHER_SESSION_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/log.h"
#include "gather/catalog.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct session;

struct session_options {
    struct log *log;
    const struct cancel *cancel; /* ends every wait */
};

/* Starts the source's connector where it may do no more than say its hello (a new reference in *hello) and lets it
 * leave. */
int session_ask_hello(const struct catalog_source *source, const struct sandbox *sandbox,
                      const struct session_options *options, json_t **hello, struct fault *fault)
    __attribute__((warn_unused_result));

/* Starts the source's connector, checks that its hello is still the one of the catalog, and configures it.
 * Faults: as frames_read, "source_start", "source_changed", and what the connector itself answers. */
int session_open(struct session **session, const struct catalog_source *source,
                 const struct session_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* Lets the connector leave, or kills it after two seconds; frees. NULL is harmless. */
void session_close(struct session *session);

/* Asks who the person is. yield_cb is called for each identity; -1 with a fault ends the conversation.
 * *found tells whether the source knows the person. */
int session_resolve(struct session *session, const char *request, json_t *identities,
                    int (*yield_cb)(void *ctx, const char *kind, const char *value, struct fault *fault),
                    void *ctx, bool *found, struct fault *fault) __attribute__((warn_unused_result));

/* Asks for collections. message_cb is called for each message up to `done`, which it is not shown; `payload`
 * holds the bytes that came with it and may be read until it returns. -1 with a fault ends the conversation.
 */
int session_fetch(struct session *session, const char *request, json_t *identities, json_t *collections,
                  int (*message_cb)(void *ctx, const json_t *message, const char *type,
                                    const struct buf *payload, struct fault *fault),
                  void *ctx, bool *found, struct fault *fault) __attribute__((warn_unused_result));

/* Whether a fault of this code ends the request as a whole. A connector that says such a code is heard as
 * "source_failed". */
bool session_code_is_ours(const char *code);

/* How long the source asked us to wait before another try; 0 when it did not. Capped at six hours. */
int64_t session_retry_after_ms(const struct session *session);

#endif
