#include "bundle/name_set.h"

#include <search.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

int name_set_add(struct name_set *set, const char *name, struct fault *fault)
{
    const char *const *node = tsearch(name, &set->root, compare);
    if (!node)
        return fault_retry(fault, "no_memory", "no memory for an entry's name");
    if (*node != name)
        return fault_set(fault, "duplicate_name", "%s: the bundle has an entry of this name already", name);
    set->n_names++;
    return 0;
}

void name_set_remove(struct name_set *set, const char *name)
{
    tdelete(name, &set->root, compare);
    set->n_names--;
}
