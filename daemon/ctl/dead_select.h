/* dead_select: which dead letters are meant. */
#ifndef DSAR_CTL_DEAD_SELECT_H
#define DSAR_CTL_DEAD_SELECT_H

#include "outcome/dead.h"

/* A letter that was named by its place. */
struct dead_choice {
    struct dead_place place;
    bool found;
};

/* Letters that meet all of it; what is NULL or 0 is met by any. */
struct dead_selection {
    struct dead_choice *choices; /* one of these */
    size_t n_choices;
    const char *code;
    const char *topic; /* of the original */
    const char *request;
    int64_t since_unix_s; /* became a letter then or later */
    int64_t until_unix_s; /* became one before then */
};

/* Reads PARTITION/OFFSET. Fails with "bad_letter". */
int dead_place_parse(const char *text, struct dead_place *place, struct fault *fault)
    __attribute__((warn_unused_result));

/* Whether the letter is meant; a choice of its place is found thereby. A letter that does not know its time counts as
 * old. */
bool dead_selected(struct dead_selection *selection, const struct dead_facts *facts);

#endif
