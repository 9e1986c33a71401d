/* hash: a quick hash of short keys. Whoever does not know the seed cannot make keys that collide on purpose.
 */
#ifndef DSAR_SCREEN_HASH_H
#define DSAR_SCREEN_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    hash_wide product = (hash_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_bytes(uint64_t seed, const char *data, size_t len)
{
    const uint64_t k0 = UINT64_C(0x9E3779B97F4A7C15), k1 = UINT64_C(0xD1B54A32D192ED03);
    uint64_t hash = seed ^ hash_mix(len ^ k0, k1), word;
    for (; len > sizeof word; data += sizeof word, len -= sizeof word) {
        memcpy(&word, data, sizeof word);
        hash = hash_mix(hash ^ word, k0);
    }
    if (len >= 4) { /* two words that may overlap hold the rest */
        uint32_t low, high;
        memcpy(&low, data, sizeof low);
        memcpy(&high, data + len - sizeof high, sizeof high);
        word = (uint64_t)high << 32 | low;
    } else {
        word = 0;
        for (size_t i = 0; i < len; i++)
            word = word << 8 | (unsigned char)data[i];
    }
    return hash_mix(hash ^ word, k1);
}

#endif
