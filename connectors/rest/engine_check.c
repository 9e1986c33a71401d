#include "engine_parts.h"

#include "../sdk/error.h"
#include "../sdk/version.h"

#include <stdio.h>
#include <string.h>

/* The profile's `check` is a step that reads one object and belongs to nobody. */
static const char *const own_keys[] = {"version", "least"};

static const json_t *find_check(const struct engine *engine)
{
    return json_object_get(profile_document(engine->profile), "check");
}

/* As a child step is written, with the profile's defaults: a new reference. */
static json_t *make_plan(const struct engine *engine, struct dsar_error *error)
{
    const json_t *defaults = json_object_get(profile_document(engine->profile), "defaults");
    json_t *plan = defaults ? json_deep_copy(defaults) : json_object();
    json_t *check = json_deep_copy(find_check(engine));
    bool is_whole = plan && check && !json_object_update_recursive(plan, check) &&
                    !json_object_set_new(plan, "records", json_string("")) &&
                    !json_object_set_new(plan, "unasserted", json_string("nobody's data"));
    for (size_t i = 0; i < sizeof own_keys / sizeof *own_keys; i++)
        json_object_del(plan, own_keys[i]);
    json_decref(check);
    if (is_whole)
        return plan;
    json_decref(plan);
    error_no_memory(error);
    return NULL;
}

static int bad(struct dsar_error *error, const char *key, const char *expected)
{
    return dsar_error_set(error, "bad_profile", false, "/check/%s: expected %s", key, expected);
}

static int check_version_keys(const json_t *check, struct dsar_error *error)
{
    const json_t *version = json_object_get(check, "version"), *least = json_object_get(check, "least");
    const char *pointer = json_string_value(version);
    if (version && (!pointer || pointer[0] != '/'))
        return bad(error, "version", "a JSON Pointer");
    if (least && (!version || !json_is_string(least) ||
                  !version_is_valid(json_string_value(least), json_string_length(least))))
        return bad(error, "least", "a version, beside `version`");
    return 0;
}

static int read_step(const struct engine *engine, const json_t *plan, json_t *used, struct step *step,
                     struct dsar_error *error)
{
    const struct scope scope = {.settings = engine->declared, .used = used};
    return step_read(step, &(struct step_plan){plan, STEP_CHILD, "/check"}, &scope, error);
}

int engine_check_load(const struct engine *engine, json_t *used, struct dsar_error *error)
{
    static const char *const known[] = {"request", "ok", "refused", "busy", "version", "least", NULL};
    const json_t *check = find_check(engine);
    struct step step;
    if (!check)
        return 0;
    if (!json_is_object(check))
        return dsar_error_set(error, "bad_profile", false, "/check: expected an object");
    if (profile_check_keys(check, "/check", known, error) || check_version_keys(check, error))
        return -1;
    json_t *plan = make_plan(engine, error);
    int result = plan ? read_step(engine, plan, used, &step, error) : -1;
    json_decref(plan);
    return result;
}

struct reading {
    const struct engine *engine;
    struct dsar_about *about;
};

/* Nothing that is not a version is passed on: who knows what it is. */
static int read_version(struct node *answer, struct dsar_error *error, void *ctx)
{
    const struct reading *reading = ctx;
    const json_t *check = find_check(reading->engine);
    const char *title =
        json_string_value(json_object_get(profile_document(reading->engine->profile), "title"));
    const char *pointer = json_string_value(json_object_get(check, "version"));
    const char *least = json_string_value(json_object_get(check, "least"));
    char version[VERSION_MAX + 1];
    snprintf(reading->about->system, sizeof reading->about->system, "%s", title);
    if (!pointer)
        return 0;
    const struct node *node = node_at(answer, pointer);
    if (!node_has_text(node) || !version_is_valid(node->text, node->len))
        return dsar_error_set(error, "source_answer", false, "%s does not say its version at %s", title,
                              pointer);
    snprintf(version, sizeof version, "%.*s", (int)node->len, node->text);
    snprintf(reading->about->system, sizeof reading->about->system, "%s %s", title, version);
    if (least && !version_is_at_least(version, least))
        return dsar_error_set(error, "source_version", false,
                              "%s %s is older than %s, which the profile is for", title, version, least);
    return 0;
}

int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error)
{
    struct engine *engine = state;
    struct reading reading = {.engine = engine, .about = about};
    const struct dsar_identities nobody = {.n_items = 0};
    const struct sources sources = {
        .settings = engine->settings,
        .secrets = engine->secrets,
        .bound = &nobody,
        .known = &nobody,
    };
    struct step step;
    struct pages_outcome outcome;
    json_t *plan = make_plan(engine, error);
    const struct pages_options options = {
        .client = engine->client,
        .session = session,
        .step = &step,
        .sources = &sources,
        .use = read_version,
        .ctx = &reading,
    };
    int result =
        !plan || read_step(engine, plan, NULL, &step, error) || pages_run(&options, &outcome, error) ? -1 : 0;
    if (!result && outcome.is_absent)
        result =
            dsar_error_set(error, "source_answer", false, "the system does not know the call of the check");
    json_decref(plan);
    return result;
}
