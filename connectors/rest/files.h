/* files: what records name and a call gives, or what stands in them as base64: sent on as it comes, so that a file
 * needs no memory of its size. */
#ifndef REST_FILES_H
#define REST_FILES_H

#include "client.h"
#include "step.h"

struct files {
    struct client *client;
    struct dsar_session *session;
    const json_t *rules;   /* the profile's `files`; NULL without */
    struct scope scope;    /* of these rules */
    uint64_t n_sent;       /* files of the collection; each is named by its number */
    bool is_open;          /* one has begun and not ended; behind a failure: it broke off */
    uint64_t n_missing;    /* that could not be had */
    struct dsar_error why; /* of the first of these */
};

/* Sends the files that `record` names. Where they stand in it, their text is taken out of it. `is_detail`: it is what
 * completes a record; a rule for the record itself is not for that. `sources` has the record that values may name.
 * Fails when a file breaks off, and where any call would fail. */
int files_send(struct files *files, struct node *record, bool is_detail, const struct sources *sources,
               struct dsar_error *error) __attribute__((warn_unused_result));

#endif
