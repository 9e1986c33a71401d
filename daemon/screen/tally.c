#include "screen/tally.h"

#include <string.h>

void tally_add(struct tally *tally, const char *reason, uint64_t count)
{
    size_t i = 0;
    while (i < tally->n_lines && strcmp(tally->lines[i].reason, reason) != 0)
        i++;
    if (i == tally->n_lines) {
        if (i == TALLY_REASONS_MAX)
            return;
        tally->n_lines++;
        tally->lines[i].reason = reason;
        tally->lines[i].count = 0;
    }
    tally->lines[i].count += count;
}

void tally_merge(struct tally *tally, const struct tally *from)
{
    for (size_t i = 0; i < from->n_lines; i++)
        tally_add(tally, from->lines[i].reason, from->lines[i].count);
}

int tally_report(const struct tally *tally, struct ledger *ledger, const char *collection,
                 struct fault *fault)
{
    for (size_t i = 0; i < tally->n_lines; i++)
        if (ledger_add(ledger, collection, tally->lines[i].reason, tally->lines[i].count, fault))
            return -1;
    return 0;
}
