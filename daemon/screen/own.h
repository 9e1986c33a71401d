/* own: the person's own e-mail addresses, as screen.h makes them. Thread-safe. */
#ifndef DSAR_SCREEN_OWN_H
#define DSAR_SCREEN_OWN_H

#include "screen/screen.h"

#include <stdbool.h>
#include <stddef.h>

/* Where the two parts of an address lie in a text. */
struct own_place {
    size_t local;
    size_t local_end;
    size_t domain;
    size_t domain_end;
};

/* Whether the address at `place` is one of the person's own. It also is when one of these characters stands
 * between what is before it and its local part: in "?mail=alice@example.test" and "*alice@example.test*";
 * place->local is then moved behind it. */
bool own_has(const struct own_addresses *own, const char *text, struct own_place *place);

/* Whether the character, though allowed in a local part, rather belongs to what stands round an address. */
bool own_is_wrap(unsigned code);

#endif
