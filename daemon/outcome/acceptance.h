/* acceptance: the store's record that a request was accepted, and which message it came with: made before any work.
 *
 * One request id belongs to one message: whoever makes `<request>/accepted` first. A second message that says the
 * same, hand-placed in another partition or sent again, is thus told from the first however early it comes. In the same
 * way each further attempt belongs to one message of a retry topic: whoever makes `<request>/attempt-<n>` first. So a
 * request is one chain of messages, and a copy of any of them is no part of it. */
#ifndef DSAR_OUTCOME_ACCEPTANCE_H
#define DSAR_OUTCOME_ACCEPTANCE_H

#include "intake/request.h"
#include "outcome/origin.h"
#include "outcome/record.h"

enum acceptance {
    ACCEPTANCE_OURS,      /* the request is this message's, now or since an earlier attempt */
    ACCEPTANCE_REPEATED,  /* another message said the same before */
    ACCEPTANCE_DIFFERENT, /* another message has the id for another request */
};

/* Accepts the request for the message at `origin`, durably, or finds whose it is. `source` is who asks (ce_source): it
 * is kept for a later cancel. *received_unix_s is when the message came; of one that was accepted before it becomes
 * when it came first. A record that is not genuine is a fault, as record_read tells it ("bad_record":
 * somebody wrote into the store). */
int acceptance_take(const struct records *records, const struct request *request, const char *source,
                    const struct origin *origin, int64_t *received_unix_s, enum acceptance *acceptance,
                    struct fault *fault) __attribute__((warn_unused_result));

/* The same for the attempt after `n_attempts` that failed, whose message lies on a retry topic at `place`. Never
 * ACCEPTANCE_DIFFERENT: what is parked is bound to its request. */
int acceptance_take_attempt(const struct records *records, const char *request, unsigned n_attempts,
                            const struct origin *place, enum acceptance *acceptance, struct fault *fault)
    __attribute__((warn_unused_result));

/* Whether this very message (same body, source and origin) was accepted, and then when it came first; otherwise
 * *received_unix_s stays as it is. */
int acceptance_recall(const struct records *records, const struct request *request, const char *source,
                      const struct origin *origin, bool *accepted, int64_t *received_unix_s,
                      struct fault *fault) __attribute__((warn_unused_result));

/* Finds the acceptance of a request with this id, body and source, for a cancel: where its first message lies, and when it
 * is due. *json is the caller's and holds what *origin points to; NULL when there is none. */
int acceptance_find(const struct records *records, const char *request, const unsigned char sha256[32],
                    const char *source, json_t **json, struct origin *origin, int64_t *due_unix_s,
                    struct fault *fault) __attribute__((warn_unused_result));

#endif
