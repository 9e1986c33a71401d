/* tally: how often what was masked or dropped: counts by reason. Not thread-safe. */
#ifndef DSAR_SCREEN_TALLY_H
#define DSAR_SCREEN_TALLY_H

#include "screen/classes.h"
#include "screen/ledger.h"

#include <stddef.h>
#include <stdint.h>

/* The reasons of one collection's classes, and the seven that are known without: third_party_email,
 * card_number, iban, third_party, secret, card, cvv. */
#define TALLY_REASONS_MAX (CLASSES_REASONS_MAX + 7)

struct tally {
    struct {
        const char *reason; /* borrowed */
        uint64_t count;
    } lines[TALLY_REASONS_MAX];
    size_t n_lines;
};

/* Adds `count` to a reason, which lives as long as the tally: one of those that TALLY_REASONS_MAX makes room
 * for. */
void tally_add(struct tally *tally, const char *reason, uint64_t count);

void tally_merge(struct tally *tally, const struct tally *from);

/* Adds each count to `ledger` under `collection`. */
int tally_report(const struct tally *tally, struct ledger *ledger, const char *collection,
                 struct fault *fault) __attribute__((warn_unused_result));

#endif
