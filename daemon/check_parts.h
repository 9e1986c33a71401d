/* check_parts: what `dsard check --connect` tries. Each prints a line a thing to standard output and returns 0 when all of it
 * is well, -1 otherwise. Never a person's data, nor a secret. */
#ifndef DSAR_CHECK_PARTS_H
#define DSAR_CHECK_PARTS_H

#include "base/cancel.h"
#include "intake/request.h"
#include "outcome/exporter.h"

/* One thing that was tried: "ok" with what it says of itself, or "FAILED" with the fault. */
void check_good(const char *name, const char *says);
int check_bad(const char *name, const struct fault *fault);

/* Every source: by its connector's `check`; where it has none, by looking up an address that nobody has. */
int check_sources(const struct catalog *catalog, size_t n_threads, const struct cancel *cancel)
    __attribute__((warn_unused_result));

/* Opens the exporter's store and spool, and stores, reads and removes an object. */
int check_store(struct exporter *exporter) __attribute__((warn_unused_result));

/* The brokers, the topics and their partitions, the consumer group's offsets. Neither joins the group nor begins a
 * transaction, so workers are not disturbed. */
int check_kafka(const struct config *config, struct log *log) __attribute__((warn_unused_result));

/* Asks all sources for one person, as a request would, through a store that is open. What comes is sealed with a key that
 * nobody has, and dropped; counts are printed. */
int check_person(struct exporter *exporter, struct identity *identities, size_t n_identities,
                 const struct cancel *cancel) __attribute__((warn_unused_result));

#endif
