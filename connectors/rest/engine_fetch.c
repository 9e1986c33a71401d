#include "engine_parts.h"

#include "../sdk/binding.h"
#include "collecting.h"
#include "job.h"
#include "tests.h"

#include <dsar/protocol.h>
#include <stdio.h>
#include <string.h>

#define LEVELS_MAX 4

/* A step that is carried out once for each record of the step above it; the last is the collection's own. */
struct level {
    struct collecting *collecting;
    struct step step;
    struct sources sources;
    struct level *next; /* NULL for the last */
    bool has_matched;   /* one of the records was the person's */
};

static int run_level(struct level *level, struct dsar_error *error);

static int use_record(struct node *record, struct dsar_error *error, void *ctx)
{
    struct level *level = ctx;
    const struct tested tested = {.record = record, .sources = &level->sources};
    if (!tests_all_hold(level->step.match, &tested))
        return 0;
    level->has_matched = true;
    if (!level->next)
        return collecting_record(level->collecting, record, &level->sources, error);
    level->next->sources = level->sources;
    level->next->sources.record = record;
    level->next->sources.above = &level->sources;
    return run_level(level->next, error);
}

/* Whether an answer shows that the system knows the person: not one with everybody's records of which none is theirs, nor
 * one whose records are nobody's and only say what to ask next. */
static bool is_persons(const struct level *level)
{
    return level->step.match ? level->has_matched : level->step.is_asserted || !level->next;
}

static int run_pages(struct level *level, struct dsar_error *error)
{
    struct collecting *collecting = level->collecting;
    const struct pages_options options = {
        .client = collecting->engine->client,
        .session = collecting->session,
        .step = &level->step,
        .sources = &level->sources,
        .use = use_record,
        .ctx = level,
    };
    struct pages_outcome outcome;
    if (pages_run(&options, &outcome, error))
        return -1;
    if (!outcome.is_absent && is_persons(level))
        collecting->is_anything_found = true;
    if (outcome.is_partial)
        collecting_partial(collecting, &outcome.why);
    return 0;
}

static int run_level(struct level *level, struct dsar_error *error)
{
    struct collecting *collecting = level->collecting;
    const struct sources sources = level->sources;
    const struct scope scope = {
        .settings = collecting->engine->declared,
        .needs = level->step.needs,
        .n_records = level->step.n_parents,
    };
    const struct job_options options = {collecting->engine->client, collecting->session, level->step.job,
                                        &scope, &sources};
    struct job job;
    if (!level->step.job)
        return run_pages(level, error);
    int result = job_run(&job, &options, error);
    if (!result) {
        level->sources = job_sources(&job, &sources);
        result = run_pages(level, error);
    }
    job_wipe(&job);
    return result;
}

static int use_binding(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    struct level *first = ctx;
    struct collecting *collecting = first->collecting;
    first->sources = (struct sources){
        .settings = collecting->engine->settings,
        .secrets = collecting->engine->secrets,
        .bound = bound,
        .known = collecting->known,
    };
    return run_level(first, error);
}

/* Fills the levels from the collection up to its outermost parent. Returns that one. */
static int read_levels(struct level levels[LEVELS_MAX], const json_t *plan, struct collecting *collecting,
                       struct level **first, struct dsar_error *error)
{
    const struct scope scope = {
        .settings = collecting->engine->declared,
        .needs = json_object_get(plan, "needs"),
    };
    enum step_role role = STEP_COLLECTION;
    struct level *below = NULL;
    for (size_t i = 0; plan && i < LEVELS_MAX; i++) {
        struct level *level = &levels[i];
        level->collecting = collecting;
        level->next = below;
        level->has_matched = false;
        if (step_read(&level->step, &(struct step_plan){plan, role, "/collections"}, &scope, error))
            return -1;
        role = STEP_PARENT;
        plan = level->step.parent;
        below = level;
    }
    *first = below;
    return 0;
}

/* What was left out of the collection as a whole. */
static int settle(struct collecting *collecting, struct dsar_error *error)
{
    struct dsar_error why;
    if (collecting->files.n_missing > 0) {
        if (dsar_withheld(collecting->session, collecting->files.n_missing, "not_fetched", error))
            return -1;
        dsar_error_set(&why, "file_missing", collecting->files.why.retryable,
                       "%llu files could not be had: %s", (unsigned long long)collecting->files.n_missing,
                       collecting->files.why.text);
        collecting_partial(collecting, &why);
    }
    if (collecting->n_too_large == 0)
        return 0;
    if (dsar_withheld(collecting->session, collecting->n_too_large, "record_too_large", error))
        return -1;
    dsar_error_set(&why, "record_too_large", false, "%llu records are larger than %d bytes and were left out",
                   (unsigned long long)collecting->n_too_large, DSAR_PAYLOAD_MAX);
    collecting_partial(collecting, &why);
    return 0;
}

static void prepare(struct collecting *collecting)
{
    const struct step *step = collecting->step;
    collecting->below = (struct scope){
        .settings = collecting->engine->declared,
        .needs = step->needs,
        .n_records = step->n_parents + 1,
        .is_owned = step->is_asserted,
        .has_started = step->job,
        .has_polled = json_object_get(step->job, "poll"),
    };
    collecting->files = (struct files){
        .client = collecting->engine->client,
        .session = collecting->session,
        .rules = step->files,
        .scope = collecting->below,
    };
    collecting->files.scope.has_element = true;
}

int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status, struct dsar_error *error)
{
    struct engine *engine = state;
    const json_t *plan = json_object_get(engine->collections, collection);
    struct level levels[LEVELS_MAX] = {{.next = NULL}};
    struct level *first;
    struct collecting collecting = {.engine = engine, .session = session, .known = identities};
    collecting.step = &levels[0].step;
    if (read_levels(levels, plan, &collecting, &first, error))
        return -1;
    prepare(&collecting);
    if (binding_each(json_object_get(plan, "needs"), identities, use_binding, first, error) ||
        settle(&collecting, error))
        return -1;
    *status = collecting.is_anything_found ? DSAR_COMPLETE : DSAR_ABSENT;
    if (collecting.is_partial) {
        *status = DSAR_PARTIAL;
        *error = collecting.why;
    }
    return 0;
}
