#include "collecting.h"

#include "../sdk/error.h"
#include "withhold.h"

#include <dsar/protocol.h>
#include <string.h>

void collecting_partial(struct collecting *collecting, const struct dsar_error *why)
{
    if (!collecting->is_partial)
        collecting->why = *why;
    collecting->is_partial = true;
}

/* A record as it is completed. */
struct completing {
    struct collecting *collecting;
    const struct node *record;
    const struct sources *sources; /* of the child step */
    const struct step *child;
    struct buf *text; /* the record as JSON */
    uint64_t n_added; /* of the child's records */
};

static bool has_name(const struct node *member, const char *name, size_t len)
{
    return member->key_len == len && memcmp(member->key, name, len) == 0;
}

static bool is_added(const struct completing *completing, const struct node *member)
{
    for (const struct node *own = completing->record->child; own; own = own->next)
        if (has_name(member, own->key, own->key_len))
            return false;
    for (size_t i = 0; i < json_array_size(completing->child->omit); i++) {
        const json_t *name = json_array_get(completing->child->omit, i);
        if (has_name(member, json_string_value(name), json_string_length(name)))
            return false;
    }
    return true;
}

static void drop_members_named(struct node *record, const char *name)
{
    for (struct node **link = &record->child; *link;) {
        if (has_name(*link, name, strlen(name)))
            *link = (*link)->next;
        else
            link = &(*link)->next;
    }
}

/* Says how many files the record names that are not read. */
static int count_unread(const struct collecting *collecting, const struct node *record,
                        struct dsar_error *error)
{
    const char *unread = collecting->step->unread;
    return unread ? dsar_withheld(collecting->session, node_count(record, unread), "not_fetched", error) : 0;
}

/* Adds a member, in front of the closing brace that follows. */
static int add_member(struct buf *text, const char *name, size_t len, const struct node *value,
                      struct fault *fault)
{
    const struct node key = {.kind = NODE_STRING, .text = name, .len = len};
    return (text->len > 1 && buf_append(text, ",", 1, fault)) || node_write(&key, text, fault) ||
                   buf_append(text, ":", 1, fault) || (value && node_write(value, text, fault))
               ? -1
               : 0;
}

/* Adds the members that the record does not have. */
static int merge_details(struct node *details, struct dsar_error *error, void *ctx)
{
    struct completing *completing = ctx;
    struct collecting *collecting = completing->collecting;
    struct fault fault;
    for (struct node **link = &details->child; *link;) {
        if (is_added(completing, *link))
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
    if (count_unread(collecting, details, error) ||
        files_send(&collecting->files, details, true, completing->sources, error))
        return -1;
    completing->text->len--;
    for (const struct node *member = details->child; member; member = member->next)
        if (add_member(completing->text, member->key, member->key_len, member, &fault))
            return error_from_fault(error, &fault);
    return buf_append(completing->text, "}", 1, &fault) ? error_from_fault(error, &fault) : 0;
}

/* Adds one of the child's records to the list that takes them, in front of its closing bracket and brace. */
static int add_to_list(struct node *record, struct dsar_error *error, void *ctx)
{
    struct completing *completing = ctx;
    struct buf *text = completing->text;
    struct fault fault;
    text->len -= 2;
    if ((completing->n_added++ > 0 && buf_append(text, ",", 1, &fault)) || node_write(record, text, &fault) ||
        buf_append(text, "]}", 2, &fault))
        return error_from_fault(error, &fault);
    return 0;
}

static int begin_list(const struct completing *completing, struct dsar_error *error)
{
    struct fault fault;
    struct buf *text = completing->text;
    const char *name = completing->child->into;
    text->len--;
    return add_member(text, name, strlen(name), NULL, &fault) || buf_append(text, "[]}", 3, &fault)
               ? error_from_fault(error, &fault)
               : 0;
}

/* One record that cannot be completed does not lose the others, unless a file broke off; anything else would go wrong
 * again. */
static int judge(struct collecting *collecting, int result, const struct pages_outcome *outcome,
                 const struct dsar_error *why, struct dsar_error *error)
{
    struct dsar_error missing;
    if (result && (collecting->files.is_open || strcmp(why->code, "source_answer") != 0)) {
        *error = *why;
        return -1;
    }
    if (result)
        collecting_partial(collecting, why);
    else if (outcome->is_partial)
        collecting_partial(collecting, &outcome->why);
    if (!result && outcome->is_absent) {
        dsar_error_set(&missing, "detail_missing", true,
                       "the system lists records of which it does not give the details");
        collecting_partial(collecting, &missing);
    }
    return 0;
}

static int run_child(struct collecting *collecting, const json_t *plan, const struct node *record,
                     const struct sources *sources, struct buf *text, struct dsar_error *error)
{
    struct step child;
    if (step_read(&child, &(struct step_plan){plan, STEP_CHILD, "/each"}, &collecting->below, error))
        return -1;
    struct completing completing = {collecting, record, sources, &child, text, 0};
    const struct pages_options options = {
        .client = collecting->engine->client,
        .session = collecting->session,
        .step = &child,
        .sources = sources,
        .use = child.into ? add_to_list : merge_details,
        .ctx = &completing,
    };
    struct pages_outcome outcome;
    struct dsar_error why;
    if (child.into && begin_list(&completing, error))
        return -1;
    int result = pages_run(&options, &outcome, &why);
    return judge(collecting, result, &outcome, &why, error);
}

static int withhold(const struct collecting *collecting, struct node *record, struct dsar_error *error)
{
    for (size_t i = 0; i < json_array_size(collecting->step->withhold); i++) {
        const json_t *rule = json_array_get(collecting->step->withhold, i);
        uint64_t n_taken;
        if (withhold_apply(rule, collecting->engine->settings, record, &n_taken, error) ||
            dsar_withheld(collecting->session, n_taken, json_string_value(json_object_get(rule, "reason")),
                          error))
            return -1;
    }
    return count_unread(collecting, record, error);
}

/* The record as JSON, completed. */
static int write_record(struct collecting *collecting, struct node *record, const struct sources *sources,
                        struct buf *text, struct dsar_error *error)
{
    const json_t *each = collecting->step->each;
    struct fault fault;
    for (size_t i = 0; i < json_array_size(each); i++) {
        const char *into = json_string_value(json_object_get(json_array_get(each, i), "into"));
        if (into)
            drop_members_named(record, into);
    }
    if (node_write(record, text, &fault))
        return error_from_fault(error, &fault);
    for (size_t i = 0; i < json_array_size(each); i++)
        if (run_child(collecting, json_array_get(each, i), record, sources, text, error))
            return -1;
    return 0;
}

int collecting_record(struct collecting *collecting, struct node *record, const struct sources *sources,
                      struct dsar_error *error)
{
    struct sources below = *sources;
    struct buf text;
    below.record = record;
    below.above = sources;
    if (withhold(collecting, record, error) || files_send(&collecting->files, record, false, &below, error))
        return -1;
    buf_init(&text, DSAR_PAYLOAD_MAX);
    int result = write_record(collecting, record, &below, &text, error);
    if (!result) {
        result = dsar_record(collecting->session, text.data, text.len, error);
    } else if (strcmp(error->code, "too_large") == 0) {
        collecting->n_too_large++;
        result = 0;
    }
    buf_wipe(&text);
    return result;
}
