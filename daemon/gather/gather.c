#include "gather/gather.h"

#include "gather/crew.h"
#include "gather/fetch.h"
#include "gather/identities.h"
#include "gather/session.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* One source's part in one request. Used by one thread at a time. */
struct part {
    struct gather *gather;
    struct catalog_source *source;
    struct source_result *result; /* its place in the gather's result */
    bool in_scope;
    bool *asked;                  /* for each collection: within the scope and its needs are met */
    json_t *told;                 /* what it was told in the last wave */
    json_t *to_tell;              /* what it is to be told in this one; NULL when there is nothing new */
    bool resolve_failed;          /* what it yields may be missing */
    struct fault why;             /* why it failed */
    const struct part *waits_for; /* who did not answer, so that what this source yields may be missing:
                                     itself, or another */
};

struct gather {
    const struct gather_options *options;
    struct identities *identities;
    struct own_addresses *own;
    struct part *parts;
    size_t n_parts;
    struct ledger *withheld;
    pthread_mutex_t lock; /* of withheld and fault */
    struct fault fault;   /* the first that ends the request as a whole */
    atomic_bool ended;
    atomic_size_t n_done;
};

static void end_request(struct gather *gather, const struct fault *fault)
{
    pthread_mutex_lock(&gather->lock);
    if (!atomic_exchange(&gather->ended, true))
        gather->fault = *fault;
    pthread_mutex_unlock(&gather->lock);
}

/* Waits before try number `tried` + 1: doubled each time, half of it by chance, and never less than the
 * source asked for as long as that is within the longest pause. False when there is no other try. */
static bool pause_before_retry(const struct gather *gather, unsigned tried, int64_t asked_ms)
{
    const struct retry_config *retry = &gather->options->config->retry;
    if (tried >= retry->attempts || asked_ms > retry->max_ms)
        return false;
    int64_t pause_ms = retry->first_ms;
    for (unsigned i = 1; i < tried && pause_ms < retry->max_ms; i++)
        pause_ms *= 2;
    if (pause_ms > retry->max_ms)
        pause_ms = retry->max_ms;
    unsigned short chance = 0;
    if (RAND_bytes((unsigned char *)&chance, sizeof chance) == 1)
        pause_ms = pause_ms / 2 + pause_ms / 2 * chance / 65535;
    if (pause_ms < asked_ms)
        pause_ms = asked_ms;
    return !cancel_wait(gather->options->cancel, pause_ms);
}

static struct session_options session_options(const struct gather *gather)
{
    return (struct session_options){.log = gather->options->log, .cancel = gather->options->cancel};
}

/* What a connector says may quote what it read, so it is shown only to those who ask for it. */
static void log_failed_try(const struct part *part, unsigned tried, const char *what,
                           const struct fault *fault)
{
    const struct gather_options *options = part->gather->options;
    log_line(options->log, LOG_LEVEL_WARNING, options->request->id,
             "source %s: %s failed at try %u of %u (%s)", part->source->config->name, what, tried,
             options->config->retry.attempts, fault->code);
    log_line(options->log, LOG_LEVEL_DEBUG, options->request->id, "%s", fault->text);
}

/* --- pass one: who is it --- */

static int take_identity(void *ctx, const char *kind, const char *value, struct fault *fault)
{
    const struct part *part = ctx;
    const char *name = part->source->config->name;
    size_t i;
    json_t *yield;
    json_array_foreach (part->source->resolve_yields, i, yield)
        if (strcmp(json_string_value(yield), kind) == 0)
            return identities_yield(part->gather->identities, name, kind, value, fault);
    return fault_set(fault, "identity_refused",
                     "source %s answered with a kind of identity that its hello does not name", name);
}

static int resolve_once(struct part *part, int64_t *retry_after_ms, struct fault *fault)
{
    struct gather *gather = part->gather;
    const struct session_options options = session_options(gather);
    struct session *session = NULL;
    bool found;
    if (catalog_enter(part->source, gather->options->cancel, fault))
        return -1;
    int result = session_open(&session, part->source, &options, fault);
    if (result == 0) {
        result = session_resolve(session, gather->options->request->id, part->to_tell, take_identity, part,
                                 &found, fault);
        *retry_after_ms = session_retry_after_ms(session);
    }
    session_close(session);
    catalog_leave(part->source);
    return result;
}

static void resolve_part(struct part *part)
{
    struct gather *gather = part->gather;
    for (unsigned tried = 1; !atomic_load(&gather->ended); tried++) {
        int64_t retry_after_ms = 0;
        if (resolve_once(part, &retry_after_ms, &part->why) == 0)
            return;
        if (session_code_is_ours(part->why.code)) {
            end_request(gather, &part->why);
            return;
        }
        log_failed_try(part, tried, "looking the person up", &part->why);
        if (!part->why.retryable || !pause_before_retry(gather, tried, retry_after_ms)) {
            part->resolve_failed = true;
            identities_forget(gather->identities, part->source->config->name);
            return;
        }
    }
}

static void resolve_job(void *ctx, size_t i)
{
    struct part **due = ctx;
    resolve_part(due[i]);
}

