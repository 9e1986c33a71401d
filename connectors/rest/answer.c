#include "answer.h"

#include "tests.h"

#include <stdio.h>

/* How much memory the tree of an answer may take for each byte of the largest answer. */
#define TREE_GROWTH 8

static int bad(const struct answer_context *context, bool retryable, const char *why,
               struct dsar_error *error)
{
    return http_bad_answer(context->http, context->request, retryable, why, error);
}

/* A bad answer with a code of its own, which would be the same another time. */
static int reject(const struct answer_context *context, const char *code, const char *why,
                  struct dsar_error *error)
{
    bad(context, false, why, error);
    snprintf(error->code, sizeof error->code, "%s", code);
    return -1;
}

static int parse(struct answer *answer, const struct answer_context *context, const struct buf *body,
                 struct dsar_error *error)
{
    struct fault fault;
    size_t memory_max = http_answer_max(context->http) * TREE_GROWTH;
    if (tree_parse(&answer->tree, body->data ? body->data : "", body->len, memory_max, &fault) == 0)
        return 0;
    /* an answer that is no JSON may be a proxy's error page, which passes */
    return bad(context, true, fault.text, error);
}

/* Whether the answer is good: 0, with is_absent set when it says that the person is not known. */
static int judge(struct answer *answer, const struct answer_context *context, struct dsar_error *error)
{
    const struct step *step = context->step;
    const struct tested tested = {.root = tree_root(answer->tree), .sources = context->sources};
    if (step->ok && tests_all_hold(step->ok, &tested))
        return 0;
    if (tests_any_holds(step->refused, &tested))
        return reject(context, "source_refused", "refuses the credentials", error);
    if (step->ok && tests_any_holds(step->not_found, &tested)) {
        answer->is_absent = true;
        return 0;
    }
    return step->ok ? bad(context, true, "reports an error", error) : 0;
}

static int read_count(const struct answer_context *context, const struct node *root, const char *pointer,
                      uint64_t *count, struct dsar_error *error)
{
    const struct node *node = node_at(root, pointer);
    *count = 0;
    if (!node_has_text(node) || node->len == 0 || node->len > 18)
        return bad(context, true, "has no total where the profile says", error);
    for (size_t i = 0; i < node->len; i++) {
        if (node->text[i] < '0' || node->text[i] > '9')
            return bad(context, true, "has a total that is no whole number", error);
        *count = *count * 10 + (uint64_t)(node->text[i] - '0');
    }
    return 0;
}

static int read_counts(struct answer *answer, const struct answer_context *context, struct dsar_error *error)
{
    const struct node *root = tree_root(answer->tree);
    const struct step *step = context->step;
    answer->has_total = step->total != NULL;
    answer->has_pages = step->paging.pages != NULL;
    if (step->total && read_count(context, root, step->total, &answer->total, error))
        return -1;
    if (step->paging.pages && read_count(context, root, step->paging.pages, &answer->pages, error))
        return -1;
    return 0;
}

static bool stands_for_none(const struct step *step, const struct node *node)
{
    for (size_t i = 0; i < json_array_size(step->empty); i++)
        if (tests_is_value(node, json_array_get(step->empty, i), false))
            return true;
    return false;
}

static bool is_list(const struct step *step, const struct node *node)
{
    /* an object keyed by id is written as an array when it is empty, or when its ids happen to count from 0
     */
    return node && ((node->kind == NODE_ARRAY && step->kind != RECORDS_SINGLE) ||
                    (node->kind == NODE_OBJECT && step->kind == RECORDS_OBJECT));
}

static int find_records(struct answer *answer, const struct answer_context *context, struct dsar_error *error)
{
    const struct step *step = context->step;
    const struct node *node = node_at(tree_root(answer->tree), step->records);
    answer->is_single = step->kind == RECORDS_SINGLE;
    if (stands_for_none(step, node))
        return 0;
    if (answer->is_single)
        answer->record = (struct node *)(uintptr_t)node; /* part of our own tree */
    else if (is_list(step, node))
        answer->record = node->child;
    else
        return bad(context, true, "has no records where the profile says", error);
    for (const struct node *record = answer->record; record; record = answer_next(answer, record)) {
        if (record->kind != NODE_OBJECT)
            return bad(context, true, "has a record that is no object", error);
        answer->n_records++;
    }
    return answer->is_single && !answer->record
               ? bad(context, true, "has no record where the profile says", error)
               : 0;
}

static int check_ownership(const struct answer *answer, const struct answer_context *context,
                           struct dsar_error *error)
{
    struct tested tested = {.root = tree_root(answer->tree), .sources = context->sources};
    for (const struct node *record = answer->record; record; record = answer_next(answer, record)) {
        tested.record = record;
        if (tests_all_hold(context->step->assertions, &tested))
            continue;
        return reject(context, "ownership",
                      "holds a record that is not shown to be the person's; nothing of it is used", error);
    }
    return 0;
}

int answer_read(struct answer *answer, const struct answer_context *context, const struct response *response,
                struct dsar_error *error)
{
    *answer = (struct answer){.tree = NULL};
    if (response->status == 404) {
        const struct tested tested = {.status = response->status, .sources = context->sources};
        answer->is_absent = tests_any_holds(context->step->not_found, &tested);
        return answer->is_absent ? 0 : bad(context, false, "has status 404", error);
    }
    if (parse(answer, context, &response->body, error) || judge(answer, context, error))
        goto failed;
    if (answer->is_absent)
        return 0;
    if (find_records(answer, context, error) || read_counts(answer, context, error) ||
        check_ownership(answer, context, error))
        goto failed;
    return 0;
failed:
    answer_wipe(answer);
    return -1;
}

void answer_wipe(struct answer *answer)
{
    tree_free(answer->tree);
    *answer = (struct answer){.tree = NULL};
}

struct node *answer_next(const struct answer *answer, const struct node *record)
{
    return answer->is_single ? NULL : record->next;
}
