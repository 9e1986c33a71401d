#include "gather/gather.h"

#include "gather/parts.h"

#include <stdlib.h>
#include <string.h>

static int name_source(struct source_result *result, const struct source_config *config)
{
    result->name = strdup(config->name);
    result->title = strdup(config->title);
    result->purpose = config->purpose ? strdup(config->purpose) : NULL;
    return result->name && result->title && (!config->purpose || result->purpose) ? 0 : -1;
}

static bool in_scope(const struct request *request, const struct catalog_source *source)
{
    bool any = false;
    for (size_t i = 0; i < source->n_collections; i++)
        any = any || parts_in_scope(&request->categories, source->collections[i].category);
    return any && parts_in_scope(&request->sources, source->config->name);
}

static int prepare(struct gather *gather, struct gather_result *result, struct fault *fault)
{
    const struct gather_options *options = gather->options;
    gather->n_parts = options->catalog->n_sources;
    gather->parts = calloc(gather->n_parts, sizeof *gather->parts);
    result->sources = calloc(gather->n_parts, sizeof *result->sources);
    result->withheld = gather->withheld = ledger_new();
    if (!gather->parts || !result->sources || !result->withheld)
        goto no_memory;
    result->n_sources = gather->n_parts;
    bool has_any = false;
    for (size_t i = 0; i < gather->n_parts; i++) {
        struct part *part = &gather->parts[i];
        part->gather = gather;
        part->source = &options->catalog->sources[i];
        part->result = &result->sources[i];
        part->in_scope = in_scope(options->request, part->source);
        part->asked = calloc(part->source->n_collections, sizeof *part->asked);
        if (!part->asked || name_source(part->result, part->source->config))
            goto no_memory;
        has_any = has_any || part->in_scope;
    }
    if (!has_any)
        return fault_set(fault, "empty_scope", "the request's scope leaves out every source");
    if (cancel_new_child(&gather->cancel, options->cancel, fault))
        return -1;
    return identities_new(&gather->identities, options->config, options->request, fault);
no_memory:
    return fault_retry(fault, "no_memory", "no memory for the sources of a request");
}

/* From here on screening knows every address of the person. */
static int freeze_addresses(struct gather *gather, struct fault *fault)
{
    const struct request *request = gather->options->request;
    const char *addresses[REQUEST_IDENTITIES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < request->n_identities && n < REQUEST_IDENTITIES_MAX; i++)
        if (strcmp(request->identities[i].kind, "email") == 0)
            addresses[n++] = request->identities[i].value;
    return own_addresses_new(&gather->own, addresses, n, fault);
}

static int both_passes(struct gather *gather, json_t **identities, struct fault *fault)
{
    if (who_is_it(gather, fault) || freeze_addresses(gather, fault))
        return -1;
    what_is_held(gather);
    if (parts_check(gather, fault))
        return -1;
    *identities = identities_json(gather->identities);
    return *identities ? 0 : fault_retry(fault, "no_memory", "no memory for identities");
}

int gather_run(const struct gather_options *options, struct gather_result *result, json_t **identities,
               struct fault *fault)
{
    struct gather gather = {.options = options};
    *result = (struct gather_result){0};
    *identities = NULL;
    pthread_mutex_init(&gather.lock, NULL);
    int status = prepare(&gather, result, fault) ? -1 : both_passes(&gather, identities, fault);
    for (size_t i = 0; gather.parts && i < gather.n_parts; i++) {
        free(gather.parts[i].asked);
        json_decref(gather.parts[i].told);
        json_decref(gather.parts[i].to_tell);
    }
    free(gather.parts);
    identities_free(gather.identities);
    own_addresses_free(gather.own);
    cancel_free(gather.cancel);
    pthread_mutex_destroy(&gather.lock);
    return status;
}
