/* reply: what one source answered at one try: a section of the bundle, its results and what was withheld from it.
 *
 * They stay together, so that of two tries all of one is kept and nothing of the other. One thread at a time.
 */
#ifndef DSAR_GATHER_REPLY_H
#define DSAR_GATHER_REPLY_H

#include "bundle/bundle.h"
#include "gather/result.h"
#include "screen/ledger.h"

struct reply {
    struct section *section;     /* belongs to the bundle; NULL: there is no reply */
    struct source_result result; /* without the source's names */
    struct ledger *withheld;
};

/* Frees, but leaves the section in the bundle. */
void reply_wipe(struct reply *reply);

/* Takes the reply out of the bundle and frees: as if it had never been given. {0} is harmless. */
void reply_drop(struct reply *reply);

/* Keeps in `best` the better of two, dropping the other: the one whose collections have fewer gaps; of two with
 * as many the one that holds more, then `next`. `next` is empty afterwards. */
void reply_keep_better(struct reply *best, struct reply *next);

#endif
