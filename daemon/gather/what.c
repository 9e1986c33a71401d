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

/* Of two sources that did not answer, either of them NULL for none, the one that may do so some other time. */
static const struct part *more_hopeful(const struct part *one, const struct part *other)
{
    return !one || (other && !one->why.retryable && other->why.retryable) ? other : one;
}

/* Says that another attempt may mend the gap, once `part` lets itself be asked again. */
static void leave_hope(struct source_result *result, const struct part *part)
{
    result->gap_retryable = true;
    if (result->retry_after_ms < part->retry_after_ms)
        result->retry_after_ms = part->retry_after_ms;
}

/* The source that would have to answer before it is certain that nobody names `kind` to this one; NULL when
 * it is. */
static const struct part *missing_upstream(const struct part *part, const char *kind)
{
    const struct gather *gather = part->gather;
    const struct part *missing = NULL;
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
                missing = more_hopeful(missing, other->waits_for);
    }
    return missing;
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
                if (!part->resolve_failed)
                    part->waits_for =
                        more_hopeful(part->waits_for, missing_upstream(part, json_string_value(kind)));
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
            *upstream = more_hopeful(*upstream, missing_upstream(part, json_string_value(kind)));
        }
        part->asked[i] = met;
        *n_asked += met;
    }
}

/* What a try tells of the source. One that ends every collection with a failure that may pass has not answered. */
static enum breaker_verdict about_source(enum fetch_verdict verdict, const struct source_result *result,
                                         const struct fault *fault)
{
    switch (verdict) {
    case FETCH_OK:
        return result->status == SOURCE_FAILED && result->gap_retryable ? BREAKER_FAILED : BREAKER_ANSWERED;
    case FETCH_FAILED: return part_verdict(fault);
    case FETCH_BROKEN: break;
    }
    return BREAKER_UNDECIDED;
}

static enum fetch_verdict fetch_once(struct part *part, const struct fetch_options *options,
                                     struct reply *reply, struct fault *fault)
{
    struct gather *gather = part->gather;
    enum breaker_admission admission;
    part->retry_after_ms = 0;
    if (catalog_enter(part->source, gather->cancel, &admission, fault))
        return session_code_is_ours(fault->code) ? FETCH_BROKEN : FETCH_FAILED;
    enum fetch_verdict verdict = fetch_run(options, reply, &part->retry_after_ms, fault);
    catalog_leave(part->source, admission, about_source(verdict, &reply->result, fault),
                  gather->options->log);
    return verdict;
}

/* Whether another try may give more. Room for entries may only be missing because an earlier reply is still held. */
static bool may_give_more(enum fetch_verdict verdict, const struct reply *reply, const struct reply *best,
                          const struct fault *fault)
{
    if (verdict == FETCH_OK)
        return reply->result.gap_retryable;
    return fault->retryable || (best->section && strcmp(fault->code, "too_many_entries") == 0);
}

/* Asks until the source has answered in whole or is to be left alone. What it answered in part stays in the bundle until
 * a better reply has come. -1 when the request ends as a whole. */
static int fetch_best(struct part *part, const struct fetch_options *options, struct reply *best, bool *again,
                      struct fault *fault)
{
    for (unsigned tried = 1;; tried++) {
        struct reply reply = {0};
        enum fetch_verdict verdict = fetch_once(part, options, &reply, fault);
        if (verdict == FETCH_BROKEN)
            return -1;
        if (verdict == FETCH_FAILED)
            part_log_try(part, tried, "fetching", fault);
        *again = may_give_more(verdict, &reply, best, fault);
        reply_keep_better(best, &reply);
        if (!*again || !part_pause(part, tried))
            return 0;
    }
}

static int take_reply(struct part *part, struct reply *reply, struct fault *fault)
{
    struct gather *gather = part->gather;
    pthread_mutex_lock(&gather->lock);
    int result = ledger_merge(gather->withheld, reply->withheld, fault);
    pthread_mutex_unlock(&gather->lock);
    source_result_move(part->result, &reply->result);
    return result;
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
    struct reply best = {0};
    bool again = false;
    int result = fetch_best(part, &options, &best, &again, fault);
    if (result == 0)
        result = best.section ? take_reply(part, &best, fault)
                              : set_gap(part->result, SOURCE_FAILED, fault->code, fault->text, fault);
    part->result->gap_retryable = false; /* the last try counts, even if an earlier reply is kept */
    if (again)
        leave_hope(part->result, part);
    reply_wipe(&best);
    return result;
}

/* What the source could not be asked for is a gap: nobody may read it as "there is nothing". */
static int miss_upstream(struct part *part, const struct part *upstream, struct fault *fault)
{
    if (upstream->why.retryable)
        leave_hope(part->result, upstream);
    if (part->result->gap_code)
        return 0;
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
    if (part->resolve_failed) {
        if (part->why.retryable)
            leave_hope(part->result, part);
        return set_gap(part->result, SOURCE_FAILED, part->why.code, part->why.text, fault);
    }
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
    return upstream ? miss_upstream(part, upstream, fault) : 0;
}

static void fetch_job(void *ctx, size_t i)
{
    struct gather *gather = ctx;
    struct fault fault;
    if (cancel_raised(gather->cancel))
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
