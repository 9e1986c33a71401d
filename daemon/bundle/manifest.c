#include "bundle/manifest.h"

#include "base/clock.h"
#include "base/hex.h"
#include "screen/ledger.h"

#include <stdio.h>
#include <string.h>

/* Appends to a list; false without memory. Takes `item`. */
static bool add(json_t *list, json_t *item)
{
    return json_array_append_new(list, item) == 0;
}

/* NULL members are left out of the object. Takes `value`. */
static json_t *reason(const char *code, const char *text)
{
    return code ? json_pack("{s:s, s:s*}", "code", code, "text", text) : NULL;
}

static json_t *collection_json(const struct collection_result *collection)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s*, s:s*, s:o*}", "name", collection->name,
                     "title", collection->title, "category", collection->category, "status",
                     source_status_name(collection->status), "records", (json_int_t)collection->n_records,
                     "files", (json_int_t)collection->n_files, "bytes", (json_int_t)collection->bytes,
                     "entry", collection->entry, "files_entry", collection->files, "reason",
                     reason(collection->gap_code, collection->gap_text));
}

static json_t *source_json(const struct source_result *source)
{
    json_t *collections = json_array();
    for (size_t i = 0; collections && i < source->n_collections; i++)
        if (!add(collections, collection_json(&source->collections[i]))) {
            json_decref(collections);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:s*, s:s, s:o*, s:o}", "name", source->name, "title", source->title,
                     "purpose", source->purpose, "status", source_status_name(source->status), "reason",
                     reason(source->gap_code, source->gap_text), "collections", collections);
}

static json_t *sources_json(const struct gather_result *result)
{
    json_t *sources = json_array();
    for (size_t i = 0; sources && i < result->n_sources; i++)
        if (!add(sources, source_json(&result->sources[i]))) {
            json_decref(sources);
            return NULL;
        }
    return sources;
}

static int visit_entry(const struct entry_info *info, void *ctx)
{
    json_t *entries = ctx;
    if (strcmp(info->name, MANIFEST_ENTRY) == 0 || strcmp(info->name, MANIFEST_SIGNATURE_ENTRY) == 0)
        return 0;
    char sha256[HEX_SHA256_MAX];
    hex_encode(info->sha256, sizeof info->sha256, sha256);
    return !add(entries, json_pack("{s:s, s:I, s:s}", "name", info->name, "bytes", (json_int_t)info->bytes,
                                   "sha256", sha256));
}

static json_t *entries_json(const struct bundle *bundle)
{
    json_t *entries = json_array();
    if (entries && bundle_each_entry(bundle, visit_entry, entries)) {
        json_decref(entries);
        return NULL;
    }
    return entries;
}

static json_t *controller_json(const struct manifest_controller *controller)
{
    return json_pack("{s:s, s:s, s:s*, s:s*}", "id", controller->id, "name", controller->name, "contact",
                     controller->contact, "complaints", controller->complaints);
}

static json_t *request_json(const struct manifest *manifest)
{
    char submitted[CLOCK_TEXT_MAX], completed[CLOCK_TEXT_MAX];
    clock_format(manifest->submitted_unix_s, submitted);
    clock_format(manifest->completed_unix_s, completed);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", manifest->request_id, "regulation",
                     manifest->regulation, "type", manifest->request_type, "submitted", submitted,
                     "completed", completed);
}

static json_t *manifest_tree(const struct manifest *manifest, const struct bundle *bundle)
{
    const struct gather_result *result = manifest->result;
    const struct manifest_exporter *exporter = &manifest->exporter;
    return json_pack(
        "{s:s, s:i, s:o, s:o, s:{s:s, s:s*, s:s}, s:s, s:s, s:I, s:I, s:{s:s, s:O}, s:o, s:o, s:o}", "format",
        "dsard-manifest", "version", 1, "request", request_json(manifest), "controller",
        controller_json(&manifest->controller), "exporter", "source", exporter->source, "kid", exporter->kid,
        "version", exporter->version, "policy", manifest->policy_version, "coverage",
        gather_result_complete(result) ? "complete" : "partial", "records",
        (json_int_t)gather_result_records(result), "files", (json_int_t)gather_result_files(result),
        "searched", "note",
        "Every source below was searched with these identities, as far as each source may see them.",
        "identities", manifest->identities, "sources", sources_json(result), "withheld",
        ledger_json(result->withheld), "entries", entries_json(bundle));
}

struct output {
    struct buf *buf;
    struct fault *fault;
};

static int append(const char *data, size_t len, void *ctx)
{
    struct output *output = ctx;
    return buf_append(output->buf, data, len, output->fault);
}

int manifest_json(const struct manifest *manifest, const struct bundle *bundle, struct buf *out,
                  struct fault *fault)
{
    json_t *tree = manifest_tree(manifest, bundle);
    if (!tree)
        return fault_retry(fault, "no_memory", "no memory for the manifest");
    /* jansson itself may fail for want of memory, and says no more than that */
    fault_retry(fault, "no_memory", "no memory for the manifest");
    struct output output = {.buf = out, .fault = fault};
    int result = json_dump_callback(tree, append, &output, JSON_INDENT(2));
    json_decref(tree);
    return result;
}
