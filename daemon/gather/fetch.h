/* fetch: one try to get what one source holds of the person, into a section of the bundle.
 *
 * Records go through the screen into one entry a collection, files as they are into entries of their own,
 * with their names in `<source>/files.json`.
 */
#ifndef DSAR_GATHER_FETCH_H
#define DSAR_GATHER_FETCH_H

#include "bundle/bundle.h"
#include "bundle/preview.h"
#include "gather/reply.h"
#include "gather/session.h"
#include "screen/screen.h"

struct fetch_options {
    const struct catalog_source *source;
    const bool *asked;   /* for each collection of the source; at least one is true */
    const char *request; /* its id */
    json_t *identities;  /* what the source may see; borrowed */
    struct bundle *bundle;
    const struct own_addresses *own;
    struct preview_budget *previews;
    struct session_options session;
};

enum fetch_verdict {
    FETCH_OK,     /* the source answered; collections may still have gaps */
    FETCH_FAILED, /* the source's fault; nothing of it is in the bundle */
    FETCH_BROKEN, /* ours: no disk, no memory, or cancelled; nothing of it is in the bundle */
};

/* Fills the empty *reply, to be dropped or wiped by the caller, when the verdict is FETCH_OK: collections, one for each
 * that was asked for, status, gap, and whether another try may mend it. Otherwise `fault` says why not. *retry_after_ms is
 * how long the source asked to be left alone, 0 when it did not. */
enum fetch_verdict fetch_run(const struct fetch_options *options, struct reply *reply,
                             int64_t *retry_after_ms, struct fault *fault);

#endif
