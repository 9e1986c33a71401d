#include "gather/answer.h"

void answer_wipe(struct answer *answer)
{
    source_result_clear(&answer->result);
    ledger_free(answer->withheld);
    *answer = (struct answer){0};
}

void answer_drop(struct answer *answer)
{
    section_drop(answer->section);
    answer_wipe(answer);
}

/* A collection that is there in part has half a gap. */
static size_t half_gaps(const struct answer *answer)
{
    size_t n = 0;
    for (size_t i = 0; i < answer->result.n_collections; i++) {
        enum source_status status = answer->result.collections[i].status;
        n += status == SOURCE_FAILED ? 2 : status == SOURCE_PARTIAL;
    }
    return n;
}

void answer_keep_better(struct answer *best, struct answer *next)
{
    bool is_better = next->section && (!best->section || half_gaps(next) <= half_gaps(best));
    answer_drop(is_better ? best : next);
    if (is_better)
        *best = *next;
    *next = (struct answer){0};
}