/* Whether the source is to be asked (again): it can look somebody up, by a kind that is known, and has not
 * been told all that it may know. */
static int is_due(struct part *part, bool *due, struct fault *fault)
{
    struct gather *gather = part->gather;
    const char *name = part->source->config->name;
    *due = false;
    bool has_any = false;
    size_t i;
    json_t *kind;
    json_array_foreach (part->source->resolve_needs, i, kind)
        has_any = has_any || identities_has(gather->identities, name, json_string_value(kind));
    if (!has_any || part->resolve_failed)
        return 0;
    json_decref(part->to_tell);
    part->to_tell = identities_visible(gather->identities, name);
    if (!part->to_tell)
        return fault_retry(fault, "no_memory", "no memory for identities");
    *due = !json_equal(part->to_tell, part->told);
    json_decref(part->told);
    part->told = json_incref(part->to_tell);
    return 0;
}

static int resolve_waves(struct gather *gather, bool *relevant, struct fault *fault)
{
    const struct work_config *work = &gather->options->config->work;
    struct part **due = calloc(gather->n_parts, sizeof(struct part *));
    if (!due)
        return fault_retry(fault, "no_memory", "no memory for the sources");
    int result = 0;
    for (unsigned wave = 0; result == 0; wave++) {
        size_t n_due = 0;
        for (size_t i = 0; i < gather->n_parts && result == 0; i++) {
            bool is = false;
            if (relevant[i])
                result = is_due(&gather->parts[i], &is, fault);
            if (is)
                due[n_due++] = &gather->parts[i];
        }
        if (result || n_due == 0)
            break;
        if (wave == work->waves_max) {
            result =
                fault_set(fault, "ambiguous", "the sources still name new identities after %u waves", wave);
            break;
        }
        crew_run(n_due, work->concurrent_sources, resolve_job, due);
        if (atomic_load(&gather->ended)) {
            *fault = gather->fault;
            result = -1;
        }
    }
    free(due);
    return result;
}

static bool names_include(const struct request_names *scope, const char *name)
{
    for (size_t i = 0; i < scope->n_names; i++)
        if (strcmp(scope->names[i], name) == 0)
            return true;
    return scope->n_names == 0;
}

static bool in_scope(const struct request *request, const struct catalog_source *source)
{
    bool any = false;
    for (size_t i = 0; i < source->n_collections; i++)
        any = any || names_include(&request->categories, source->collections[i].category);
    return any && names_include(&request->sources, source->config->name);
}

static bool yields_to(const struct config *config, const struct catalog_source *from,
                      const struct catalog_source *to)
{
    size_t i;
    json_t *kind;
    json_array_foreach (from->resolve_yields, i, kind)
        if (identities_edge(config, from->config->name, json_string_value(kind), to->config->name))
            return true;
    return false;
}

/* Nobody is told of the person without need: only sources in scope, and those that lead to them. */
static void find_relevant(const struct gather *gather, bool *relevant)
{
    for (size_t i = 0; i < gather->n_parts; i++)
        relevant[i] = gather->parts[i].in_scope;
    for (size_t round = 0; round < gather->n_parts; round++)
        for (size_t i = 0; i < gather->n_parts; i++)
            for (size_t to = 0; to < gather->n_parts && !relevant[i]; to++)
                relevant[i] = relevant[to] && yields_to(gather->options->config, gather->parts[i].source,
                                                        gather->parts[to].source);
}

/* --- pass two: what do you hold --- */

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
        if (!names_include(&gather->options->request->categories, collection->category))
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
        .session = session_options(gather),
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
            log_failed_try(part, tried, "fetching", fault);
        bool again = outcome.verdict != FETCH_BROKEN && !cancelled && outcome.again &&
                     !atomic_load(&gather->ended) &&
                     pause_before_retry(gather, tried, outcome.retry_after_ms);
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
        end_request(gather, &fault);
    size_t n_done = atomic_fetch_add(&gather->n_done, 1) + 1;
    if (gather->options->progress_cb)
        gather->options->progress_cb(gather->options->ctx, n_done, gather->n_parts);
}

/* --- the whole --- */

static int name_source(struct source_result *result, const struct source_config *config)
{
    result->name = strdup(config->name);
    result->title = strdup(config->title);
    result->purpose = config->purpose ? strdup(config->purpose) : NULL;
    return result->name && result->title && (!config->purpose || result->purpose) ? 0 : -1;
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
    bool *relevant = calloc(gather->n_parts, sizeof *relevant);
    if (!relevant)
        return fault_retry(fault, "no_memory", "no memory for the sources of a request");
    find_relevant(gather, relevant);
    int result = resolve_waves(gather, relevant, fault);
    free(relevant);
    if (result || freeze_addresses(gather, fault))
        return -1;
    find_uncertain(gather);
    crew_run(gather->n_parts, gather->options->config->work.concurrent_sources, fetch_job, gather);
    if (atomic_load(&gather->ended)) {
        *fault = gather->fault;
        return -1;
    }
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
    pthread_mutex_destroy(&gather.lock);
    return status;
}
