/* name_set: texts of which none is twice. Not thread-safe. */
#ifndef DSAR_BUNDLE_NAME_SET_H
#define DSAR_BUNDLE_NAME_SET_H

#include "base/fault.h"

#include <stddef.h>

struct name_set { /* {0} is the empty set */
    void *root;
    size_t n_names;
};

/* Borrows `name` until it is removed. Fails with "duplicate_name". */
int name_set_add(struct name_set *set, const char *name, struct fault *fault)
    __attribute__((warn_unused_result));

/* `name` must be in the set. The set is all given back once every name is removed. */
void name_set_remove(struct name_set *set, const char *name);

#endif
