/* identities: what is known of who the person is, where it came from, and which source may see it.
 *
 * The request verified some identities; sources yield more in waves, along an allow-list. Then the set is
 * frozen. Thread-safe while it grows (one lock); read freely once frozen.
 */
#ifndef DSAR_GATHER_IDENTITIES_H
#define DSAR_GATHER_IDENTITIES_H

#include "base/fault.h"
#include "config/config.h"
#include "intake/request.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct identities;

/* Starts from the identities of the request. `config` and `request` are borrowed and outlive the set. */
int identities_new(struct identities **identities, const struct config *config, const struct request *request,
                   struct fault *fault) __attribute__((warn_unused_result));
void identities_free(struct identities *identities);

/* Adds what `source` found. Known ones are added once. Fails with:
 * "identity_refused" an e-mail address, or a kind that the request itself verified, or a value that is not
 * text "ambiguous"        more values of a kind from this source than the configuration allows
 */
int identities_yield(struct identities *identities, const char *source, const char *kind, const char *value,
                     struct fault *fault) __attribute__((warn_unused_result));

/* Takes back all that `source` found: its answer broke off, so it may be wrong, or less than the whole. */
void identities_forget(struct identities *identities, const char *source);

/* What `source` may see, as the protocol's list [{kind, value}]: the request's identities, its own, and those
 * that the allow-list lets through. A new reference; NULL without memory. */
json_t *identities_visible(struct identities *identities, const char *source);

/* Whether `source` may see a value of `kind`. */
bool identities_has(struct identities *identities, const char *source, const char *kind);

/* Whether an allowed edge leads `kind` from `from` to `to` (a source's own kinds always reach itself). */
bool identities_edge(const struct config *config, const char *from, const char *kind, const char *to);

/* All of them for the manifest: [{kind, value, from}]. A new reference; NULL without memory. */
json_t *identities_json(struct identities *identities);

#endif
