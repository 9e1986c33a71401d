/* screen: removes from records what belongs to other people or must not leave.
 *
 * A policy is made for one request (whose addresses are the person's own) and shared by all threads; a filter
 * is made for one collection from its field classes. Records are JSON objects, one a line; what leaves is a
 * part of one JSON array. Numbers leave digit for digit, strings as the same text.
 */
#ifndef DSAR_SCREEN_SCREEN_H
#define DSAR_SCREEN_SCREEN_H

#include "base/fault.h"
#include "screen/classes.h"
#include "screen/ledger.h"

#include <stddef.h>
#include <stdint.h>

/* The person's own e-mail addresses: compared without regard to ASCII case. Immutable once made; thread-safe.
 */
struct own_addresses;

/* Copies the addresses. Fails with "bad_address", which names the place in the list, when one is no address.
 */
int own_addresses_new(struct own_addresses **own, const char *const *addresses, size_t n_addresses,
                      struct fault *fault) __attribute__((warn_unused_result));
void own_addresses_free(struct own_addresses *own);

struct screen; /* what one collection's records go through; safe for several threads at once */

struct screen_options {
    const struct classes *classes;   /* borrowed, outlives the screen */
    const struct own_addresses *own; /* borrowed, outlives the screen */
};

int screen_new(struct screen **screen, const struct screen_options *options, struct fault *fault)
    __attribute__((warn_unused_result));
void screen_free(struct screen *screen);

/* Screens whole records: JSON objects separated by newlines, a newline behind the last allowed, empty lines
 * not. Writes each as ",\n" and the screened object. The caller puts the brackets round it. `out_cap` of
 * three times `len` always suffices. Keys are scanned like free text, unless they stand in an object of class
 * own; those that become the same are told apart by a number. What is in a dropped value leaves under no
 * class.
 *
 * Fails with "bad_record" (not JSON, not an object, duplicate keys, more than 4096 members in one object,
 * nested deeper than 64, invalid UTF-8); the text names the place by record number within the call, never the
 * content. Fails with "too_large" without room in `out`, or beyond 64 MiB. A call that fails counts nothing.
 */
int screen_records(struct screen *screen, const char *data, size_t len, char *out, size_t out_cap,
                   size_t *out_len, struct fault *fault) __attribute__((warn_unused_result));

/* Adds what was masked and dropped so far to `ledger` under `collection`. */
int screen_tally(const struct screen *screen, struct ledger *ledger, const char *collection,
                 struct fault *fault) __attribute__((warn_unused_result));

#endif
