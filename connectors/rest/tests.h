/* tests: what a profile demands of an answer or of a record. A list of
 *
 *   {"ptr": POINTER, "eq": VALUE}          has this text; true, false and null stand for themselves
 *   {"ptr": POINTER, "in": [VALUE, …]}     has one of these
 *   {"ptr": POINTER, "filled": true}       has a text, or a number, that is not empty
 *   {"ptr": POINTER, "eq_id": KIND}        has the identity that the request was made with; with "part": N its
 *                                          word N (value.h)
 *   {"ptr": POINTER, "in_ids": KIND}       has one of the person's identities of that kind
 *   {"ptr": POINTER, "eq_record": POINTER} has the text that the parent's record has there
 *   {"any": [TEST, …]}                     one of these holds
 *   {"status": 404}                        the answer's HTTP status: 404 or 410
 *
 * the first six with "ignore_case": true for ASCII letters, "optional": true to hold also where the pointer
 * leads nowhere or to null, and "of": "answer" to look at the whole answer instead of the record. Numbers
 * compare as their text, so that 1 equals "1". A test whose pointer leads nowhere does not hold.
 */
#ifndef REST_TESTS_H
#define REST_TESTS_H

#include "value.h"

/* Which forms a list may use. */
enum tests_of { TESTS_OF_ANSWER, TESTS_OF_STATUS, TESTS_OF_RECORD };

/* Checks the form of a list; NULL is fine. Error: "bad_profile". */
int tests_check(const json_t *tests, enum tests_of of, const struct scope *scope, const char *path,
                struct dsar_error *error) __attribute__((warn_unused_result));

/* Whether a record for which all of the tests hold is shown to be the person's: one of the tests compares an
 * identity, or, where `is_owned` says that the parent's record is the person's, something of that record; it is not
 * optional, and no `any` has a way round it. NULL: no. */
bool tests_compare_identity(const json_t *tests, bool is_owned);

/* What tests look at. `record` may be NULL where only the answer is tested; `root` too when it was not read.
 */
struct tested {
    const struct node *root;
    const struct node *record;
    long status;
    const struct sources *sources;
};

/* NULL tests: all hold, and none does. */
bool tests_all_hold(const json_t *tests, const struct tested *tested);
bool tests_any_holds(const json_t *tests, const struct tested *tested);

/* Whether `node` is the scalar `value`. `node` NULL stands for null. */
bool tests_is_value(const struct node *node, const json_t *value, bool ignore_case);

#endif
