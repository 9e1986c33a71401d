#include "gather/crew.h"
#include "gather/fetch.h"
#include "gather/parts.h"

#include <stdlib.h>
#include <string.h>

static int set_gap(struct source_result *result, enum source_status status, const char *code,
                   const char *text, struct fault *fault)
{
    result->status = status;
    result->gap_code = strdup(code);
    result->gap_text = strdup(text);
    return result->gap_code && result->gap_text
               ? 0
               : fault_retry(fault, "no_memory", "no memory for a gap's reason");
}

/* The source that would have to answer before it is certain that nobody names `kind` to this one; NULL when
 * it is. */
static const struct part *missing_upstream(const struct part *part, const char *kind)
{
    const struct gather *gather = part->gather;
    for (size_t i = 0; i < gather->n_parts; i++) {
        const struct part *other = &gather->parts[i];
        size_t k;
        json_t *yield;
        if (!other->waits_for)
            continue;
        json_array_foreach (other->source->resolve_yields, k, yield)
            if (strcmp(json_string_value(yield), kind) == 0 &&
                identities_edge(gather->options->config, other->source->config->name, kind,
                                part->source->config->name))
                return other->waits_for;
    }
    return NULL;
}

/* A source that did not answer leaves those uncertain that look the person up by what it would have named,
 * and so on. */
static void find_uncertain(struct gather *gather)
{
    for (size_t i = 0; i < gather->n_parts; i++)
        gather->parts[i].waits_for = gather->parts[i].resolve_failed ? &gather->parts[i] : NULL;
    for (size_t round = 0; round < gather->n_parts; round++) {
        for (size_t i = 0; i < gather->n_parts; i++) {
            struct part *part = &gather->parts[i];
            size_t k;
            json_t *kind;
            json_array_foreach (part->source->resolve_needs, k, kind)
                if (!part->waits_for)
                    part->waits_for = missing_upstream(part, json_string_value(kind));
        }
    }
}

/* Decides what the source is asked for. *upstream is the source that would have to answer before it can be
 * asked for the rest, or NULL when nobody knows the person there. */
static void choose_collections(struct part *part, size_t *n_asked, const struct part **upstream)
{
    struct gather *gather = part->gather;
    *n_asked = 0;
    *upstream = NULL;
    for (size_t i = 0; i < part->source->n_collections; i++) {
        const struct catalog_collection *collection = &part->source->collections[i];
        if (!parts_in_scope(&gather->options->request->categories, collection->category))
            continue;
        bool met = true;
        size_t k;
        json_t *kind;
        json_array_foreach (collection->needs, k, kind) {
            if (identities_has(gather->identities, part->source->config->name, json_string_value(kind)))
                continue;
            met = false;
            if (!*upstream)
                *upstream = missing_upstream(part, json_string_value(kind));
        }
        part->asked[i] = met;
        *n_asked += met;
    }
}

static int fetch_until_done(struct part *part, json_t *visible, struct fault *fault)
{
    struct gather *gather = part->gather;
    const struct fetch_options options = {
        .source = part->source,
        .asked = part->asked,
        .request = gather->options->request->id,
        .identities = visible,
        .bundle = gather->options->bundle,
        .own = gather->own,
        .previews = gather->options->previews,
        .session = parts_session(gather),
    };
    for (unsigned tried = 1;; tried++) {
        if (catalog_enter(part->source, gather->options->cancel, fault))
            return -1;
        struct ledger *withheld = ledger_new();
        struct fetch_outcome outcome = {.verdict = FETCH_BROKEN};
        if (withheld)
            outcome = fetch_run(&options, part->result, withheld, fault);
        else
            fault_retry(fault, "no_memory", "no memory for a ledger");
        catalog_leave(part->source);
        bool cancelled = outcome.verdict != FETCH_OK && strcmp(fault->code, "cancelled") == 0;
        if (outcome.verdict == FETCH_FAILED)
            part_log_try(part, tried, "fetching", fault);
        bool again = outcome.verdict != FETCH_BROKEN && !cancelled && outcome.again &&
                     !atomic_load(&gather->ended) && parts_pause(gather, tried, outcome.retry_after_ms);
        if (again && outcome.verdict == FETCH_OK) {
            section_drop(outcome.section);
            source_result_clear(part->result);
        }
        int result = outcome.verdict == FETCH_BROKEN || cancelled ? -1 : 0;
        if (!again && outcome.verdict == FETCH_OK) {
            pthread_mutex_lock(&gather->lock);
            result = ledger_merge(gather->withheld, withheld, fault);
            pthread_mutex_unlock(&gather->lock);
        }
        ledger_free(withheld);
        if (again)
            continue;
        if (outcome.verdict == FETCH_FAILED && !cancelled)
            result = set_gap(part->result, SOURCE_FAILED, fault->code, fault->text, fault);
        return result;
    }
}

/* What the source could not be asked for is a gap: nobody may read it as "there is nothing". */
static int miss_upstream(struct part *part, const struct part *upstream, struct fault *fault)
{
    char text[FAULT_TEXT_MAX];
    bool has_some = part->result->status == SOURCE_COMPLETE;
    snprintf(text, sizeof text, "source %s: it can only be asked%s once source %s has answered",
             part->source->config->name, has_some ? " for the rest" : "", upstream->source->config->name);
    return set_gap(part->result, has_some ? SOURCE_PARTIAL : SOURCE_FAILED, "upstream_unresolved", text,
                   fault);
}

static int fetch_part(struct part *part, struct fault *fault)
{
    struct gather *gather = part->gather;
    if (!part->in_scope) {
        part->result->status = SOURCE_SKIPPED;
        return 0;
    }
    if (part->resolve_failed)
        return set_gap(part->result, SOURCE_FAILED, part->why.code, part->why.text, fault);
    size_t n_asked;
    const struct part *upstream;
    choose_collections(part, &n_asked, &upstream);
    part->result->status = SOURCE_NOT_FOUND;
    if (n_asked) {
        json_t *visible = identities_visible(gather->identities, part->source->config->name);
        if (!visible)
            return fault_retry(fault, "no_memory", "no memory for identities");
        int result = fetch_until_done(part, visible, fault);
        json_decref(visible);
        if (result)
            return -1;
    }
    return upstream && !part->result->gap_code ? miss_upstream(part, upstream, fault) : 0;
}

static void fetch_job(void *ctx, size_t i)
{
    struct gather *gather = ctx;
    struct fault fault;
    if (atomic_load(&gather->ended))
        return;
    if (fetch_part(&gather->parts[i], &fault))
        parts_end(gather, &fault);
    size_t n_done = atomic_fetch_add(&gather->n_done, 1) + 1;
    if (gather->options->progress_cb)
        gather->options->progress_cb(gather->options->ctx, n_done, gather->n_parts);
}

void what_is_held(struct gather *gather)
{
    find_uncertain(gather);
    crew_run(gather->n_parts, gather->options->config->work.concurrent_sources, fetch_job, gather);
}
