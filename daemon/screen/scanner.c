#include "screen/scanner.h"
#include "screen/lanes.h"
#include "screen/text.h"

#define MASKED_ADDRESS "***@***"
#define DIGITS_KEPT    4

/* Fewer bytes than lanes: two words that overlap hold them. */
static lanes load_short(const char *text, size_t len)
{
    uint64_t halves[2] = {0};
    if (len >= 8) {
        memcpy(&halves[0], text, 8);
        memcpy(&halves[1], text + len - 8, 8);
    } else if (len >= 4) {
        memcpy(&halves[0], text, 4);
        memcpy(&halves[1], text + len - 4, 4);
    } else {
        for (size_t i = 0; i < len; i++)
            halves[0] = halves[0] << 8 | (unsigned char)text[i];
    }
    lanes bytes;
    memcpy(&bytes, halves, sizeof bytes);
    return bytes;
}

struct scan_hints scanner_look(const char *text, size_t len)
{
    lanes bytes = len < LANES ? load_short(text, len) : lanes_at(text + len - LANES);
    lanes signs = lanes_signs(bytes), digits = lanes_digits(bytes);
    for (size_t at = 0; at + LANES < len; at += LANES) {
        bytes = lanes_at(text + at);
        signs |= lanes_signs(bytes);
        digits |= lanes_digits(bytes);
    }
    return (struct scan_hints){.address = lanes_any(signs),
                               .number = len >= NUMBER_LEN_MIN && lanes_any(digits)};
}

void scanner_begin(struct scan *scan, const struct own_addresses *own, const char *text, size_t len,
                   struct scan_hints hints)
{
    *scan = (struct scan){.own = own, .text = text, .len = len, .numbers = hints.number};
    if (!hints.address || !address_next(own, text, len, 0, &scan->address))
        scan->address.start = len;
}

static void copy_number(const struct scan *scan, struct mask *mask)
{
    mask->text_len = mask->end - mask->start;
    memcpy(mask->text, scan->text + mask->start, mask->text_len);
}

static void mask_card(const struct scan *scan, struct mask *mask)
{
    copy_number(scan, mask);
    mask->reason = "card_number";
    size_t kept = 0;
    for (size_t i = mask->text_len; i-- > 0;)
        if (text_is_digit(mask->text[i]) && ++kept > DIGITS_KEPT)
            mask->text[i] = '*';
}

static void mask_iban(const struct scan *scan, struct mask *mask)
{
    copy_number(scan, mask);
    mask->reason = "iban";
    for (size_t i = 2; i < mask->text_len; i++)
        if (text_is_digit(mask->text[i]) || text_is_letter(mask->text[i]))
            mask->text[i] = '*';
}

/* The next number that begins before the next address. */
static bool number_next(struct scan *scan, struct mask *mask)
{
    const char *text = scan->text;
    size_t stop = scan->address.start;
    while (scan->at < stop) {
        if (!text_is_digit(text[scan->at])) {
            bool many = stop - scan->at >= LANES;
            scan->at += many ? lanes_first(lanes_digits(lanes_at(text + scan->at))) : 1;
            continue;
        }
        if (scan->at >= 2 && text_is_letter(text[scan->at - 1])) {
            mask->start = scan->at - 2;
            mask->end = iban_match(text, scan->len, scan->at);
            if (mask->end) {
                mask_iban(scan, mask);
                return true;
            }
        }
        mask->start = scan->at;
        mask->end = card_match(text, scan->len, scan->at, &scan->at);
        if (mask->end) {
            mask_card(scan, mask);
            return true;
        }
    }
    return false;
}

bool scanner_next(struct scan *scan, struct mask *mask)
{
    for (;;) {
        bool number = scan->numbers && number_next(scan, mask);
        if (number && mask->end <= scan->address.start) {
            scan->at = mask->end;
            return true;
        }
        if (scan->address.start == scan->len)
            return false;
        /* a number that runs into an address goes with it */
        mask->start = number ? mask->start : scan->address.start;
        mask->end = scan->address.end;
        bool leaves = scan->address.own && !number;
        scan->at = mask->end;
        if (!address_next(scan->own, scan->text, scan->len, scan->at, &scan->address))
            scan->address.start = scan->len;
        if (!leaves) {
            mask->reason = "third_party_email";
            mask->text_len = sizeof MASKED_ADDRESS - 1;
            memcpy(mask->text, MASKED_ADDRESS, mask->text_len);
            return true;
        }
    }
}
