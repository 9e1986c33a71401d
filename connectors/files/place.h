/* place: where a person's root lies below a base folder: a list of names, some of them made from identities.
 *
 * In a profile: an array of 1 to 8 names, each a value or an array of values that are joined. A value is
 *   "Maildir"                                              a text as it stands
 *   {"id": KIND}                                           an identity of the person
 *   {"id": KIND, "part": "local", "as": "lower"}           `part`: what is before ("local") or behind ("domain") the last @
 *                                                          of an address; `as`: in lower case, of ASCII letters
 * There are no templates. A name from an identity is refused ("bad_identity") when it begins with a dot or holds a slash, and
 * when it is longer than a name may be, so that it is one step down and never a step aside; without a value it is refused
 * as "empty_bind".
 */
#ifndef DSAR_FILES_PLACE_H
#define DSAR_FILES_PLACE_H

#include <dsar/connector.h>

#define PLACE_NAMES_MAX 8
#define PLACE_PATH_MAX  4096

struct place {
    char path[PLACE_PATH_MAX]; /* names with slashes between; personal */
    const char *last;          /* the last name, within `path` */
};

/* Checks the form. `path` is its JSON Pointer. Kinds must be among `needs`. "bad_profile". */
int place_check(const json_t *names, const json_t *needs, const char *path, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* Whether some name is made from this kind. */
bool place_has(const json_t *names, const char *kind);

/* Makes the path for these identities. */
int place_make(struct place *place, const json_t *names, const struct dsar_identities *bound,
               struct dsar_error *error) __attribute__((warn_unused_result));

void place_wipe(struct place *place);

#endif
