/* result: how each source and each of its collections came out. What the manifest, the report and the event
 * are made of.
 *
 * A result owns its strings and its previews. It is filled by gather and read-only afterwards. */
#ifndef DSAR_GATHER_RESULT_H
#define DSAR_GATHER_RESULT_H

#include "base/fault.h"
#include "screen/ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct preview; /* the first rows of a collection, for the report (bundle/preview.h) */

enum source_status {
    SOURCE_COMPLETE,  /* all that it holds of the person is in the bundle */
    SOURCE_PARTIAL,   /* some is missing; the collections say what */
    SOURCE_NOT_FOUND, /* it answered that it does not know the person */
    SOURCE_FAILED,    /* nothing of it is in the bundle */
    SOURCE_SKIPPED,   /* the request's scope leaves it out */
};

/* "complete", "partial", "not_found", "failed", "skipped": as in manifest and events. */
const char *source_status_name(enum source_status status);

struct collection_result {
    char *name;                /* "invoices" */
    char *title;               /* "Invoices", for people */
    char *category;            /* "billing" */
    char *entry;               /* the entry's path in the archive, NULL when there is none (no records) */
    char *files;               /* the path of the index of its files, NULL without files */
    enum source_status status; /* COMPLETE, PARTIAL, NOT_FOUND (absent) or FAILED */
    uint64_t n_records;
    uint64_t n_files;
    uint64_t bytes; /* plain bytes of records and files, as they left */
    char *gap_code; /* why it is not complete; NULL when it is */
    char *gap_text;
    struct preview *preview; /* NULL without records */
};

struct source_result {
    char *name;    /* as configured: "billing" */
    char *title;   /* for people: "Billing" */
    char *purpose; /* configured, may be NULL */
    enum source_status status;
    char *gap_code; /* why it is not complete; NULL when it is */
    char *gap_text;
    bool gap_retryable; /* another attempt some time later may mend it */
    int64_t
        retry_after_ms; /* how long it asks to be left alone until then, at most six hours; 0: it did not say */
    struct collection_result *collections;
    size_t n_collections;
};

struct gather_result {
    struct source_result *sources; /* in the order of the configuration */
    size_t n_sources;
    struct ledger *withheld;
};

void collection_result_wipe(struct collection_result *collection);

/* Forgets what the source answered; its names stay. */
void source_result_clear(struct source_result *source);

/* Moves what the source answered from one to the other, which has no answer yet; the names of both stay. */
void source_result_move(struct source_result *to, struct source_result *from);

/* A source is as good as its collections: sets its status, and as its gap the worst of theirs. */
int source_result_sum_up(struct source_result *source, struct fault *fault)
    __attribute__((warn_unused_result));

void gather_result_wipe(struct gather_result *result);

/* Sums over all collections. */
uint64_t gather_result_records(const struct gather_result *result);
uint64_t gather_result_files(const struct gather_result *result);

/* Whether every source that was asked answered completely. */
bool gather_result_complete(const struct gather_result *result);

/* Whether another attempt some time later may mend a gap. */
bool gather_result_retryable(const struct gather_result *result);

/* Whether at least one source answered, if only that it does not know the person. */
bool gather_result_answered(const struct gather_result *result);

#endif
