#include "screen/number.h"
#include "screen/text.h"

#include <openssl/crypto.h>

#define DIGITS_MIN 13
#define DIGITS_MAX 19
#define E164_MAX   15
#define DIGEST_MIN 32
#define UUID_LEN   ((size_t)36)
#define FROM(n)    (0xFFFFFu << (n)&0xFFFFFu)
#define EXACTLY(n) (1u << (n))

/* Which first digits belong to which issuer, and the lengths it uses as bits. */
static const struct {
    unsigned low, high; /* inclusive */
    unsigned digits;
    unsigned lengths;
} issuers[] = {
    {4, 4, 1, EXACTLY(13) | EXACTLY(16) | EXACTLY(19)}, /* Visa */
    {51, 55, 2, EXACTLY(16)},                           /* Mastercard */
    {2221, 2720, 4, EXACTLY(16)},                       /* Mastercard */
    {34, 34, 2, EXACTLY(15)},                           /* American Express */
    {37, 37, 2, EXACTLY(15)},                           /* American Express */
    {6011, 6011, 4, FROM(16)},                          /* Discover */
    {644, 659, 3, FROM(16)},                            /* Discover */
    {300, 305, 3, FROM(14)},                            /* Diners Club */
    {3095, 3095, 4, FROM(14)},                          /* Diners Club */
    {36, 36, 2, FROM(14)},                              /* Diners Club */
    {38, 39, 2, FROM(14)},                              /* Diners Club */
    {3528, 3589, 4, FROM(16)},                          /* JCB */
    {62, 62, 2, FROM(16)},                              /* UnionPay */
    {8100, 8171, 4, FROM(16)},                          /* UnionPay */
    {50, 50, 2, FROM(13)},                              /* Maestro */
    {56, 58, 2, FROM(13)},                              /* Maestro */
    {6304, 6304, 4, FROM(13)},                          /* Maestro */
    {639, 639, 3, FROM(13)},                            /* Maestro */
    {67, 67, 2, FROM(13)},                              /* Maestro */
    {60, 60, 2, EXACTLY(16)},                           /* RuPay */
    {2200, 2204, 4, FROM(16)},                          /* Mir */
};

/* The digits from one group's first on, and where in the text the number may end. */
struct chain {
    unsigned char digits[DIGITS_MAX];
    size_t ends[DIGITS_MAX + 1]; /* by number of digits; 0 where a group goes on */
    size_t n;
};

size_t number_separator(const char *text, size_t len, size_t at)
{
    if (at == len)
        return 0;
    if (text[at] == ' ' || text[at] == '-')
        return 1;
    if ((unsigned char)text[at] < 0x80)
        return 0;
    size_t width;
    unsigned code = text_code_at(text + at, &width);
    return code == 0xA0 || code == 0x202F || (code >= 0x2010 && code <= 0x2013) ? width : 0;
}

/* Most digits stand in short numbers: how many there are from `at` on, as far as DIGITS_MIN, and where they
 * end. */
static size_t count_chain(const char *text, size_t len, size_t at, size_t *end)
{
    size_t n = 0;
    *end = at;
    while (n < DIGITS_MIN && at < len && text_is_digit(text[at])) {
        n++;
        *end = ++at;
        if (at < len && !text_is_digit(text[at]))
            at += number_separator(text, len, at);
    }
    return n;
}

static void read_chain(const char *text, size_t len, size_t at, struct chain *chain)
{
    chain->n = 0;
    while (chain->n < DIGITS_MAX && at < len && text_is_digit(text[at])) {
        chain->digits[chain->n++] = (unsigned char)(text[at++] - '0');
        if (at < len && text_is_digit(text[at])) {
            chain->ends[chain->n] = 0;
        } else {
            chain->ends[chain->n] = at;
            at += number_separator(text, len, at);
        }
    }
}

static unsigned issued_lengths(const unsigned char *digits)
{
    unsigned first[5] = {0};
    for (size_t i = 1; i < sizeof first / sizeof *first; i++)
        first[i] = first[i - 1] * 10 + digits[i - 1];
    unsigned lengths = 0;
    for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++)
        if (first[issuers[i].digits] >= issuers[i].low && first[issuers[i].digits] <= issuers[i].high)
            lengths |= issuers[i].lengths;
    return lengths;
}

static bool luhn_holds(const unsigned char *digits, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned digit = digits[n - 1 - i];
        if (i % 2 == 1)
            digit = digit > 4 ? 2u * digit - 9 : 2u * digit;
        sum += digit;
    }
    return sum % 10 == 0;
}

static bool is_id_character(char c)
{
    return text_hex(c) >= 0 || c == '-';
}

/* Whether [start, end) lies in a hexadecimal digest or a UUID. */
static bool in_digest(const char *text, size_t len, size_t start, size_t end)
{
    size_t first = start, last = end;
    while (first > 0 && start - first < 2 * UUID_LEN && is_id_character(text[first - 1]))
        first--;
    while (last < len && last - end < 2 * UUID_LEN && is_id_character(text[last]))
        last++;
    size_t hyphens = 0, letters = 0;
    for (size_t i = first; i < last; i++) {
        hyphens += text[i] == '-';
        letters += text_is_letter(text[i]);
    }
    if (letters == 0)
        return false;
    if (hyphens == 0)
        return last - first >= DIGEST_MIN;
    return last - first == UUID_LEN && hyphens == 4 && text[first + 8] == '-' && text[first + 13] == '-' &&
           text[first + 18] == '-' && text[first + 23] == '-';
}

static bool is_fraction(const char *text, size_t at)
{
    return at >= 2 && text[at - 1] == '.' && text_is_digit(text[at - 2]);
}

static size_t group_end(const char *text, size_t len, size_t at)
{
    while (at < len && text_is_digit(text[at]))
        at++;
    return at;
}

/* A card number of at least DIGITS_MIN digits in the chain that begins at `at`: where it ends, or 0. */
static size_t match_chain(const char *text, size_t len, size_t at, size_t first_end)
{
    struct chain chain = {0};
    read_chain(text, len, at, &chain);
    unsigned lengths = issued_lengths(chain.digits);
    if (at > 0 && text[at - 1] == '+')
        lengths &= FROM(E164_MAX + 1);
    size_t found = 0;
    for (size_t n = chain.n; n >= DIGITS_MIN && !found; n--) {
        size_t end = chain.ends[n];
        if (end == 0 || !(lengths & EXACTLY(n)) || !luhn_holds(chain.digits, n))
            continue;
        bool fraction = end == first_end && is_fraction(text, at);
        if (!fraction && !in_digest(text, len, at, end))
            found = end;
    }
    OPENSSL_cleanse(chain.digits, sizeof chain.digits);
    return found;
}

size_t card_match(const char *text, size_t len, size_t at, size_t *skip)
{
    if (count_chain(text, len, at, skip) < DIGITS_MIN)
        return 0;
    *skip = group_end(text, len, at);
    return match_chain(text, len, at, *skip);
}
