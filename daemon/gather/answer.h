/* answer: what one source answered at one try: a section of the bundle, its results and what was withheld from it.
 *
 * They stay together, so that of two tries all of one is kept and nothing of the other. One thread at a time.
 */
#ifndef DSAR_GATHER_ANSWER_H
#define DSAR_GATHER_ANSWER_H

#include "bundle/bundle.h"
#include "gather/result.h"
#include "screen/ledger.h"

struct answer {
    struct section *section;     /* belongs to the bundle; NULL: there is no answer */
    struct source_result result; /* without the source's names */
    struct ledger *withheld;
};

/* Frees, but leaves the section in the bundle. */
void answer_wipe(struct answer *answer);

/* Takes the answer out of the bundle and frees: as if it had never been given. {0} is harmless. */
void answer_drop(struct answer *answer);

/* Keeps in `best` the better of two, dropping the other: the one whose collections have fewer gaps, `next` if they have as
 * many. `next` is empty afterwards. */
void answer_keep_better(struct answer *best, struct answer *next);

#endif
