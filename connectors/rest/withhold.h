/* withhold: parts of a record that stay behind, such as a custom field that holds what must not leave, and that
 * no field class can name: elements of a list have no names, and numbered members no end.
 *
 *   {"in": "/customfields", "key": "/id", "listed_in": SETTING, "reason": CODE}
 *
 * keeps back each element of the list at `in` whose `key` is among the numbers, separated by commas, of the
 * setting. One object with that key, where a list was expected, is an element itself.
 *
 *   {"numbered": "customfields", "reason": CODE}
 *
 * keeps back the record's members customfields1, customfields2 and so on. */
#ifndef REST_WITHHOLD_H
#define REST_WITHHOLD_H

#include "value.h"

/* Checks one such rule. Error: "bad_profile". */
int withhold_check(const json_t *rule, const struct scope *scope, const char *path, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Checks the setting that a rule names: a list that nobody understands would keep nothing back. Error:
 * "bad_settings". */
int withhold_settle(const json_t *rule, const json_t *settings, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Takes the parts out of `record` and says in *n_taken how many they were. "source_answer" when what stands at
 * `in` has another shape, and so might hold anything. */
int withhold_apply(const json_t *rule, const json_t *settings, struct node *record, uint64_t *n_taken,
                   struct dsar_error *error) __attribute__((warn_unused_result));

#endif
