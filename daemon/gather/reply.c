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

void reply_keep_better(struct reply *best, struct reply *next)
{
    bool is_better = next->section && (!best->section || half_gaps(next) <= half_gaps(best));
    reply_drop(is_better ? best : next);
    if (is_better)
        *best = *next;
    *next = (struct reply){0};
}
