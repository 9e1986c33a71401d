#include "engine_parts.h"

#include "../sdk/binding.h"
#include "../sdk/error.h"
#include "withhold.h"

#include <dsar/protocol.h>
#include <string.h>

/* One collection on its way. */
struct fetching {
    struct engine *engine;
    struct dsar_session *session;
    const struct dsar_identities *known;
    const struct step *step;
    const struct sources *sources; /* of the present combination */
    bool is_anything_found;
    uint64_t n_too_large; /* records */
    bool is_partial;
    struct dsar_error why; /* when partial: the first reason */
};

static void note_partial(struct fetching *fetching, const struct dsar_error *why)
{
    if (!fetching->is_partial)
        fetching->why = *why;
    fetching->is_partial = true;
}

/* A parent's record as it is completed. */
struct merging {
    const struct fetching *fetching;
    const struct node *parent;
    const struct step *child;
    struct buf *text; /* the parent's record as JSON */
};

static bool is_kept(const struct merging *merging, const struct node *member)
{
    for (const struct node *own = merging->parent->child; own; own = own->next)
        if (own->key_len == member->key_len && memcmp(own->key, member->key, own->key_len) == 0)
            return false;
    for (size_t i = 0; i < json_array_size(merging->child->omit); i++) {
        const json_t *name = json_array_get(merging->child->omit, i);
        if (json_string_length(name) == member->key_len &&
            memcmp(json_string_value(name), member->key, member->key_len) == 0)
            return false;
    }
    return true;
}

/* Says how many files the record names, since none of them is read. */
static int count_files(const struct fetching *fetching, const struct node *record, struct dsar_error *error)
{
    const char *unread = fetching->step->unread;
    return unread ? dsar_withheld(fetching->session, node_count(record, unread), "not_fetched", error) : 0;
}

/* Adds the members that the parent's record does not have, in front of its closing brace. */
static int merge_record(struct node *record, struct dsar_error *error, void *ctx)
{
    const struct merging *merging = ctx;
    struct buf *text = merging->text;
    struct fault fault;
    if (count_files(merging->fetching, record, error))
        return -1;
    text->len--;
    for (const struct node *member = record->child; member; member = member->next) {
        const struct node key = {.kind = NODE_STRING, .text = member->key, .len = member->key_len};
        if (!is_kept(merging, member))
            continue;
        if ((text->len > 1 && buf_append(text, ",", 1, &fault)) || node_write(&key, text, &fault) ||
            buf_append(text, ":", 1, &fault) || node_write(member, text, &fault))
            return error_from_fault(error, &fault);
    }
    return buf_append(text, "}", 1, &fault) ? error_from_fault(error, &fault) : 0;
}

static int complete_record(struct fetching *fetching, const struct node *parent, struct buf *text,
                           struct dsar_error *error)
{
    const struct scope scope = {fetching->engine->declared, fetching->step->needs, .has_record = true};
    struct step child;
    if (step_read(&child, &(struct step_plan){fetching->step->each, STEP_CHILD, "/each"}, &scope, error))
        return -1;
    struct sources sources = *fetching->sources;
    sources.record = parent;
    struct merging merging = {fetching, parent, &child, text};
    const struct pages_options options = {
        .http = fetching->engine->http,
        .session = fetching->session,
        .step = &child,
        .sources = &sources,
        .use = merge_record,
        .ctx = &merging,
    };
    struct pages_outcome outcome;
    struct dsar_error why;
    if (pages_run(&options, &outcome, &why)) {
        /* one record that cannot be completed does not lose the others; anything else would go wrong again */
        if (strcmp(why.code, "source_answer") != 0) {
            *error = why;
            return -1;
        }
        note_partial(fetching, &why);
    } else if (outcome.is_absent) {
        dsar_error_set(&why, "detail_missing", true,
                       "the system lists records of which it does not give the details");
        note_partial(fetching, &why);
    }
    return 0;
}

static int withhold(const struct fetching *fetching, struct node *record, struct dsar_error *error)
{
    for (size_t i = 0; i < json_array_size(fetching->step->withhold); i++) {
        const json_t *rule = json_array_get(fetching->step->withhold, i);
        uint64_t n_taken;
        if (withhold_apply(rule, fetching->engine->settings, record, &n_taken, error) ||
            dsar_withheld(fetching->session, n_taken, json_string_value(json_object_get(rule, "reason")),
                          error))
            return -1;
    }
    return count_files(fetching, record, error);
}

static int send_record(struct node *record, struct dsar_error *error, void *ctx)
{
    struct fetching *fetching = ctx;
    struct buf text;
    struct fault fault;
    if (withhold(fetching, record, error))
        return -1;
    buf_init(&text, DSAR_PAYLOAD_MAX);
    int result = node_write(record, &text, &fault) ? error_from_fault(error, &fault) : 0;
    if (!result && fetching->step->each)
        result = complete_record(fetching, record, &text, error);
    if (!result) {
        result = dsar_record(fetching->session, text.data, text.len, error);
    } else if (strcmp(error->code, "too_large") == 0) {
        fetching->n_too_large++;
        result = 0;
    }
    buf_wipe(&text);
    return result;
}

static int use_binding(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    struct fetching *fetching = ctx;
    const struct sources sources = {
        .settings = fetching->engine->settings,
        .secrets = fetching->engine->secrets,
        .bound = bound,
        .known = fetching->known,
    };
    const struct pages_options options = {
        .http = fetching->engine->http,
        .session = fetching->session,
        .step = fetching->step,
        .sources = &sources,
        .use = send_record,
        .ctx = fetching,
    };
    struct pages_outcome outcome;
    fetching->sources = &sources;
    if (pages_run(&options, &outcome, error))
        return -1;
    fetching->is_anything_found = fetching->is_anything_found || !outcome.is_absent;
    if (outcome.is_partial)
        note_partial(fetching, &outcome.why);
    return 0;
}

int engine_fetch(void *state, struct dsar_session *session, const char *collection,
                 const struct dsar_identities *identities, enum dsar_status *status, struct dsar_error *error)
{
    struct engine *engine = state;
    const json_t *plan = json_object_get(engine->collections, collection);
    const json_t *needs = json_object_get(plan, "needs");
    const struct scope scope = {.settings = engine->declared, .needs = needs};
    struct step step;
    struct fetching fetching = {engine, session, identities, &step, .sources = NULL};
    if (step_read(&step, &(struct step_plan){plan, STEP_COLLECTION, "/collections"}, &scope, error) ||
        binding_each(needs, identities, use_binding, &fetching, error))
        return -1;
    if (fetching.n_too_large) {
        struct dsar_error why;
        if (dsar_withheld(session, fetching.n_too_large, "record_too_large", error))
            return -1;
        dsar_error_set(&why, "record_too_large", false,
                       "%llu records are larger than %d bytes and were left out",
                       (unsigned long long)fetching.n_too_large, DSAR_PAYLOAD_MAX);
        note_partial(&fetching, &why);
    }
    *status = fetching.is_anything_found ? DSAR_COMPLETE : DSAR_ABSENT;
    if (fetching.is_partial) {
        *status = DSAR_PARTIAL;
        *error = fetching.why;
    }
    return 0;
}
