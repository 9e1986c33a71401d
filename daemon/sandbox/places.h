/* places: the files of a system that every program needs: libraries, interpreters, certificates, name servers. */
#ifndef DSAR_SANDBOX_PLACES_H
#define DSAR_SANDBOX_PLACES_H

#include "base/fault.h"

#include <glob.h>

/* The places of this system that are named by a pattern; all others are the same everywhere. */
struct places {
    glob_t found;
};

/* -1 without memory; freed by places_free in either case. */
int places_find(struct places *places) __attribute__((warn_unused_result));
void places_free(struct places *places);

/* Allows them in a ruleset of Landlock. */
int places_allow(const struct places *places, int ruleset, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
