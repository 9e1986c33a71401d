#include "intake/identity_keys.h"

#include "base/jwk.h"

#include <stdlib.h>
#include <string.h>

struct identity_keys {
    json_t *list;
};

int identity_keys_load(struct identity_keys **keys, const char *path, struct fault *fault)
{
    struct identity_keys *loaded = calloc(1, sizeof *loaded);
    *keys = NULL;
    if (!loaded)
        return fault_retry(fault, "no_memory", "no memory for keys");
    if (jwk_load_private_set(&loaded->list, path, JWK_SEAL, fault)) {
        free(loaded);
        return -1;
    }
    *keys = loaded; /* the caller's from here */
    return 0;
}

const json_t *identity_keys_find(const struct identity_keys *keys, const char *kid)
{
    const json_t *list = keys ? keys->list : NULL;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *key = json_array_get(list, i);
        if (strcmp(json_string_value(json_object_get(key, "kid")), kid) == 0)
            return key;
    }
    return NULL;
}

void identity_keys_free(struct identity_keys *keys)
{
    if (!keys)
        return;
    json_decref(keys->list);
    free(keys);
}
