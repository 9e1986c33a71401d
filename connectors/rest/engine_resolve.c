#include "engine_parts.h"

#include "../sdk/ascii.h"
#include "../sdk/binding.h"
#include "../sdk/error.h"
#include "base/plain.h"
#include "tests.h"

#include <string.h>

/* One lookup on its way. */
struct lookup {
    struct engine *engine;
    struct dsar_session *session;
    const struct dsar_identities *known;
    const struct step *step;
    const struct sources *sources; /* of the present combination */
    bool *found;
};

/* The members of a joined identity, with a space between them. Nothing when one is missing, not plain, or has a space
 * itself, since nobody could tell the words apart then. */
static int join(const struct node *record, const json_t *pointers, struct buf *value, struct fault *fault)
{
    for (size_t i = 0; i < json_array_size(pointers); i++) {
        const struct node *node = node_at(record, json_string_value(json_array_get(pointers, i)));
        if (!node_has_text(node) || !plain_is(node->text, node->len) || memchr(node->text, ' ', node->len)) {
            buf_clear(value);
            return 0;
        }
        if ((i > 0 && buf_append(value, " ", 1, fault)) || buf_append(value, node->text, node->len, fault))
            return -1;
    }
    return 0;
}

static int read_value(const struct node *record, const json_t *plan, struct buf *value, struct fault *fault)
{
    const json_t *pointers = json_object_get(plan, "join");
    if (pointers)
        return join(record, pointers, value, fault);
    const struct node *node = node_at(record, json_string_value(json_object_get(plan, "ptr")));
    return node_has_text(node) ? buf_append(value, node->text, node->len, fault) : 0;
}

/* Yields one identity of a record that matched. A value that is missing or of another type is no identity. */
static int yield(const struct lookup *lookup, const struct node *record, const char *kind, const json_t *plan,
                 struct dsar_error *error)
{
    const char *type = json_string_value(json_object_get(plan, "type"));
    struct buf value;
    struct fault fault;
    struct dsar_error unfit;
    int result = 0;
    buf_init(&value, 1024);
    bool is_read = read_value(record, plan, &value, &fault) == 0;
    if (is_read && value.len == 0)
        goto out;
    if (is_read ? memchr(value.data, '\0', value.len) != NULL : strcmp(fault.code, "too_large") == 0) {
        dsar_warning(lookup->session, "bad_identity", "an identity that was found is too long, or no text");
        goto out;
    }
    if (!is_read) {
        result = error_from_fault(error, &fault);
        goto out;
    }
    if (json_object_get(plan, "as"))
        ascii_lower(value.data, value.len);
    if (binding_check(kind, type, value.data, &unfit))
        dsar_warning(lookup->session, unfit.code, unfit.text);
    else
        result = dsar_yield(lookup->session, kind, value.data, lookup->step->evidence, error);
out:
    buf_wipe(&value);
    return result;
}

static int use_record(struct node *record, struct dsar_error *error, void *ctx)
{
    const struct lookup *lookup = ctx;
    const struct tested tested = {.record = record, .sources = lookup->sources};
    /* a look-alike, or a record that says nothing of who the person is */
    if (!tests_all_hold(lookup->step->match, &tested))
        return 0;
    *lookup->found = true;
    const char *kind;
    json_t *plan;
    json_object_foreach ((json_t *)(uintptr_t)lookup->step->yields, kind, plan) {
        if (yield(lookup, record, kind, plan, error))
            return -1;
    }
    return 0;
}

static int use_binding(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    struct lookup *lookup = ctx;
    const struct sources sources = {
        .settings = lookup->engine->settings,
        .secrets = lookup->engine->secrets,
        .bound = bound,
        .known = lookup->known,
    };
    const struct pages_options options = {
        .client = lookup->engine->client,
        .session = lookup->session,
        .step = lookup->step,
        .sources = &sources,
        .use = use_record,
        .ctx = lookup,
    };
    struct pages_outcome outcome;
    lookup->sources = &sources;
    if (pages_run(&options, &outcome, error))
        return -1;
    if (!outcome.is_partial)
        return 0;
    /* whoever is not on the pages that came would count as not known */
    *error = outcome.why;
    return -1;
}

int engine_resolve(void *state, struct dsar_session *session, const struct dsar_identities *identities,
                   bool *found, struct dsar_error *error)
{
    struct engine *engine = state;
    for (size_t i = 0; i < json_array_size(engine->steps); i++) {
        const json_t *plan = json_array_get(engine->steps, i);
        const json_t *needs = json_object_get(plan, "needs");
        const struct scope scope = {.settings = engine->declared, .needs = needs};
        struct step step;
        struct lookup lookup = {engine, session, identities, &step, NULL, found};
        if (!binding_is_possible(needs, identities))
            continue;
        if (step_read(&step, &(struct step_plan){plan, STEP_RESOLVE, "/resolve"}, &scope, error) ||
            binding_each(needs, identities, use_binding, &lookup, error))
            return -1;
    }
    return 0;
}
