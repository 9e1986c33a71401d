#include "pages.h"

#include "../sdk/error.h"
#include "exchange.h"
#include "kept.h"
#include "keys.h"
#include "next.h"

#include <string.h>

#define PLACE_MAX ((size_t)16384)

/* One step on its way. */
struct run {
    const struct pages_options *options;
    struct pages_outcome *outcome;
    struct page_at at;
    struct buf place;     /* what `at` says by text: a cursor or a target */
    struct keys *records; /* keys of the records that were used */
    struct keys *pages;   /* whole pages that came: a system that does not page answers the same for ever */
    uint64_t n_used;
    uint64_t total; /* the largest that was announced, 0 when none was */
    bool is_over;
};

static void partial(struct run *run, const char *code, bool retryable, const char *text)
{
    run->outcome->is_partial = true;
    dsar_error_set(&run->outcome->why, code, retryable, "%s", text);
}

static int ask(struct run *run, struct exchange *page, struct dsar_error *error)
{
    const struct pages_options *options = run->options;
    const struct http_wait wait = {options->session, run->n_used, run->total};
    if (exchange_run(page, options->client, &wait, options->step, options->sources, &run->at, error))
        return -1;
    if (page->answer.is_absent && run->at.number > 0)
        return client_bad_answer(options->client, &page->request, true,
                                 "says that it knows nothing, after earlier pages", error);
    return 0;
}

static int is_page_new(struct run *run, const struct answer *answer, bool *is_new, struct dsar_error *error)
{
    struct buf text;
    struct fault fault;
    int result = 0;
    *is_new = true;
    if (run->options->step->paging.kind == PAGING_NONE || answer->n_records == 0)
        return 0;
    buf_init(&text, client_answer_max(run->options->client) * 4);
    for (const struct node *record = answer->record; record && !result; record = answer_next(answer, record))
        result = node_write(record, &text, &fault);
    if (!result)
        result = keys_add(run->pages, text.data, text.len, is_new, &fault);
    buf_wipe(&text);
    return result ? error_from_fault(error, &fault) : 0;
}

/* A record without a key is taken for new: rather twice than not at all. */
static int is_record_new(struct run *run, const struct node *record, bool *is_new, struct dsar_error *error)
{
    const char *pointer = run->options->step->key;
    const struct node *key = pointer ? node_at(record, pointer) : NULL;
    struct fault fault;
    *is_new = true;
    if (!key || !node_has_text(key))
        return 0;
    return keys_add(run->records, key->text, key->len, is_new, &fault) ? error_from_fault(error, &fault) : 0;
}

static int use_records(struct run *run, const struct answer *answer, struct dsar_error *error)
{
    for (struct node *record = answer->record; record; record = answer_next(answer, record)) {
        bool is_new;
        if (is_record_new(run, record, &is_new, error))
            return -1;
        if (!is_new)
            continue;
        if (run->options->use(record, error, run->options->ctx))
            return -1;
        run->n_used++;
    }
    return 0;
}

/* Whether pages that are counted end here. */
static bool was_last(const struct run *run, const struct answer *answer)
{
    uint64_t came = (uint64_t)run->at.skip + answer->n_records;
    return answer->n_records == 0 || (answer->has_total && came >= run->total) ||
           (answer->has_pages && (uint64_t)run->at.number + 1 >= answer->pages);
}

/* Where nothing but the path says whose the records are, the next page has the same. */
static bool is_same_path(const char *target, const char *other)
{
    size_t len = strcspn(target, "?");
    return len == strcspn(other, "?") && memcmp(target, other, len) == 0;
}

static int check_path(const struct run *run, const struct exchange *page, const char *target,
                      struct dsar_error *error)
{
    struct buf own;
    bool is_elsewhere;
    if (!page->request.is_pinned)
        return 0;
    buf_init(&own, PLACE_MAX);
    int result = client_locate(run->options->client, &page->request, "?", &own, &is_elsewhere, error);
    if (!result && !is_same_path(target, own.data))
        result = client_bad_answer(run->options->client, &page->request, false,
                                   "leads away from the path, which alone says whose the records are", error);
    buf_wipe(&own);
    return result;
}

static int check_query(const struct run *run, const struct exchange *page, const char *target,
                       struct dsar_error *error)
{
    const struct pages_options *options = run->options;
    bool is_kept;
    if (kept_check(json_object_get(options->step->request, "query"), options->sources, target, &is_kept,
                   error))
        return -1;
    return is_kept ? 0
                   : client_bad_answer(options->client, &page->request, false,
                                       "leads to a page without a parameter that the settings give", error);
}

