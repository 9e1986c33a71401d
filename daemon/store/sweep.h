/* sweep: removes from the store what attempts that died have left: objects that were never finished, bundles that no
 * receipt names, claims of the dead.
 *
 * It can never remove what a receipt names, whatever happens at the same time. A bundle is first hidden (renamed), then
 * looked for once more among the receipts and the receipts in the making, and put back if there is one. Whoever stores a
 * receipt begins it, then looks whether its bundle is to be seen, and only then commits it (receipt_take). So either
 * that look or the sweep's comes second and finds the other's work; and a receipt in the making that was itself swept
 * away for its age cannot be committed any more. What a sweep that died has hidden, the next one judges again. Several
 * workers may sweep at once.
 */
#ifndef DSAR_STORE_SWEEP_H
#define DSAR_STORE_SWEEP_H

#include "base/cancel.h"
#include "store/store.h"

struct sweep_counts {
    size_t n_unfinished; /* removed: objects that were never finished */
    size_t n_unnamed;    /* removed: bundles that no receipt names */
    size_t n_claims;     /* removed: claims that nobody renews */
    size_t n_put_back;
};

/* Goes over the folders of all requests once and removes what is older than `older_than_s` by the file system's clock. A
 * bundle is 32 hexadecimal digits and `.zip`; the file `receipt` beside it names the one that counts, if any. What has no name that the
 * store's users give is not ours and is never touched; nor is anything beside the folders, which are named by UUIDs of
 * version 4. Stops early once `cancel` is raised. -1 with "store_failed" when the store
 * cannot be read; what cannot be removed is left for the next time. */
int sweep_run(struct store *store, int64_t older_than_s, const struct cancel *cancel,
              struct sweep_counts *counts, struct fault *fault) __attribute__((warn_unused_result));

#endif
