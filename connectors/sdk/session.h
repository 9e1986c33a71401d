/* session: one conversation with dsard, and the piece of work (a lookup, or one collection) that is being
 * done in it.
 *
 * The functions of connector.h that a callback calls are in session.c; those here are for the main loop.
 */
#ifndef DSAR_SDK_SESSION_H
#define DSAR_SDK_SESSION_H

#include "base/buf.h"
#include "wire.h"

#include <dsar/connector.h>

struct dsar_session {
    struct wire wire;
    const json_t *yields; /* what hello says that resolve may answer with; borrowed, NULL without resolve */
    bool is_broken;       /* nothing more can be said: the process leaves with status 1 */
    struct dsar_error breakage; /* why, when is_broken */
    bool is_cancelled;          /* dsard wants the work stopped */
    int64_t progress_ms;        /* progress is not said more often */
    int64_t deadline_ms;        /* of the present resolve or fetch, on the clock of clock_now_ms */
    bool in_resolve;
    const char *collection; /* being fetched, borrowed; NULL outside */
    struct buf batch;       /* records, or a piece of a file, not yet sent */
    uint64_t n_batched;     /* records in `batch` */
    uint64_t n_sent;        /* records and whole files of the collection that were sent */
    json_t *file;           /* the message of the open file's next piece; NULL without one */
};

void session_init(struct dsar_session *session, int in_fd, int out_fd);
void session_wipe(struct dsar_session *session);

/* dsard wants to hear something at least this often. */
void session_keep_alive(struct dsar_session *session, int64_t keep_alive_ms);

/* Sends a message without payload and takes its reference over, NULL included (want of memory). */
int session_send(struct dsar_session *session, json_t *message, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Begins one collection. `collection` is borrowed until session_end. */
void session_begin(struct dsar_session *session, const char *collection);

/* Ends it: sends what is left, unless it failed, and its `end`. A collection whose last records cannot be
 * sent ends as failed. `error` is both: why it is partial or failed (in), and why the conversation broke
 * (out, with -1). */
int session_end(struct dsar_session *session, enum dsar_status status, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Forgets a collection that was begun, without its `end`: nobody wants it any more. */
void session_abandon(struct dsar_session *session);

/* Whether dsard wants the work stopped or the time is over; looks at the input without waiting. */
bool session_is_over(struct dsar_session *session);

/* Adds code, text and retryable to a message. */
int session_add_error(json_t *message, const struct dsar_error *error);

#endif
