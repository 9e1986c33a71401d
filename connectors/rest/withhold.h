/* withhold: elements of a record's lists that the configuration keeps back, such as a custom field that holds
 * what must not leave. The elements of a list have no names that a field class could be given to; here they
 * are told by a member.
 *
 *   {"in": "/customfields", "key": "/id", "listed_in": SETTING, "reason": CODE}
 *
 * keeps back each element of the list at `in` whose `key` is among the values, separated by commas, of the
 * setting. */
#ifndef REST_WITHHOLD_H
#define REST_WITHHOLD_H

#include "value.h"

/* Checks one such rule. Error: "bad_profile". */
int withhold_check(const json_t *rule, const struct scope *scope, const char *path, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Takes the elements out of `record` and says how many they were. */
uint64_t withhold_apply(const json_t *rule, const json_t *settings, struct node *record);

#endif
