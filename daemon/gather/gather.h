/* gather: asks every source for what it holds of the person.
 *
 * Two passes: first the sources say who the person is, in waves until nothing new comes; then, with the set
 * of identities frozen, all are asked for their records at once. A source that fails is tried again in place;
 * then what it has given stays, and the rest is a named gap. What ends the request as a whole stops all that
 * is still being asked.
 */
#ifndef DSAR_GATHER_GATHER_H
#define DSAR_GATHER_GATHER_H

#include "base/cancel.h"
#include "base/log.h"
#include "bundle/bundle.h"
#include "bundle/preview.h"
#include "gather/catalog.h"
#include "gather/result.h"
#include "intake/request.h"

struct gather_options {
    const struct config *config;
    struct catalog *catalog;
    const struct request *request;
    struct bundle *bundle; /* gets the entries */
    struct preview_budget *previews;
    const struct cancel *cancel;
    struct log *log;
    /* Is told, from several threads at once, that `n_done` of `n_sources` sources have answered. May be NULL.
     */
    void (*progress_cb)(void *ctx, size_t n_done, size_t n_sources);
    void *ctx;
};

/* Fills *result (wiped by the caller with gather_result_wipe, whatever is returned) and *identities (the
 * manifest's list, a new reference). -1 only when there is nothing to deliver: "ambiguous" or "empty_scope"
 * (the request is to be refused), "cancelled", or a fault of our own side, for which the whole attempt is to
 * be made again. */
int gather_run(const struct gather_options *options, struct gather_result *result, json_t **identities,
               struct fault *fault) __attribute__((warn_unused_result));

#endif
