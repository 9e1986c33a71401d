#include "pages.h"

#include "../sdk/error.h"
#include "answer.h"
#include "keys.h"

/* One step on its way. */
struct run {
    const struct pages_options *options;
    struct pages_outcome *outcome;
    struct page_at at;
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

static int ask(struct run *run, struct answer *answer, struct dsar_error *error)
{
    const struct pages_options *options = run->options;
    const struct http_wait wait = {options->session, run->n_used, run->total};
    struct request request;
    struct response response;
    request_init(&request);
    buf_init(&response.body, http_answer_max(options->http));
    int result = request_build(&request, options->step, options->sources, &run->at, error);
    if (!result)
        result = http_send(options->http, &wait, &request, &response, error);
    if (!result) {
        const struct answer_context context = {options->http, &request, options->step, options->sources};
        result = answer_read(answer, &context, &response, error);
    }
    if (!result && answer->is_absent && run->at.number > 0) {
        answer_wipe(answer);
        result = http_bad_answer(options->http, &request, true,
                                 "says that it knows nothing, after earlier pages", error);
    }
    buf_wipe(&response.body);
    request_wipe(&request);
    return result;
}

static int is_page_new(struct run *run, const struct answer *answer, bool *is_new, struct dsar_error *error)
{
    struct buf text;
    struct fault fault;
    int result = 0;
    *is_new = true;
    if (run->options->step->paging.kind == PAGING_NONE || answer->n_records == 0)
        return 0;
    buf_init(&text, http_answer_max(run->options->http) * 4);
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

static bool was_last(const struct run *run, const struct answer *answer)
{
    const struct paging *paging = &run->options->step->paging;
    uint64_t came = (uint64_t)run->at.skip + answer->n_records;
    return paging->kind == PAGING_NONE || answer->n_records == 0 ||
           (answer->has_total && came >= run->total) ||
           (answer->has_pages && (uint64_t)run->at.number + 1 >= answer->pages);
}

static int do_page(struct run *run, struct dsar_error *error)
{
    struct answer answer;
    bool is_new;
    if (ask(run, &answer, error))
        return -1;
    run->outcome->is_absent = answer.is_absent;
    if (run->total < answer.total)
        run->total = answer.total;
    int result = is_page_new(run, &answer, &is_new, error);
    if (!result && is_new)
        result = use_records(run, &answer, error);
    run->is_over = answer.is_absent || !is_new || was_last(run, &answer);
    if (!result && !is_new && !answer.has_total)
        partial(run, "short_answer", true, "the system answered with the same page again");
    run->at.skip += (json_int_t)answer.n_records;
    run->at.number++;
    answer_wipe(&answer);
    if (!result)
        result = dsar_progress(run->options->session, run->n_used, run->total, error);
    return result;
}

static int do_pages(struct run *run, struct dsar_error *error)
{
    while (!run->is_over) {
        if (run->at.number == run->options->step->paging.max_pages) {
            partial(run, "page_limit", false, "there are more pages than the profile allows");
            return 0;
        }
        if (do_page(run, error))
            return -1;
    }
    if (run->n_used < run->total)
        partial(run, "short_answer", true, "the system gave fewer records than it announced");
    return 0;
}

int pages_run(const struct pages_options *options, struct pages_outcome *outcome, struct dsar_error *error)
{
    struct run run = {.options = options, .outcome = outcome};
    struct fault fault;
    int result = -1;
    *outcome = (struct pages_outcome){.is_absent = false};
    if (keys_new(&run.records, &fault) || keys_new(&run.pages, &fault))
        error_from_fault(error, &fault);
    else
        result = do_pages(&run, error);
    keys_free(run.records);
    keys_free(run.pages);
    return result;
}
