/* scanner: finds in running text what must not leave: other people's e-mail addresses, card numbers, IBANs.
 *
 * A scan walks over one text of valid UTF-8 and yields its masks in order; what is between them leaves as it
 * is. Time is linear to the text, nothing is allocated. Thread-safe. */
#ifndef DSAR_SCREEN_SCANNER_H
#define DSAR_SCREEN_SCANNER_H

#include "screen/address.h"
#include "screen/number.h"
#include "screen/screen.h"

#include <stdbool.h>
#include <stddef.h>

/* No mask is longer. None is more than 7/3 as long as what it stands for. */
#define SCANNER_MASK_MAX NUMBER_LEN_MAX

struct scan {
    const struct own_addresses *own;
    const char *text;
    size_t len;
    size_t at;
    struct address address; /* the next one, from `at` on; at `len` when there is none */
    bool numbers;           /* there may be some */
};

struct mask {
    size_t start; /* what is masked, in the text */
    size_t end;
    const char *reason;          /* "third_party_email", "card_number" or "iban"; static */
    char text[SCANNER_MASK_MAX]; /* what stands there instead; needs no escape in JSON */
    size_t text_len;
};

/* What a text can hold by the characters in it: nothing to mask where neither is true. */
struct scan_hints {
    bool address;
    bool number;
};

struct scan_hints scanner_look(const char *text, size_t len);

/* `hints` are those of the same text. */
void scanner_begin(struct scan *scan, const struct own_addresses *own, const char *text, size_t len,
                   struct scan_hints hints);

/* The next mask. False when there is none left. */
bool scanner_next(struct scan *scan, struct mask *mask);

#endif
