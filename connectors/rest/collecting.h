/* collecting: one collection on its way, and how each of its records leaves. */
#ifndef REST_COLLECTING_H
#define REST_COLLECTING_H

#include "engine_parts.h"
#include "files.h"

struct collecting {
    struct engine *engine;
    struct dsar_session *session;
    const struct dsar_identities *known;
    const struct step *step;
    struct scope below; /* of the steps that belong to a record */
    struct files files;
    bool is_anything_found;
    uint64_t n_too_large; /* records */
    bool is_partial;
    struct dsar_error why; /* when partial: the first reason */
};

/* Takes note that something is missing. */
void collecting_partial(struct collecting *collecting, const struct dsar_error *why);

/* Sends one record: what the profile keeps back taken out, its details added, its files sent. `sources` is what the
 * call was made from that gave it. */
int collecting_record(struct collecting *collecting, struct node *record, const struct sources *sources,
                      struct dsar_error *error) __attribute__((warn_unused_result));

#endif
