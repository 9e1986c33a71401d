/* fetch: one try to get what one source holds of the person, into a section of the bundle.
 *
 * Records go through the screen into one entry a collection, files as they are into entries of their own,
 * with their names in `<source>/files.json`.
 */
#ifndef DSAR_GATHER_FETCH_H
#define DSAR_GATHER_FETCH_H

#include "bundle/bundle.h"
#include "bundle/preview.h"
#include "gather/result.h"
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
    FETCH_BROKEN, /* ours: no disk, no memory; nothing of it is in the bundle */
};

struct fetch_outcome {
    enum fetch_verdict verdict;
    bool again;              /* FETCH_OK with gaps, or FETCH_FAILED, that another try may mend */
    int64_t retry_after_ms;  /* what the source asked for */
    struct section *section; /* FETCH_OK: belongs to the bundle; drop it to undo the fetch */
};

/* Fills result->collections (one for each that was asked for), its status and gap, and adds what was withheld
 * to `withheld`. On a verdict other than FETCH_OK `fault` says why, and result and withheld are untouched. */
struct fetch_outcome fetch_run(const struct fetch_options *options, struct source_result *result,
                               struct ledger *withheld, struct fault *fault);

#endif
