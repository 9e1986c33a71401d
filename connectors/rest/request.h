/* request: one call as it goes to a system, built from a step and the values that it binds. */
#ifndef REST_REQUEST_H
#define REST_REQUEST_H

#include "base/buf.h"
#include "step.h"

#include <stdbool.h>

struct request {
    bool is_post;
    bool is_repeatable; /* made twice it does no harm */
    bool is_pinned;     /* nowhere else may it lead: the path alone says whose the records are */
    bool is_download;   /* of a file, and not of JSON */
    bool from_origin;   /* `target` stands behind the host, and not behind the base URL */
    const char
        *under; /* the folder, behind the base URL, that `target` must lie in; NULL: it may be anywhere */
    const json_t *token_auth; /* the step's `auth` when that is a token's; borrowed */
    struct buf target;        /* path and query, percent-encoded, behind the base URL */
    struct buf form;          /* application/x-www-form-urlencoded */
    struct buf headers;       /* "Name: value", each with a NUL behind it */
    struct buf label;         /* the path for error texts: kinds instead of values, no query */
};

void request_init(struct request *request);
void request_wipe(struct request *request);

/* Where in its pages a call is. */
struct page_at {
    json_int_t skip;    /* how many records the pages before held */
    json_int_t number;  /* how many pages came before */
    const char *cursor; /* of the page; NULL for the first */
    const char *target; /* where the page is, from the host on; NULL where the step says it */
};

/* Fills a request that was initialised; `at` NULL for one without pages. "empty_bind" when a value is missing or empty, "bad_bind" when one
 * cannot stand in a path or header. Nothing was sent then. */
int request_build(struct request *request, const struct step *step, const struct sources *sources,
                  const struct page_at *at, struct dsar_error *error) __attribute__((warn_unused_result));

#endif
