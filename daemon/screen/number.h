/* number: payment card numbers and IBANs in running text. Thread-safe. */
#ifndef DSAR_SCREEN_NUMBER_H
#define DSAR_SCREEN_NUMBER_H

#include <stddef.h>

/* Fewer bytes hold neither: a card number has 13 digits and more, an IBAN 15 characters. */
#define NUMBER_LEN_MIN 13

/* The most bytes that either may have: 34 characters with a separator of three bytes between any two. */
#define NUMBER_LEN_MAX (34 + 33 * 3)

/* How many bytes between two digits at `at` part them but do not end the number: one space or hyphen, also
 * those beyond ASCII. 0 when there is none. */
size_t number_separator(const char *text, size_t len, size_t at);

/* Whether a card number begins with the digit at `at`, the first of a group of digits: where it ends, or 0.
 * It has 13 to 19 digits, a length and range that an issuer uses, and a right check digit (ISO/IEC 7812-1,
 * Luhn), and it begins and ends with whole groups of digits. Not taken: digits behind a decimal point, a
 * telephone number behind '+', hexadecimal digests and UUIDs. *skip becomes where the next group is that
 * could begin one. */
size_t card_match(const char *text, size_t len, size_t at, size_t *skip);

/* Whether the digit at `at` is the first check digit of an IBAN (ISO 13616), in either case: where it ends,
 * or 0. It begins two bytes before `at`. Its country is known and has that length, the check digits are right
 * (ISO 7064, mod 97-10), and no letter or digit adjoins it but the word "IBAN". */
size_t iban_match(const char *text, size_t len, size_t at);

#endif
