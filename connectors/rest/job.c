#include "job.h"

#include "base/clock.h"
#include "pause.h"
#include "tests.h"

static int start(struct job *job, const struct job_options *options, struct dsar_error *error)
{
    const struct http_wait wait = {.session = options->session};
    const struct step_plan plan = {json_object_get(options->job, "start"), STEP_START, "/export/start"};
    struct step step;
    if (step_read(&step, &plan, options->scope, error))
        return -1;
    return exchange_run(&job->started, options->client, &wait, &step, options->sources, NULL, error);
}

/* Asks once. *is_ready says what came of it. */
static int poll_once(struct job *job, const struct job_options *options, const struct step *step,
                     const struct sources *sources, bool *is_ready, struct dsar_error *error)
{
    const struct http_wait wait = {.session = options->session};
    exchange_wipe(&job->polled);
    exchange_init(&job->polled, options->client);
    if (exchange_run(&job->polled, options->client, &wait, step, sources, NULL, error))
        return -1;
    const struct tested tested = {.root = tree_root(job->polled.answer.tree), .sources = sources};
    *is_ready = tests_all_hold(step->done, &tested);
    if (*is_ready || !tests_any_holds(step->failed, &tested))
        return 0;
    return dsar_error_set(error, "source_error", true, "%s: the answer says that the export has failed",
                          job->polled.request.label.data);
}

static int wait_for(struct job *job, const struct job_options *options, struct dsar_error *error)
{
    const struct http_wait wait = {.session = options->session};
    const struct step_plan plan = {json_object_get(options->job, "poll"), STEP_POLL, "/export/poll"};
    const struct sources sources = job_sources(job, options->sources);
    struct scope scope = *options->scope;
    struct step step;
    scope.has_started = true;
    if (step_read(&step, &plan, &scope, error))
        return -1;
    int64_t until_ms = clock_now_ms() + step.max_s * 1000;
    for (;;) {
        bool is_ready;
        if (poll_once(job, options, &step, &sources, &is_ready, error))
            return -1;
        if (is_ready)
            return 0;
        int64_t pause_ms = step.every_s * 1000;
        if (pause_ms < job->polled.response.retry_after_ms)
            pause_ms = job->polled.response.retry_after_ms;
        if (clock_now_ms() + pause_ms > until_ms)
            return dsar_error_set(error, "source_timeout", true, "the export is not ready after %lld s",
                                  (long long)step.max_s);
        if (pause_for(&wait, pause_ms, error))
            return -1;
    }
}

int job_run(struct job *job, const struct job_options *options, struct dsar_error *error)
{
    exchange_init(&job->started, options->client);
    exchange_init(&job->polled, options->client);
    if (start(job, options, error))
        return -1;
    return json_object_get(options->job, "poll") ? wait_for(job, options, error) : 0;
}

void job_wipe(struct job *job)
{
    exchange_wipe(&job->started);
    exchange_wipe(&job->polled);
}

struct sources job_sources(const struct job *job, const struct sources *sources)
{
    struct sources more = *sources;
    more.started = job->started.answer.tree ? tree_root(job->started.answer.tree) : NULL;
    more.polled = job->polled.answer.tree ? tree_root(job->polled.answer.tree) : NULL;
    return more;
}
