#include "gather/result.h"

#include "bundle/preview.h"

#include <stdlib.h>
#include <string.h>

const char *source_status_name(enum source_status status)
{
    switch (status) {
    case SOURCE_COMPLETE: return "complete";
    case SOURCE_PARTIAL: return "partial";
    case SOURCE_NOT_FOUND: return "not_found";
    case SOURCE_FAILED: return "failed";
    case SOURCE_SKIPPED: return "skipped";
    }
    return "failed";
}

void collection_result_wipe(struct collection_result *collection)
{
    preview_free(collection->preview);
    free(collection->name);
    free(collection->title);
    free(collection->category);
    free(collection->entry);
    free(collection->files);
    free(collection->gap_code);
    free(collection->gap_text);
    *collection = (struct collection_result){0};
}

void source_result_clear(struct source_result *source)
{
    for (size_t i = 0; i < source->n_collections; i++)
        collection_result_wipe(&source->collections[i]);
    free(source->collections);
    free(source->gap_code);
    free(source->gap_text);
    *source =
        (struct source_result){.name = source->name, .title = source->title, .purpose = source->purpose};
}

void source_result_move(struct source_result *to, struct source_result *from)
{
    char *const name = to->name, *const title = to->title, *const purpose = to->purpose;
    *to = *from;
    to->name = name;
    to->title = title;
    to->purpose = purpose;
    *from = (struct source_result){.name = from->name, .title = from->title, .purpose = from->purpose};
}

int source_result_sum_up(struct source_result *source, struct fault *fault)
{
    size_t n_absent = 0, n_failed = 0, n_partial = 0;
    const struct collection_result *worst = NULL;
    for (size_t i = 0; i < source->n_collections; i++) {
        const struct collection_result *collection = &source->collections[i];
        n_absent += collection->status == SOURCE_NOT_FOUND;
        n_failed += collection->status == SOURCE_FAILED;
        n_partial += collection->status == SOURCE_PARTIAL;
        if (collection->gap_code && (!worst || collection->status == SOURCE_FAILED))
            worst = collection;
    }
    if (n_absent == source->n_collections)
        source->status = SOURCE_NOT_FOUND;
    else if (n_failed == source->n_collections)
        source->status = SOURCE_FAILED;
    else
        source->status = n_failed + n_partial ? SOURCE_PARTIAL : SOURCE_COMPLETE;
    if (!worst)
        return 0;
    source->gap_code = strdup(worst->gap_code);
    source->gap_text = strdup(worst->gap_text);
    return source->gap_code && source->gap_text
               ? 0
               : fault_retry(fault, "no_memory", "no memory for a gap's reason");
}

static void wipe_source(struct source_result *source)
{
    source_result_clear(source);
    free(source->name);
    free(source->title);
    free(source->purpose);
}

void gather_result_wipe(struct gather_result *result)
{
    for (size_t i = 0; i < result->n_sources; i++)
        wipe_source(&result->sources[i]);
    free(result->sources);
    ledger_free(result->withheld);
    *result = (struct gather_result){0};
}

uint64_t gather_result_records(const struct gather_result *result)
{
    uint64_t n = 0;
    for (size_t i = 0; i < result->n_sources; i++)
        for (size_t k = 0; k < result->sources[i].n_collections; k++)
            n += result->sources[i].collections[k].n_records;
    return n;
}

uint64_t gather_result_files(const struct gather_result *result)
{
    uint64_t n = 0;
    for (size_t i = 0; i < result->n_sources; i++)
        for (size_t k = 0; k < result->sources[i].n_collections; k++)
            n += result->sources[i].collections[k].n_files;
    return n;
}

bool gather_result_complete(const struct gather_result *result)
{
    for (size_t i = 0; i < result->n_sources; i++) {
        enum source_status status = result->sources[i].status;
        if (status == SOURCE_PARTIAL || status == SOURCE_FAILED)
            return false;
    }
    return true;
}

bool gather_result_retryable(const struct gather_result *result)
{
    for (size_t i = 0; i < result->n_sources; i++)
        if (result->sources[i].gap_retryable)
            return true;
    return false;
}

bool gather_result_answered(const struct gather_result *result)
{
    for (size_t i = 0; i < result->n_sources; i++) {
        enum source_status status = result->sources[i].status;
        if (status != SOURCE_FAILED && status != SOURCE_SKIPPED)
            return true;
    }
    return false;
}
