/* value: one value of a request as a profile writes it, and what it comes to. There are no templates: a value
 * has one source, or is a list of such values, joined.
 *
 *   "GetInvoices", 100                       as it stands
 *   {"secret": NAME}, {"setting": NAME}      from the configuration; with "optional": true it may be missing
 *   {"id": KIND}                             an identity of the person; with "as": "lower" in lower case, with
 *                                            "as": "regex" as the regular expression of itself, with
 *                                            "part": N its word N, counted from 0, of one that was joined
 *   {"record": POINTER}                      from the record that a child step belongs to; with "up": N from the
 *                                            one N levels above it
 *   {"started": POINTER}, {"polled": POINTER}  from what the first call of an export, or the last one that asked
 *                                            for it, answered
 *   {"element": RELATIVE POINTER}            from what stands for a file (trail.h)
 */
#ifndef REST_VALUE_H
#define REST_VALUE_H

#include "trail.h"

#include <dsar/connector.h>

/* What values are made from. All borrowed, NULL where there is none. */
struct sources {
    const json_t *settings; /* effective ones */
    const json_t *secrets;
    const struct dsar_identities *bound; /* one value for each kind that the step needs */
    const struct dsar_identities *known; /* everything that is known of the person */
    const struct node *record;           /* of the parent step */
    const struct sources *above;         /* what that parent's own request was made from */
    const struct node *started;          /* the answer that began an export */
    const struct node *polled;           /* the answer that it is ready */
    const struct trail *element;         /* what stands for a file */
};

/* What a value may name, for checking. */
struct scope {
    const json_t *settings; /* the array of declared settings, secrets included */
    const json_t *needs;    /* identity kind -> type */
    unsigned n_records;     /* how many parents' records there are */
    bool is_owned;          /* whether these are shown to be the person's */
    bool has_started;
    bool has_polled;
    bool has_element;
    json_t
        *used; /* an object that takes note of each "id:KIND", "setting:NAME", "secret:NAME"; NULL without */
};

/* Checks the form of a value. `path` is its place in the profile, for the text ("bad_profile"). */
int value_check(const json_t *value, const struct scope *scope, const char *path, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Takes note that `name` of `source` is used. */
int value_note(const struct scope *scope, const char *source, const char *name, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Appends what `value`, which value_check has passed, comes to. *present turns false when an optional value
 * is not configured; then nothing is appended. Anything else that is missing or empty is refused with
 * "empty_bind". */
int value_append(struct buf *out, const json_t *value, const struct sources *sources, bool *present,
                 struct dsar_error *error) __attribute__((warn_unused_result));

/* Appends a value's name for people, which shows nothing of the person: {whmcs_client_id}. */
int value_describe(struct buf *out, const json_t *value, struct fault *fault)
    __attribute__((warn_unused_result));

/* The record `up` levels above the one that a step belongs to; NULL when there is none. */
const struct node *value_record(const struct sources *sources, const json_t *up);

/* The word of `text` that `part` counts, from 0; they are separated by single spaces. The whole text when `part`
 * is NULL; NULL when there is none. */
const char *value_part(const char *text, const json_t *part, size_t *len);

/* Whether `part` is one that value_part takes. */
bool value_is_part(const json_t *part);

#endif
