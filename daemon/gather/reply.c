#include "gather/reply.h"

void reply_wipe(struct reply *reply)
{
    source_result_clear(&reply->result);
    ledger_free(reply->withheld);
    *reply = (struct reply){0};
}

void reply_drop(struct reply *reply)
{
    section_drop(reply->section);
    reply_wipe(reply);
}

/* A collection that is there in part has half a gap. */
static size_t half_gaps(const struct reply *reply)
{
    size_t n = 0;
    for (size_t i = 0; i < reply->result.n_collections; i++) {
        enum source_status status = reply->result.collections[i].status;
        n += status == SOURCE_FAILED ? 2 : status == SOURCE_PARTIAL;
    }
    return n;
}

static uint64_t held(const struct reply *reply)
{
    uint64_t n = 0;
    for (size_t i = 0; i < reply->result.n_collections; i++)
        n += reply->result.collections[i].n_records + reply->result.collections[i].n_files;
    return n;
}

/* Of two with as many gaps the one that holds more, and then the later one. */
static bool is_as_good(const struct reply *reply, const struct reply *best)
{
    const size_t gaps = half_gaps(reply), best_gaps = half_gaps(best);
    return gaps < best_gaps || (gaps == best_gaps && held(reply) >= held(best));
}

void reply_keep_better(struct reply *best, struct reply *next)
{
    bool is_better = next->section && (!best->section || is_as_good(next, best));
    reply_drop(is_better ? best : next);
    if (is_better)
        *best = *next;
    *next = (struct reply){0};
}
