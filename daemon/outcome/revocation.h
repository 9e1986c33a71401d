/* revocation: takes what a withdrawn request left in the store out of it. */
#ifndef DSAR_OUTCOME_REVOCATION_H
#define DSAR_OUTCOME_REVOCATION_H

#include "store/store.h"

/* Removes the bundles of a request, durably. Those that are gone already are no error. */
int revocation_bundles(struct store *store, const char *request, struct fault *fault)
    __attribute__((warn_unused_result));

/* The same, and the receipts too: of a request whose outcome was not published, so that another can take its place. */
int revocation_outcomes(struct store *store, const char *request, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
