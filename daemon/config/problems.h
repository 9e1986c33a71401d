/* problems: what is wrong with a configuration file, written line by line as it is found. Not thread-safe. */
#ifndef DSAR_CONFIG_PROBLEMS_H
#define DSAR_CONFIG_PROBLEMS_H

#include "config/config.h"

#include <stdio.h>

/* Beyond this many errors they are counted but no longer written. */
#define PROBLEMS_SHOWN_MAX 200

struct problems {
    FILE *out;
    const char *file; /* as the operator named it */
    unsigned n_errors;
};

/* A key's path, built on the stack on the way down: the root is NULL. */
struct place {
    const struct place *up;
    const char *key; /* NULL: an element of a list */
    size_t index;    /* counted from 0, where `key` is NULL */
};

void problem_error(struct problems *problems, struct config_mark mark, const struct place *place,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A warning does not count as an error. */
void problem_warning(struct problems *problems, struct config_mark mark, const struct place *place,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* An error that has no place in the file. */
void problem_no_memory(struct problems *problems);

/* Finds the candidate that the operator may have meant. */
struct suggestion {
    const char *word;
    const char *best; /* NULL while no candidate is near enough; borrowed from the caller */
    size_t distance;
};

void suggestion_offer(struct suggestion *suggestion, const char *candidate);

#define SUGGESTION_TEXT_MAX 96

/* " (did you mean 'BEST'?)", or nothing. Returns `text`. */
const char *suggestion_text(const struct suggestion *suggestion, char text[SUGGESTION_TEXT_MAX]);

#endif
