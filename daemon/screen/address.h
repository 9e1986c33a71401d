/* address: e-mail addresses in running text, and whether they are the person's own. Thread-safe.
 *
 * An address is looked for round every at sign, also one that is written as %40, %2540, &#64;, &#x40; or
 * &commat;. It reaches as far as RFC 5322's dot-atom, RFC 6531's characters beyond ASCII and characters in
 * percent or numeric entity form do; a quoted local part and a domain in brackets belong to it. '/' and '?'
 * end a local part, which in practice stand in URLs only; the user and password of a URL belong to it. */
#ifndef DSAR_SCREEN_ADDRESS_H
#define DSAR_SCREEN_ADDRESS_H

#include "screen/screen.h"

#include <stdbool.h>
#include <stddef.h>

struct address {
    size_t start;
    size_t end;
    bool own;
};

/* The first address in `text`, which is UTF-8, that begins at `from` or later. False when there is none.
 * Calling it again from `end` on walks through a text in time linear to its length. */
bool address_next(const struct own_addresses *own, const char *text, size_t len, size_t from,
                  struct address *address);

#endif
