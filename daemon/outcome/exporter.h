/* exporter: what all attempts of a process share: configuration, sources, sealing threads, store, key. */
#ifndef DSAR_OUTCOME_EXPORTER_H
#define DSAR_OUTCOME_EXPORTER_H

#include "base/log.h"
#include "bundle/seal_pool.h"
#include "config/config.h"
#include "gather/catalog.h"
#include "store/store.h"

#include <jansson.h>

struct exporter {
    const struct config *config; /* borrowed, as the log */
    struct log *log;
    json_t *key; /* private, ES256: signs manifests, receipts and events */
    struct catalog *catalog;
    struct seal_pool *pool;
    struct store *store;
};

/* Reads the key, asks every connector for its hello, opens the store, starts the sealing threads. Problems of the
 * configuration are written to stderr, all at once, before anything else is opened; then *bad_config is true. */
int exporter_open(struct exporter *exporter, const struct config *config, struct log *log, bool *bad_config,
                  struct fault *fault) __attribute__((warn_unused_result));

/* No attempt may be running. */
void exporter_close(struct exporter *exporter);

#endif
