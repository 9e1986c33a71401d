/* exporter: what all attempts of a process share: configuration, sources, sealing threads, store, key. */
#ifndef DSAR_OUTCOME_EXPORTER_H
#define DSAR_OUTCOME_EXPORTER_H

#include "base/log.h"
#include "bundle/seal_pool.h"
#include "config/config.h"
#include "gather/catalog.h"
#include "intake/identity_keys.h"
#include "intake/trust.h"
#include "outcome/record.h"
#include "store/store.h"

struct exporter {
    const struct config *config; /* borrowed, as the log */
    struct log *log;
    struct keyring *keyring; /* signs manifests, records and events */
    struct trust *trust;     /* whose requests count; NULL when they need no signature, or without Kafka */
    struct identity_keys *identity_keys; /* open sealed identities; NULL: none can be opened */
    struct catalog *catalog;
    struct seal_pool *pool;
    struct store *store;
    struct records records; /* of the store, signed by the keyring */
};

/* Reads keys and trusted keys, tries the properties of Kafka's clients and asks every connector for its
 * hello: all that can be found wrong without any connection. Problems of the sources are written to stderr, a
 * line each. */
int exporter_learn(struct exporter *exporter, const struct config *config, struct log *log,
                   struct fault *fault) __attribute__((warn_unused_result));

/* Opens store and spool and starts the sealing threads of an exporter that has learned. */
int exporter_open(struct exporter *exporter, struct fault *fault) __attribute__((warn_unused_result));

/* Also after a failure of the two above. No attempt may be running. */
void exporter_close(struct exporter *exporter);

#endif
