/* figures: what a worker shows of itself: counts and names of the configuration, nothing of any request or person. */
#ifndef DSAR_OUTCOME_FIGURES_H
#define DSAR_OUTCOME_FIGURES_H

#include "gather/catalog.h"
#include "ops/exposition.h"
#include "outcome/committer.h"
#include "outcome/desk.h"

struct figures {
    const struct config *config;
    struct desk *desk;
    struct catalog *catalog;
    struct committer_figures *committer;
};

/* Adds all of them. Any thread. */
void figures_show(const struct figures *figures, struct exposition *exposition);

#endif
