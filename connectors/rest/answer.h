/* answer: what a system answered to one request, read as its step says. */
#ifndef REST_ANSWER_H
#define REST_ANSWER_H

#include "client.h"
#include "tree.h"

struct answer {
    struct tree *tree;
    bool is_absent;      /* the system does not know the person; nothing else holds then */
    bool is_end;         /* there is no such page; the same */
    struct node *record; /* the first; the others by answer_next */
    size_t n_records;
    bool is_single;
    bool has_total;
    uint64_t total; /* of records on all pages */
    bool has_pages;
    uint64_t pages;
};

/* What an answer is read with. */
struct answer_context {
    const struct client *client;
    const struct request *request;
    const struct step *step;
    const struct sources *sources;
    bool is_later_page;
};

/* Reads a response and checks that every record is the person's. Errors:
 * "source_answer" when it is not what the step expects, "source_refused", "source_busy", "ownership". The answer is wiped by
 * answer_wipe, not needed after -1. */
int answer_read(struct answer *answer, const struct answer_context *context, const struct response *response,
                struct dsar_error *error) __attribute__((warn_unused_result));
void answer_wipe(struct answer *answer);

/* The record behind `record`, NULL behind the last. */
struct node *answer_next(const struct answer *answer, const struct node *record);

#endif
