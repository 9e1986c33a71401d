#include "gather/breaker.h"

#define OPEN_TIMES_MAX 10

const char *breaker_state_name(enum breaker_state state)
{
    switch (state) {
    case BREAKER_CLOSED: return "closed";
    case BREAKER_OPEN: return "open";
    case BREAKER_HALF_OPEN: return "half_open";
    }
    return "closed";
}

void breaker_init(struct breaker *breaker, const char *source, unsigned failures, unsigned open_s)
{
    *breaker = (struct breaker){.source = source, .failures = failures, .first_ms = (int64_t)open_s * 1000};
    pthread_mutex_init(&breaker->lock, NULL);
}

void breaker_destroy(struct breaker *breaker)
{
    pthread_mutex_destroy(&breaker->lock);
}

enum breaker_state breaker_state(struct breaker *breaker, int64_t now_ms)
{
    pthread_mutex_lock(&breaker->lock);
    enum breaker_state state = breaker->state;
    if (state == BREAKER_OPEN && now_ms >= breaker->until_ms)
        state = BREAKER_HALF_OPEN;
    pthread_mutex_unlock(&breaker->lock);
    return state;
}

static bool refuses_locked(const struct breaker *breaker, int64_t now_ms)
{
    return breaker->state != BREAKER_CLOSED && now_ms < breaker->until_ms;
}

bool breaker_refuses(struct breaker *breaker, int64_t now_ms)
{
    pthread_mutex_lock(&breaker->lock);
    bool refuses = refuses_locked(breaker, now_ms);
    pthread_mutex_unlock(&breaker->lock);
    return refuses;
}

enum breaker_admission breaker_admit(struct breaker *breaker, int64_t now_ms)
{
    enum breaker_admission admission = BREAKER_ADMITTED;
    pthread_mutex_lock(&breaker->lock);
    if (refuses_locked(breaker, now_ms)) {
        admission = BREAKER_REFUSED;
    } else if (breaker->state != BREAKER_CLOSED) {
        admission = BREAKER_TRIAL;
        breaker->state = BREAKER_HALF_OPEN;
        breaker->until_ms = now_ms + breaker->open_ms;
    }
    pthread_mutex_unlock(&breaker->lock);
    return admission;
}

static void open_for(struct breaker *breaker, int64_t open_ms, int64_t now_ms)
{
    int64_t most_ms = breaker->first_ms * OPEN_TIMES_MAX;
    breaker->state = BREAKER_OPEN;
    breaker->open_ms = open_ms < most_ms ? open_ms : most_ms;
    breaker->until_ms = now_ms + breaker->open_ms;
}

static void take_verdict(struct breaker *breaker, bool decides, enum breaker_verdict verdict, int64_t now_ms)
{
    switch (verdict) {
    case BREAKER_ANSWERED:
        breaker->state = BREAKER_CLOSED;
        breaker->n_failed = 0;
        return;
    case BREAKER_FAILED:
        if (decides)
            open_for(breaker, breaker->open_ms * 2, now_ms);
        else if (breaker->state == BREAKER_CLOSED && breaker->failures &&
                 ++breaker->n_failed >= breaker->failures)
            open_for(breaker, breaker->first_ms, now_ms);
        return;
    case BREAKER_UNDECIDED:
        if (decides)
            breaker->until_ms = now_ms;
        return;
    }
}

void breaker_settle(struct breaker *breaker, enum breaker_admission admission, enum breaker_verdict verdict,
                    int64_t now_ms, struct log *log)
{
    pthread_mutex_lock(&breaker->lock);
    const enum breaker_state before = breaker->state;
    /* of those that were let through before it opened none decides by failing late */
    take_verdict(breaker, admission == BREAKER_TRIAL && before == BREAKER_HALF_OPEN, verdict, now_ms);
    const enum breaker_state after = breaker->state;
    const int64_t open_s = breaker->open_ms / 1000;
    pthread_mutex_unlock(&breaker->lock);
    if (after == BREAKER_OPEN && before != BREAKER_OPEN)
        log_line(log, LOG_LEVEL_WARNING, NULL, "source %s: it keeps failing, so it is left alone for %lld s",
                 breaker->source, (long long)open_s);
    else if (after == BREAKER_CLOSED && before != BREAKER_CLOSED)
        log_line(log, LOG_LEVEL_INFO, NULL, "source %s: it answers again", breaker->source);
}
