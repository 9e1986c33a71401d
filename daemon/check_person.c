#include "check_parts.h"

#include "base/secret.h"
#include "gather/gather.h"
#include "outcome/event.h"

#include <stdio.h>
#include <string.h>

static void show_collection(const struct collection_result *collection)
{
    printf("    %-22s %llu", collection->name, (unsigned long long)collection->n_records);
    if (collection->n_files)
        printf(", %llu files", (unsigned long long)collection->n_files);
    if (collection->gap_code)
        printf("  %s: %s", source_status_name(collection->status), collection->gap_code);
    putchar('\n');
}

/* Codes alone: who knows what a connector's text quotes. */
static int show_source(const struct source_result *source)
{
    printf("  %-16s %s%s%s\n", source->name, source_status_name(source->status), source->gap_code ? ": " : "",
           source->gap_code ? source->gap_code : "");
    for (size_t i = 0; i < source->n_collections; i++)
        show_collection(&source->collections[i]);
    return source->gap_code ? -1 : 0;
}

static void show_withheld(const struct ledger *ledger)
{
    json_t *lines = ledger_json(ledger);
    size_t i;
    json_t *line;
    json_array_foreach (lines, i, line) {
        const char *collection = json_string_value(json_object_get(line, "collection"));
        const char *reason = json_string_value(json_object_get(line, "reason"));
        printf("  withheld         %lld of %s: %s\n",
               (long long)json_integer_value(json_object_get(line, "count")), collection, reason);
    }
    json_decref(lines);
}

static int show(const struct gather_result *result)
{
    int status = 0;
    for (size_t i = 0; i < result->n_sources; i++)
        if (show_source(&result->sources[i]))
            status = -1;
    show_withheld(result->withheld);
    return status;
}

/* Into a bundle that is never written. */
static int gather_into(struct bundle *bundle, const struct exporter *exporter, const struct request *request,
                       const struct cancel *cancel, struct gather_result *result, struct fault *fault)
{
    struct preview_budget previews;
    json_t *identities;
    const struct gather_options options = {
        .config = exporter->config,
        .catalog = exporter->catalog,
        .request = request,
        .bundle = bundle,
        .previews = &previews,
        .cancel = cancel,
        .log = exporter->log,
    };
    preview_budget_init(&previews, 0);
    int status = gather_run(&options, result, &identities, fault);
    json_decref(identities);
    return status;
}

static int try_person(struct exporter *exporter, const struct request *request, char *passphrase,
                      const struct cancel *cancel, struct fault *fault)
{
    struct gather_result result = {.sources = NULL};
    struct bundle *bundle;
    const struct bundle_options options = {
        .pool = exporter->pool,
        .spool_dir = exporter->config->work.spool_dir,
        .passphrase = passphrase,
        .entries_max = exporter->config->work.entries_max,
    };
    if (bundle_passphrase(passphrase, fault) || bundle_open(&bundle, &options, fault))
        return check_bad("request", fault);
    int status = gather_into(bundle, exporter, request, cancel, &result, fault) ? check_bad("request", fault)
                                                                                : show(&result);
    gather_result_wipe(&result);
    bundle_free(bundle);
    return status;
}

int check_person(struct exporter *exporter, struct identity *identities, size_t n_identities,
                 const struct cancel *cancel)
{
    struct fault fault;
    struct request request = {.identities = identities, .n_identities = n_identities, .locale = "en"};
    char *passphrase = secret_alloc(BUNDLE_PASSPHRASE_LEN, &fault);
    if (!passphrase || event_uuid(request.id, &fault)) {
        secret_free(passphrase, BUNDLE_PASSPHRASE_LEN);
        return check_bad("request", &fault);
    }
    int status = try_person(exporter, &request, passphrase, cancel, &fault);
    secret_free(passphrase, BUNDLE_PASSPHRASE_LEN);
    return status;
}
