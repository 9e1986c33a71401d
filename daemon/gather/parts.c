#include "gather/parts.h"

#include "base/clock.h"

#include <openssl/rand.h>
#include <string.h>

void parts_end(struct gather *gather, const struct fault *fault)
{
    pthread_mutex_lock(&gather->lock);
    if (!gather->ended)
        gather->fault = *fault;
    gather->ended = true;
    pthread_mutex_unlock(&gather->lock);
    cancel_raise(gather->cancel);
}

int parts_check(const struct gather *gather, struct fault *fault)
{
    if (gather->ended) {
        *fault = gather->fault;
        return -1;
    }
    return cancel_raised(gather->cancel) ? fault_set(fault, "cancelled", "the request was cancelled") : 0;
}

struct session_options parts_session(const struct gather *gather)
{
    return (struct session_options){.log = gather->options->log, .cancel = gather->cancel};
}

bool part_pause(const struct part *part, unsigned tried)
{
    const struct gather *gather = part->gather;
    const struct retry_config *retry = &gather->options->config->retry;
    if (tried >= retry->attempts || part->retry_after_ms > retry->max_ms ||
        breaker_refuses(&part->source->breaker, clock_now_ms()))
        return false;
    int64_t pause_ms = retry->first_ms;
    for (unsigned i = 1; i < tried && pause_ms < retry->max_ms; i++)
        pause_ms *= 2;
    if (pause_ms > retry->max_ms)
        pause_ms = retry->max_ms;
    unsigned short chance = 0;
    if (RAND_bytes((unsigned char *)&chance, sizeof chance) == 1)
        pause_ms = pause_ms / 2 + pause_ms / 2 * chance / 65535;
    if (pause_ms < part->retry_after_ms)
        pause_ms = part->retry_after_ms;
    return !cancel_wait(gather->cancel, pause_ms);
}

enum breaker_verdict part_verdict(const struct fault *fault)
{
    if (session_code_is_ours(fault->code) || strcmp(fault->code, "source_start") == 0)
        return BREAKER_UNDECIDED;
    return fault->retryable ? BREAKER_FAILED : BREAKER_ANSWERED;
}

/* What a connector says may quote what it read, so it is shown only to those who ask for it. */
void part_log_try(const struct part *part, unsigned tried, const char *what, const struct fault *fault)
{
    const struct gather_options *options = part->gather->options;
    log_line(options->log, LOG_LEVEL_WARNING, options->request->id,
             "source %s: %s failed at try %u of %u (%s)", part->source->config->name, what, tried,
             options->config->retry.attempts, fault->code);
    log_line(options->log, LOG_LEVEL_DEBUG, options->request->id, "%s", fault->text);
}

bool parts_in_scope(const struct request_names *scope, const char *name)
{
    for (size_t i = 0; i < scope->n_names; i++)
        if (strcmp(scope->names[i], name) == 0)
            return true;
    return scope->n_names == 0;
}
