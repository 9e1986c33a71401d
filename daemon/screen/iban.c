#include "screen/number.h"
#include "screen/text.h"

#define IBAN_LEN_MAX  34
#define COUNTRY(a, b) (((a) - 'A') * 26 + ((b) - 'A'))

/* The length of an IBAN by country: SWIFT's IBAN registry. */
static const unsigned char lengths[26 * 26] = {
    [COUNTRY('A', 'D')] = 24, [COUNTRY('A', 'E')] = 23, [COUNTRY('A', 'L')] = 28, [COUNTRY('A', 'O')] = 25,
    [COUNTRY('A', 'T')] = 20, [COUNTRY('A', 'Z')] = 28, [COUNTRY('B', 'A')] = 20, [COUNTRY('B', 'E')] = 16,
    [COUNTRY('B', 'F')] = 28, [COUNTRY('B', 'G')] = 22, [COUNTRY('B', 'H')] = 22, [COUNTRY('B', 'I')] = 27,
    [COUNTRY('B', 'J')] = 28, [COUNTRY('B', 'R')] = 29, [COUNTRY('B', 'Y')] = 28, [COUNTRY('C', 'F')] = 27,
    [COUNTRY('C', 'G')] = 27, [COUNTRY('C', 'H')] = 21, [COUNTRY('C', 'I')] = 28, [COUNTRY('C', 'M')] = 27,
    [COUNTRY('C', 'R')] = 22, [COUNTRY('C', 'V')] = 25, [COUNTRY('C', 'Y')] = 28, [COUNTRY('C', 'Z')] = 24,
    [COUNTRY('D', 'E')] = 22, [COUNTRY('D', 'J')] = 27, [COUNTRY('D', 'K')] = 18, [COUNTRY('D', 'O')] = 28,
    [COUNTRY('D', 'Z')] = 26, [COUNTRY('E', 'E')] = 20, [COUNTRY('E', 'G')] = 29, [COUNTRY('E', 'S')] = 24,
    [COUNTRY('F', 'I')] = 18, [COUNTRY('F', 'K')] = 18, [COUNTRY('F', 'O')] = 18, [COUNTRY('F', 'R')] = 27,
    [COUNTRY('G', 'A')] = 27, [COUNTRY('G', 'B')] = 22, [COUNTRY('G', 'E')] = 22, [COUNTRY('G', 'I')] = 23,
    [COUNTRY('G', 'L')] = 18, [COUNTRY('G', 'Q')] = 27, [COUNTRY('G', 'R')] = 27, [COUNTRY('G', 'T')] = 28,
    [COUNTRY('G', 'W')] = 25, [COUNTRY('H', 'N')] = 28, [COUNTRY('H', 'R')] = 21, [COUNTRY('H', 'U')] = 28,
    [COUNTRY('I', 'E')] = 22, [COUNTRY('I', 'L')] = 23, [COUNTRY('I', 'Q')] = 23, [COUNTRY('I', 'R')] = 26,
    [COUNTRY('I', 'S')] = 26, [COUNTRY('I', 'T')] = 27, [COUNTRY('J', 'O')] = 30, [COUNTRY('K', 'M')] = 27,
    [COUNTRY('K', 'W')] = 30, [COUNTRY('K', 'Z')] = 20, [COUNTRY('L', 'B')] = 28, [COUNTRY('L', 'C')] = 32,
    [COUNTRY('L', 'I')] = 21, [COUNTRY('L', 'T')] = 20, [COUNTRY('L', 'U')] = 20, [COUNTRY('L', 'V')] = 21,
    [COUNTRY('L', 'Y')] = 25, [COUNTRY('M', 'A')] = 28, [COUNTRY('M', 'C')] = 27, [COUNTRY('M', 'D')] = 24,
    [COUNTRY('M', 'E')] = 22, [COUNTRY('M', 'G')] = 27, [COUNTRY('M', 'K')] = 19, [COUNTRY('M', 'L')] = 28,
    [COUNTRY('M', 'N')] = 20, [COUNTRY('M', 'R')] = 27, [COUNTRY('M', 'T')] = 31, [COUNTRY('M', 'U')] = 30,
    [COUNTRY('M', 'Z')] = 25, [COUNTRY('N', 'E')] = 28, [COUNTRY('N', 'I')] = 28, [COUNTRY('N', 'L')] = 18,
    [COUNTRY('N', 'O')] = 15, [COUNTRY('O', 'M')] = 23, [COUNTRY('P', 'K')] = 24, [COUNTRY('P', 'L')] = 28,
    [COUNTRY('P', 'S')] = 29, [COUNTRY('P', 'T')] = 25, [COUNTRY('Q', 'A')] = 29, [COUNTRY('R', 'O')] = 24,
    [COUNTRY('R', 'S')] = 22, [COUNTRY('R', 'U')] = 33, [COUNTRY('S', 'A')] = 24, [COUNTRY('S', 'C')] = 31,
    [COUNTRY('S', 'D')] = 18, [COUNTRY('S', 'E')] = 24, [COUNTRY('S', 'I')] = 19, [COUNTRY('S', 'K')] = 24,
    [COUNTRY('S', 'M')] = 27, [COUNTRY('S', 'N')] = 28, [COUNTRY('S', 'O')] = 23, [COUNTRY('S', 'T')] = 25,
    [COUNTRY('S', 'V')] = 28, [COUNTRY('T', 'D')] = 27, [COUNTRY('T', 'G')] = 28, [COUNTRY('T', 'L')] = 23,
    [COUNTRY('T', 'N')] = 24, [COUNTRY('T', 'R')] = 26, [COUNTRY('U', 'A')] = 29, [COUNTRY('V', 'A')] = 22,
    [COUNTRY('V', 'G')] = 24, [COUNTRY('X', 'K')] = 20, [COUNTRY('Y', 'E')] = 30,
};

