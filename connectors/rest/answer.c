#include "answer.h"

#include "tests.h"

#include <stdio.h>
#include <string.h>

/* How much memory the tree of an answer may take for each byte of the largest answer. */
#define TREE_GROWTH 8

static int bad(const struct answer_context *context, bool retryable, const char *why,
               struct dsar_error *error)
{
    return client_bad_answer(context->client, context->request, retryable, why, error);
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
    size_t memory_max = client_answer_max(context->client) * TREE_GROWTH;
    if (tree_parse(&answer->tree, body->data ? body->data : "", body->len, memory_max, &fault) == 0)
        return 0;
    /* an answer that is no JSON may be a proxy's error page, which passes */
    return bad(context, true, fault.text, error);
}

static int busy(const struct answer_context *context, const struct response *response,
                struct dsar_error *error)
{
    reject(context, "source_busy", "asks to be left alone for a while", error);
    error->retryable = true;
    error->retry_after_ms = response->retry_after_ms;
    return -1;
}

/* Whether the answer is good: 0, with is_absent or is_end set when it says that there is nothing. */
static int judge(struct answer *answer, const struct answer_context *context, const struct response *response,
                 struct dsar_error *error)
{
    const struct step *step = context->step;
    const struct tested tested = {
        .root = answer->tree ? tree_root(answer->tree) : NULL,
        .status = response->status,
        .sources = context->sources,
    };
    bool is_refusal = response->status >= 400;
    answer->is_end = context->is_later_page && tests_any_holds(step->paging.end, &tested);
    if (answer->is_end || (!is_refusal && step->ok && tests_all_hold(step->ok, &tested)))
        return 0;
    if (tests_any_holds(step->refused, &tested))
        return reject(context, "source_refused", "refuses the credentials", error);
    if (tests_any_holds(step->busy, &tested))
        return busy(context, response, error);
    answer->is_absent = (is_refusal || step->ok) && tests_any_holds(step->not_found, &tested);
    if (answer->is_absent || (!is_refusal && !step->ok))
        return 0;
    char why[64];
    snprintf(why, sizeof why, "has status %ld", response->status);
    return is_refusal ? bad(context, false, why, error) : bad(context, true, "reports an error", error);
}

static int read_count(const struct answer_context *context, const char *text, size_t len, uint64_t *count,
                      struct dsar_error *error)
{
    *count = 0;
    if (!text || len == 0 || len > 18)
        return bad(context, true, "has no total where the profile says", error);
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return bad(context, true, "has a total that is no whole number", error);
        *count = *count * 10 + (uint64_t)(text[i] - '0');
    }
    return 0;
}

/* Reads a count from where it stands. *has_count stays false when the step has none. */
static int find_count(const struct answer *answer, const struct answer_context *context,
                      const struct response *response, const struct count_at *at, bool *has_count,
                      uint64_t *count, struct dsar_error *error)
{
    *has_count = at->pointer || at->header;
    if (at->header) {
        const char *text = response_header(response, at->header, 0);
        return read_count(context, text, text ? strlen(text) : 0, count, error);
    }
    if (!at->pointer)
        return 0;
    const struct node *node = node_at(tree_root(answer->tree), at->pointer);
    bool has_text = node_has_text(node);
    return read_count(context, has_text ? node->text : NULL, has_text ? node->len : 0, count, error);
}

static int read_counts(struct answer *answer, const struct answer_context *context,
                       const struct response *response, struct dsar_error *error)
{
    const struct step *step = context->step;
    return find_count(answer, context, response, &step->total, &answer->has_total, &answer->total, error) ||
                   find_count(answer, context, response, &step->paging.pages, &answer->has_pages,
                              &answer->pages, error)
               ? -1
               : 0;
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

/* What a system refuses need not be JSON: then its status alone is tested. */
static int parse_if_possible(struct answer *answer, const struct answer_context *context,
                             const struct response *response, struct dsar_error *error)
{
    if (parse(answer, context, &response->body, error) == 0)
        return 0;
    answer->tree = NULL;
    return response->status >= 400 ? 0 : -1;
}

int answer_read(struct answer *answer, const struct answer_context *context, const struct response *response,
                struct dsar_error *error)
{
    *answer = (struct answer){.tree = NULL};
    if (parse_if_possible(answer, context, response, error) || judge(answer, context, response, error))
        goto failed;
    if (answer->is_absent || answer->is_end)
        return 0;
    if (find_records(answer, context, error) || read_counts(answer, context, response, error) ||
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
