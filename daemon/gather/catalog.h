/* catalog: what each configured source says that it can do, learned once at start from its connector's hello; and the
 * gate to each: how many processes may work there at a time, and whether it is asked at all.
 *
 * Read-only once made, but for the gates; safe for several threads.
 */
#ifndef DSAR_GATHER_CATALOG_H
#define DSAR_GATHER_CATALOG_H

#include "base/cancel.h"
#include "config/config.h"
#include "gather/breaker.h"
#include "sandbox/sandbox.h"
#include "screen/classes.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

struct catalog_collection {
    const char *name; /* borrowed from the hello, as the next two */
    const char *title;
    const char *category;
    const json_t *needs; /* list of identity kinds, all of which must be known; may be NULL */
    struct classes *classes;
};

struct catalog_source {
    const struct source_config *config;
    char **argv;                 /* the program, its profile and arguments; NULL-terminated */
    json_t *hello;               /* as the connector said it */
    struct sandbox *sandbox;     /* what the connector may do at work */
    const json_t *resolve_needs; /* borrowed from the hello; NULL when it cannot look anybody up */
    const json_t *resolve_yields;
    struct catalog_collection *collections;
    size_t n_collections;
    pthread_mutex_t gate_lock; /* how many of its processes may work at a time in this worker */
    pthread_cond_t gate_free;
    unsigned n_working;
    struct breaker breaker; /* breaker_state tells how it stands */
};

struct catalog {
    struct catalog_source *sources; /* in the order of the configuration */
    size_t n_sources;
};

/* Starts every source's connector for its hello, without secrets and without any connection, and checks the
 * configuration against it. Writes all problems to `errors`, a line each. */
int catalog_new(struct catalog **catalog, const struct config *config, FILE *errors)
    __attribute__((warn_unused_result));
void catalog_free(struct catalog *catalog);

/* Takes a place at the source for one try, waiting until one is free. Fails with "cancelled", and with "circuit_open"
 * (retryable) as soon as the source is to be left alone. Every place taken is given back by catalog_leave. */
int catalog_enter(struct catalog_source *source, const struct cancel *cancel,
                  enum breaker_admission *admission, struct fault *fault) __attribute__((warn_unused_result));

/* `verdict` is what the try tells of the source. */
void catalog_leave(struct catalog_source *source, enum breaker_admission admission,
                   enum breaker_verdict verdict, struct log *log);

#endif