/* Turns what the answer says of the next page into its target at the system's own place. */
static int locate(struct run *run, const struct exchange *page, struct buf *place, struct dsar_error *error)
{
    struct buf target;
    bool is_elsewhere;
    buf_init(&target, PLACE_MAX);
    int result =
        client_locate(run->options->client, &page->request, place->data, &target, &is_elsewhere, error);
    if (!result && (check_path(run, page, target.data, error) || check_query(run, page, target.data, error)))
        result = -1;
    buf_wipe(place);
    *place = target;
    return result;
}

/* Pages of which each says where the next one is. */
static int follow(struct run *run, const struct exchange *page, struct dsar_error *error)
{
    const struct paging *paging = &run->options->step->paging;
    struct buf place;
    struct fault fault;
    bool is_cut;
    buf_init(&place, PLACE_MAX);
    int result = next_find(paging, &page->answer, &page->response, &place, &is_cut, &fault)
                     ? error_from_fault(error, &fault)
                     : 0;
    bool is_there = !result && place.len > 0;
    if (is_there && paging->kind != PAGING_CURSOR)
        result = locate(run, page, &place, error);
    buf_wipe(&run->place);
    run->place = place;
    run->at.cursor = is_there && paging->kind == PAGING_CURSOR ? place.data : NULL;
    run->at.target = is_there && paging->kind != PAGING_CURSOR ? place.data : NULL;
    run->is_over = !is_there;
    if (is_cut && !result)
        partial(run, "short_answer", true, "the system says that there is more, and not where");
    return result;
}

static int advance(struct run *run, const struct exchange *page, struct dsar_error *error)
{
    switch (run->options->step->paging.kind) {
    case PAGING_NONE: run->is_over = true; return 0;
    case PAGING_OFFSET:
    case PAGING_NUMBER: run->is_over = was_last(run, &page->answer); return 0;
    case PAGING_CURSOR:
    case PAGING_LINK:
    case PAGING_NEXT: return follow(run, page, error);
    }
    return -1;
}

static int use_page(struct run *run, const struct exchange *page, struct dsar_error *error)
{
    const struct answer *answer = &page->answer;
    bool is_new;
    if (run->total < answer->total)
        run->total = answer->total;
    if (is_page_new(run, answer, &is_new, error))
        return -1;
    if (!is_new) {
        run->is_over = true;
        if (!answer->has_total)
            partial(run, "short_answer", true, "the system answered with the same page again");
        return 0;
    }
    if (use_records(run, answer, error) || advance(run, page, error))
        return -1;
    run->at.skip += (json_int_t)answer->n_records;
    return 0;
}

static int do_page(struct run *run, struct dsar_error *error)
{
    struct exchange page;
    exchange_init(&page, run->options->client);
    int result = ask(run, &page, error);
    run->outcome->is_absent = page.answer.is_absent;
    run->is_over = page.answer.is_absent || page.answer.is_end;
    if (!result && !run->is_over)
        result = use_page(run, &page, error);
    run->at.number++;
    exchange_wipe(&page);
    if (!result)
        result = dsar_progress(run->options->session, run->n_used, run->total, error);
    return result;
}

static int do_pages(struct run *run, struct dsar_error *error)
{
    const struct step *step = run->options->step;
    while (!run->is_over) {
        if (run->at.number == step->paging.max_pages) {
            partial(run, "page_limit", false, "there are more pages than the profile allows");
            return 0;
        }
        if (do_page(run, error))
            return -1;
    }
    if (run->n_used < run->total)
        partial(run, "short_answer", true, "the system gave fewer records than it announced");
    else if (step->cap && run->n_used >= (uint64_t)step->cap && run->n_used > run->total)
        partial(run, "short_answer", false, "the system gave as many records as it gives at most");
    return 0;
}

int pages_run(const struct pages_options *options, struct pages_outcome *outcome, struct dsar_error *error)
{
    struct run run = {.options = options, .outcome = outcome};
    struct fault fault;
    int result = -1;
    *outcome = (struct pages_outcome){.is_absent = false};
    buf_init(&run.place, PLACE_MAX);
    if (keys_new(&run.records, &fault) || keys_new(&run.pages, &fault))
        error_from_fault(error, &fault);
    else
        result = do_pages(&run, error);
    buf_wipe(&run.place);
    keys_free(run.records);
    keys_free(run.pages);
    return result;
}
