#include "engine_parts.h"

#include "../sdk/error.h"
#include "../sdk/version.h"
#include "exchange.h"

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

/* Where the answer says the product's version. */
struct version_at {
    const char *pointer;
    const char *header;
    const char *behind; /* the text that stands before it */
};

static struct version_at find_version(const json_t *check)
{
    const json_t *version = json_object_get(check, "version"), *behind = json_object_get(version, "behind");
    return (struct version_at){
        .pointer = json_string_value(json_is_string(version) ? version : json_object_get(version, "ptr")),
        .header = json_string_value(json_object_get(version, "header")),
        .behind = behind ? json_string_value(behind) : "",
    };
}

static int check_version_keys(const json_t *check, struct dsar_error *error)
{
    static const char *const known[] = {"ptr", "header", "behind", NULL};
    const json_t *version = json_object_get(check, "version"), *least = json_object_get(check, "least");
    const struct version_at at = find_version(check);
    if (json_is_object(version) && profile_check_keys(version, "/check/version", known, error))
        return -1;
    if (version && !at.pointer == !at.header)
        return bad(error, "version", "a JSON Pointer, or an object with `ptr` or `header`");
    if (at.pointer && at.pointer[0] != '/')
        return bad(error, "version", "a JSON Pointer");
    if (!at.behind || (at.header && !at.header[0]))
        return bad(error, "version", "texts");
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

/* What stands at its place, without the text before it and up to the next blank. Nothing that is not a version is passed on: who
 * knows what it is. */
static int copy_version(const struct version_at *at, const struct exchange *exchange,
                        char version[VERSION_MAX + 1])
{
    const struct node *node = at->pointer ? node_at(tree_root(exchange->answer.tree), at->pointer) : NULL;
    const char *text = at->header ? response_header(&exchange->response, at->header, 0)
                                  : (node_has_text(node) ? node->text : NULL);
    size_t len = !text ? 0 : at->header ? strlen(text) : node->len, n_behind = strlen(at->behind);
    if (len < n_behind || (n_behind && memcmp(text, at->behind, n_behind) != 0))
        return -1;
    const char *blank = len ? memchr(text + n_behind, ' ', len - n_behind) : NULL;
    len = n_behind && blank ? (size_t)(blank - text) - n_behind : len - n_behind;
    if (!text || !version_is_valid(text + n_behind, len))
        return -1;
    snprintf(version, VERSION_MAX + 1, "%.*s", (int)len, text + n_behind);
    return 0;
}

static int tell_version(const struct engine *engine, const struct exchange *exchange,
                        struct dsar_about *about, struct dsar_error *error)
{
    const json_t *check = find_check(engine);
    const struct version_at at = find_version(check);
    const char *title = json_string_value(json_object_get(profile_document(engine->profile), "title"));
    const char *least = json_string_value(json_object_get(check, "least"));
    char version[VERSION_MAX + 1];
    snprintf(about->system, sizeof about->system, "%s", title);
    if (!at.pointer && !at.header)
        return 0;
    if (copy_version(&at, exchange, version))
        return dsar_error_set(error, "source_answer", false, "%s does not say its version at %s", title,
                              at.pointer ? at.pointer : at.header);
    snprintf(about->system, sizeof about->system, "%s %s", title, version);
    if (least && !version_is_at_least(version, least))
        return dsar_error_set(error, "source_version", false,
                              "%s: expected at least %s, which the profile is for", about->system, least);
    return 0;
}

static int ask(struct engine *engine, struct dsar_session *session, const struct step *step,
               struct dsar_about *about, struct dsar_error *error)
{
    const struct dsar_identities nobody = {.n_items = 0};
    const struct sources sources = {
        .settings = engine->settings,
        .secrets = engine->secrets,
        .bound = &nobody,
        .known = &nobody,
    };
    const struct http_wait wait = {session, 0, 0};
    struct exchange exchange;
    exchange_init(&exchange, engine->client);
    int result = exchange_run(&exchange, engine->client, &wait, step, &sources, NULL, error);
    if (!result && exchange.answer.is_absent)
        result =
            dsar_error_set(error, "source_answer", false, "the system does not know the call of the check");
    if (!result)
        result = tell_version(engine, &exchange, about, error);
    exchange_wipe(&exchange);
    return result;
}

int engine_check(void *state, struct dsar_session *session, struct dsar_about *about,
                 struct dsar_error *error)
{
    struct engine *engine = state;
    struct step step;
    json_t *plan = make_plan(engine, error);
    int result =
        !plan || read_step(engine, plan, NULL, &step, error) || ask(engine, session, &step, about, error) ? -1
                                                                                                          : 0;
    json_decref(plan);
    return result;
}
