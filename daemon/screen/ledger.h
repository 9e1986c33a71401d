/* ledger: what was withheld, by collection and reason: counts only, never content. Not thread-safe. */
#ifndef DSAR_SCREEN_LEDGER_H
#define DSAR_SCREEN_LEDGER_H

#include "base/fault.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct ledger;

struct ledger *ledger_new(void); /* NULL without memory */
void ledger_free(struct ledger *ledger);

/* Adds `count` under collection ("billing/tickets") and reason ("card_number"). A count of 0 adds nothing. */
int ledger_add(struct ledger *ledger, const char *collection, const char *reason, uint64_t count,
               struct fault *fault) __attribute__((warn_unused_result));

/* How many pairs of collection and reason it holds. */
size_t ledger_size(const struct ledger *ledger);

/* Adds every line of `from`. */
int ledger_merge(struct ledger *ledger, const struct ledger *from, struct fault *fault)
    __attribute__((warn_unused_result));

/* [{"collection":…,"count":…,"reason":…}], sorted by collection and reason. A new reference; NULL without
 * memory. */
json_t *ledger_json(const struct ledger *ledger);

#endif
