#include "gather/crew.h"
#include "gather/parts.h"

#include <stdlib.h>
#include <string.h>

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

static int resolve_once(struct part *part, struct fault *fault)
{
    struct gather *gather = part->gather;
    const struct session_options options = parts_session(gather);
    enum breaker_admission admission;
    struct session *session = NULL;
    bool found;
    part->retry_after_ms = 0;
    if (catalog_enter(part->source, gather->cancel, &admission, fault))
        return -1;
    int result = session_open(&session, part->source, &options, fault);
    if (result == 0) {
        result = session_resolve(session, gather->options->request->id, part->to_tell, take_identity, part,
                                 &found, fault);
        part->retry_after_ms = session_retry_after_ms(session);
    }
    session_close(session);
    catalog_leave(part->source, admission, result ? part_verdict(fault) : BREAKER_ANSWERED,
                  gather->options->log);
    return result;
}

static void resolve_part(struct part *part)
{
    struct gather *gather = part->gather;
    for (unsigned tried = 1; !cancel_raised(gather->cancel); tried++) {
        if (resolve_once(part, &part->why) == 0)
            return;
        if (session_code_is_ours(part->why.code)) {
            parts_end(gather, &part->why);
            return;
        }
        part_log_try(part, tried, "looking the person up", &part->why);
        if (!part->why.retryable || !part_pause(part, tried)) {
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
        result = parts_check(gather, fault);
    }
    free(due);
    return result;
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

int who_is_it(struct gather *gather, struct fault *fault)
{
    bool *relevant = calloc(gather->n_parts, sizeof *relevant);
    if (!relevant)
        return fault_retry(fault, "no_memory", "no memory for the sources of a request");
    find_relevant(gather, relevant);
    int result = resolve_waves(gather, relevant, fault);
    free(relevant);
    return result;
}
