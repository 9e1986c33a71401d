/* keys: the member names of the objects that are open, as hashes: none may come twice, and none may be
 * written twice.
 *
 * Two names with one 64-bit hash count as the same; the seed keeps anybody from making such. Not thread-safe.
 */
#ifndef DSAR_SCREEN_KEYS_H
#define DSAR_SCREEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEYS_MEMBERS_MAX 4096 /* of one object: each new name is compared with all before it */

struct key {
    uint64_t read;    /* the name's hash */
    uint64_t written; /* the hash of how it leaves */
};

struct keys {
    struct key *list; /* borrowed: room for all members that may be open at once */
    size_t n;
    uint64_t seed;
};

/* The names of one object: those from `first` on. */
struct key_set {
    size_t first;
    uint64_t seen;   /* a bit for each hash there is: most new names show at once that they are new */
    bool changed;    /* some leave as something else than what they were read as */
    unsigned suffix; /* the last one given to a name to tell it from another that leaves alike */
};

struct key_set keys_open(const struct keys *keys);
void keys_close(struct keys *keys, const struct key_set *set);

/* Adds a name to the innermost object, which leaves as it was read unless keys_write says otherwise. False:
 * it is there. */
bool keys_add(struct keys *keys, struct key_set *set, const char *name, size_t len);

/* Says how the name added last leaves. False when another one leaves so already. */
bool keys_write(struct keys *keys, const struct key_set *set, const char *written, size_t len);

#endif
