/* kept: what the place of a next page, which the system gives, must have again of the call. */
#ifndef REST_KEPT_H
#define REST_KEPT_H

#include "value.h"

/* Whether the query of `target` has each parameter of `query`, a profile's, that comes from a setting, with its value and no
 * other: such a one may say which tenant's data are read, and ids of one tenant are other people's in another. *is_kept says
 * so. Errors are value_append's. */
int kept_check(const json_t *query, const struct sources *sources, const char *target, bool *is_kept,
               struct dsar_error *error) __attribute__((warn_unused_result));

#endif
