/* tally: how much a root holds, what of it stayed out and why: counts only. */
#ifndef DSAR_FILES_TALLY_H
#define DSAR_FILES_TALLY_H

#include <dsar/connector.h>

enum tally_item {
    /* what is in the copy */
    TALLY_FOLDERS,
    TALLY_FILES,
    TALLY_SYMLINKS,
    TALLY_HARD_LINKS, /* further names of a file that is there */
    TALLY_SPARSE_FILES,
    TALLY_BYTES,
    /* what is withheld */
    TALLY_MIXED,
    TALLY_SPECIAL,
    TALLY_LINKED_ELSEWHERE,
    TALLY_OTHER_MOUNT,
    /* what is missing, the worst first */
    TALLY_TOO_LARGE,
    TALLY_TOO_MANY, /* 1 when there was more */
    TALLY_TOO_DEEP,
    TALLY_UNREADABLE,
    TALLY_VANISHED,
    TALLY_CUT, /* became shorter, or could not be read to its end */
    TALLY_CHANGED,
    TALLY_NOT_THE_FORMAT, /* lines of a log */
    TALLY_N_ITEMS
};

struct tally {
    uint64_t n[TALLY_N_ITEMS];
};

/* Counts what could not be opened or looked at, by the errno. */
void tally_miss(struct tally *tally, int error_number);

void tally_add(struct tally *sum, const struct tally *more);

/* What the record of a root says: a new object of all counts but those that are 0, `files` and `bytes` always.
 * NULL without memory. */
json_t *tally_describe(const struct tally *tally);

/* Tells dsard what is withheld, warns of what is missing, and sets *status: DSAR_PARTIAL, with `error`, when anything is
 * missing, DSAR_COMPLETE otherwise. */
int tally_end(const struct tally *tally, struct dsar_session *session, enum dsar_status *status,
              struct dsar_error *error) __attribute__((warn_unused_result));

#endif
