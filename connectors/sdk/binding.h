/* binding: which identity values a call upstream is made with, and that none of them is empty or out of its
 * type.
 *
 * `needs` is an object as in a profile: identity kind -> type. Types: "text" (base/plain.h, at most DSAR_IDENTITY_MAX
 * bytes) and "uint>N" (a decimal number without sign or leading zeros, greater than N, at most 9223372036854775807).
 * Errors: "empty_bind" when a kind is unknown or its value empty or blank, "bad_identity" when a value is not of its
 * type. Neither text shows the value.
 */
#ifndef DSAR_SDK_BINDING_H
#define DSAR_SDK_BINDING_H

#include <dsar/connector.h>

/* The most combinations that one call of binding_each makes. */
#define BINDING_COMBINATIONS_MAX 64

/* Whether `type` is one of the types. */
bool binding_is_type(const char *type);

/* Checks one value. `value` NULL counts as empty. */
int binding_check(const char *kind, const char *type, const char *value, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Uses one combination: `bound` has exactly one checked value of each kind in `needs`. -1 stops binding_each.
 */
typedef int (*binding_use_cb)(const struct dsar_identities *bound, struct dsar_error *error, void *ctx);

/* Calls `use` for each combination of the person's values of the kinds in `needs`: once for a person with one
 * value of each, twice for one who has two accounts. Every value is checked before the first call. Without
 * needs: one call with nothing bound. "too_many_identities" beyond BINDING_COMBINATIONS_MAX. */
int binding_each(const json_t *needs, const struct dsar_identities *identities, binding_use_cb use, void *ctx,
                 struct dsar_error *error) __attribute__((warn_unused_result));

/* Whether the person has at least one value of each kind in `needs`: a resolve step without is passed over. One
 * that is empty counts, so that binding_each refuses it and nobody takes the person for unknown. */
bool binding_is_possible(const json_t *needs, const struct dsar_identities *identities);

#endif
