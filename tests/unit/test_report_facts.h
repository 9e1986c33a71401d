/* The facts of an answered request, built by hand: for tests of result, manifest and report. Aborts without
 * memory. */
#ifndef DSAR_TEST_REPORT_FACTS_H
#define DSAR_TEST_REPORT_FACTS_H

#include "bundle/manifest.h"
#include "bundle/preview.h"

#include <stdlib.h>
#include <string.h>

struct facts {
    struct preview_budget budget;
    struct gather_result result;
    struct manifest manifest;
};

static inline char *facts_copy(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy)
        abort();
    return copy;
}

static inline void facts_init(struct facts *facts)
{
    *facts = (struct facts){0};
    preview_budget_init(&facts->budget, PREVIEW_BUDGET_BYTES);
    facts->result.withheld = ledger_new();
    json_t *identities = json_array();
    if (!facts->result.withheld || !identities)
        abort();
    facts->manifest = (struct manifest){
        .request_id = "2c0e7a52-0d0b-4c5f-9a33-6d1c2f1f5a01",
        .regulation = "gdpr",
        .request_type = "access",
        .submitted_unix_s = 1795420800, /* 2026-11-23T08:00:00Z */
        .completed_unix_s = 1795424523,
        .controller = {"example-hosting", "Example Hosting Ltd", "privacy@example.test",
                       "Example Data Authority"},
        .exporter = {"https://dsard.example.test", "exporter-1", "0.1.0"},
        .policy_version = "1",
        .identities = identities,
        .result = &facts->result,
    };
}

static inline void facts_wipe(struct facts *facts)
{
    json_t *identities;
    memcpy(&identities, &facts->manifest.identities, sizeof identities);
    json_decref(identities);
    gather_result_wipe(&facts->result);
}

static inline void facts_identity(struct facts *facts, const char *kind, const char *value, const char *from)
{
    json_t *identities;
    memcpy(&identities, &facts->manifest.identities, sizeof identities);
    if (json_array_append_new(identities,
                              json_pack("{s:s,s:s,s:s}", "kind", kind, "value", value, "from", from)))
        abort();
}

static inline void facts_withheld(struct facts *facts, const char *collection, const char *reason,
                                  uint64_t count)
{
    if (ledger_add(facts->result.withheld, collection, reason, count, NULL))
        abort();
}

static inline struct source_result *facts_source(struct facts *facts, const char *name, const char *title,
                                                 enum source_status status)
{
    struct gather_result *result = &facts->result;
    struct source_result *grown = realloc(result->sources, (result->n_sources + 1) * sizeof *grown);
    if (!grown)
        abort();
    result->sources = grown;
    grown[result->n_sources] =
        (struct source_result){.name = facts_copy(name), .title = facts_copy(title), .status = status};
    return &grown[result->n_sources++];
}

static inline struct collection_result *facts_collection(struct source_result *source, const char *name,
                                                         const char *title, enum source_status status)
{
    struct collection_result *grown =
        realloc(source->collections, (source->n_collections + 1) * sizeof *grown);
    if (!grown)
        abort();
    source->collections = grown;
    grown[source->n_collections] = (struct collection_result){.name = facts_copy(name),
                                                              .title = facts_copy(title),
                                                              .category = facts_copy(source->name),
                                                              .status = status};
    return &grown[source->n_collections++];
}

/* Records as the screen writes them, ",\n" before each. */
static inline void facts_records(struct facts *facts, struct collection_result *collection, const char *entry,
                                 const char *records)
{
    if (preview_new(&collection->preview, &facts->budget, NULL))
        abort();
    preview_seen(collection->preview, records, strlen(records));
    for (const char *at = records; (at = strstr(at, ",\n{")) != NULL; at++)
        collection->n_records++;
    collection->entry = facts_copy(entry);
    collection->bytes += strlen(records);
}

static inline void facts_gap(char **code, char **text, const char *why, const char *detail)
{
    *code = facts_copy(why);
    *text = facts_copy(detail);
}

#endif
