#include "outcome/revocation.h"

#include <string.h>

struct removal {
    struct store *store;
    const char *request;
    const char *suffix;
    struct fault *fault;
};

static int remove_one(const char *file, void *ctx)
{
    const struct removal *removal = ctx;
    size_t len = strlen(file), suffix_len = strlen(removal->suffix);
    if (len <= suffix_len || strcmp(file + len - suffix_len, removal->suffix) != 0)
        return 0;
    return store_remove(removal->store, removal->request, file, removal->fault);
}

static int remove_all(struct store *store, const char *request, const char *suffix, struct fault *fault)
{
    struct removal removal = {store, request, suffix, fault};
    return store_each(store, request, remove_one, &removal, fault);
}

int revocation_bundles(struct store *store, const char *request, struct fault *fault)
{
    return remove_all(store, request, ".zip", fault);
}

int revocation_outcomes(struct store *store, const char *request, struct fault *fault)
{
    /* a receipt goes after its bundle: what is left of a crash is then never a bundle that nothing names */
    return revocation_bundles(store, request, fault) || remove_all(store, request, ".receipt", fault) ? -1
                                                                                                      : 0;
}
