#include "screen/keys.h"
#include "screen/hash.h"

struct key_set keys_open(const struct keys *keys)
{
    return (struct key_set){.first = keys->n, .suffix = 1};
}

void keys_close(struct keys *keys, const struct key_set *set)
{
    keys->n = set->first;
}

bool keys_add(struct keys *keys, struct key_set *set, const char *name, size_t len)
{
    uint64_t hash = hash_bytes(keys->seed, name, len);
    uint64_t bit = UINT64_C(1) << (hash >> 58);
    if (set->seen & bit)
        for (size_t i = set->first; i < keys->n; i++)
            if (keys->list[i].read == hash)
                return false;
    set->seen |= bit;
    keys->list[keys->n++] = (struct key){.read = hash, .written = hash};
    return true;
}

bool keys_write(struct keys *keys, const struct key_set *set, const char *written, size_t len)
{
    struct key *last = &keys->list[keys->n - 1];
    last->written = hash_bytes(keys->seed, written, len);
    for (const struct key *key = keys->list + set->first; key < last; key++)
        if (key->written == last->written)
            return false;
    return true;
}
