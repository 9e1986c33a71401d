#include "keys.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_FIRST 256

/* Half of a SHA-256: no two texts share one. All zero is an empty slot. */
struct digest {
    uint64_t words[2];
};

struct keys {
    struct digest *slots; /* open addressing; a power of two, at most half full */
    size_t n_slots;
    size_t n_keys;
};

int keys_new(struct keys **keys, struct fault *fault)
{
    struct keys *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory");
    made->slots = calloc(SLOTS_AT_FIRST, sizeof *made->slots);
    if (!made->slots) {
        free(made);
        return fault_retry(fault, "no_memory", "no memory");
    }
    made->n_slots = SLOTS_AT_FIRST;
    *keys = made;
    return 0;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    free(keys->slots);
    free(keys);
}

static bool is_empty(const struct digest *digest)
{
    return digest->words[0] == 0 && digest->words[1] == 0;
}

/* The slot of `digest`, or the empty one where it belongs. */
static struct digest *find(struct digest *slots, size_t n_slots, const struct digest *digest)
{
    size_t at = (size_t)digest->words[0] & (n_slots - 1);
    while (!is_empty(&slots[at]) && memcmp(&slots[at], digest, sizeof *digest) != 0)
        at = (at + 1) & (n_slots - 1);
    return &slots[at];
}

static int grow(struct keys *keys, struct fault *fault)
{
    size_t n_slots = keys->n_slots * 2;
    struct digest *slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return fault_retry(fault, "no_memory", "no memory for %zu keys", n_slots / 2);
    for (size_t i = 0; i < keys->n_slots; i++)
        if (!is_empty(&keys->slots[i]))
            *find(slots, n_slots, &keys->slots[i]) = keys->slots[i];
    free(keys->slots);
    keys->slots = slots;
    keys->n_slots = n_slots;
    return 0;
}

int keys_add(struct keys *keys, const void *text, size_t len, bool *is_new, struct fault *fault)
{
    unsigned char sha256[32];
    struct digest digest;
    if (!EVP_Digest(text, len, sha256, NULL, EVP_sha256(), NULL))
        return fault_set(fault, "internal", "SHA-256 is not to be had");
    memcpy(&digest, sha256, sizeof digest);
    if (keys->n_keys >= keys->n_slots / 2 && grow(keys, fault))
        return -1;
    struct digest *slot = find(keys->slots, keys->n_slots, &digest);
    *is_new = is_empty(slot);
    if (!*is_new)
        return 0;
    if (keys->n_keys == KEYS_MAX)
        return fault_set(fault, "too_many", "more than %zu different records", KEYS_MAX);
    *slot = digest;
    keys->n_keys++;
    return 0;
}