static bool is_word(char c)
{
    return text_is_letter(c) || text_is_digit(c);
}

static char upper(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - ('a' - 'A'));
    return c;
}

static unsigned add_mod_97(unsigned rest, char c)
{
    if (text_is_digit(c))
        return (rest * 10 + (unsigned)(c - '0')) % 97;
    return (rest * 100 + (unsigned)(upper(c) - 'A') + 10) % 97;
}

/* Whether a word ends right before `start`, other than the word "IBAN". */
static bool adjoins_word(const char *text, size_t start)
{
    if (start == 0 || !is_word(text[start - 1]))
        return false;
    if (start < 4 || (start > 4 && is_word(text[start - 5])))
        return true;
    for (size_t i = 0; i < 4; i++)
        if (text_lower(text[start - 4 + i]) != "iban"[i])
            return true;
    return false;
}

size_t iban_match(const char *text, size_t len, size_t at)
{
    if (at < 2 || len - at < 2 || !text_is_letter(text[at - 1]) || !text_is_letter(text[at - 2]) ||
        !text_is_digit(text[at + 1]))
        return 0;
    char country[] = {upper(text[at - 2]), upper(text[at - 1])};
    size_t length = lengths[COUNTRY(country[0], country[1])];
    if (length == 0 || adjoins_word(text, at - 2))
        return 0;
    unsigned rest = 0;
    size_t p = at + 2;
    for (size_t n = 4; n < length; n++) {
        p += number_separator(text, len, p);
        if (p == len || !is_word(text[p]))
            return 0;
        rest = add_mod_97(rest, text[p++]);
    }
    if (p < len && is_word(text[p]))
        return 0;
    rest = add_mod_97(add_mod_97(rest, country[0]), country[1]);
    rest = add_mod_97(add_mod_97(rest, text[at]), text[at + 1]);
    return rest == 1 ? p : 0;
}
