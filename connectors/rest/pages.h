/* pages: carries one step out for one combination of identities, page after page. */
#ifndef REST_PAGES_H
#define REST_PAGES_H

#include "client.h"
#include "step.h"

/* Uses one record, which is valid during the call alone and may be changed. */
typedef int (*pages_use_cb)(struct node *record, struct dsar_error *error, void *ctx);

struct pages_options {
    struct client *client;
    struct dsar_session *session;
    const struct step *step;
    const struct sources *sources;
    pages_use_cb use;
    void *ctx;
};

struct pages_outcome {
    bool is_absent;  /* the system does not know the person there */
    bool is_partial; /* what was used is right, but not all; `why` says why */
    struct dsar_error why;
};

/* Returns -1 when a call or `use` failed: what was used before is then not to be relied on. A record that
 * comes again on a later page is used once. Fewer records than the system announced, and as many as it gives at most,
 * are partial ("short_answer"), and so are more pages than the step allows ("page_limit"). */
int pages_run(const struct pages_options *options, struct pages_outcome *outcome, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
