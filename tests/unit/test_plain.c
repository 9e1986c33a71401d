#include "base/plain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What nobody sees: of each range the first and the last. */
static const char *const blanks[] = {
    " ",      "\u00a0", "\u00ad",     "\u061c",     "\u115f",     "\u1160",    "\u1680", "\u17b4",
    "\u17b5", "\u180e", "\u2000",     "\u200b",     "\u200f",     "\u202f",    "\u205f", "\u2060",
    "\u2064", "\u206a", "\u206f",     "\u2800",     "\u3000",     "\u3164",    "\ufeff", "\uffa0",
    "\ufff0", "\ufff8", "\U0001bca0", "\U0001bca3", "\U0001d173", "\U0001d17a"};
/* What belongs to the character before it. */
static const char *const modifiers[] = {"\u034f", "\u180b", "\u180d",     "\u180f",
                                        "\ufe00", "\ufe0f", "\U000e0000", "\U000e0fff"};
/* What no text may hold. */
static const char *const never[] = {"\x01",   "\t",       "\n",       "\r",       "\x1f",
                                    "\x7f",   "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\u2028",
                                    "\u2029", "\u202a",   "\u202e",   "\u2066",   "\u2069"};
/* What is no UTF-8. */
static const char *const broken[] = {
    "\x80",         "\xc3",         "\xe2\x82",         "\xf0\x9f\x98",     "\xc0\xaf", "\xe0\x80\xa0",
    "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum shape { ALONE, BEFORE, BEHIND, BETWEEN, TWICE };

/* `piece` alone, or about the letters a and b. */
static bool is_plain(const char *piece, enum shape shape)
{
    static const char *const before[] = {"", "", "a", "a", ""}, *const behind[] = {"", "a", "", "b", ""};
    char text[32];
    int len = snprintf(text, sizeof text, "%s%s%s%s", before[shape], piece, shape == TWICE ? piece : "",
                       behind[shape]);
    return plain_is(text, (size_t)len);
}

static void words_of_people_are_plain(void **state)
{
    (void)state;
    static const char *const words[] = {"a",
                                        "4711",
                                        "a b",
                                        "é",
                                        "Ångström",
                                        "李",
                                        "😀",
                                        "❤\ufe0f",
                                        "\U0001f469\u200d\U0001f4bb",
                                        "نامه\u200cای",
                                        "a\u00adb",
                                        "x\u200eש"};
    for (size_t i = 0; i < COUNT(words); i++)
        if (!plain_is(words[i], strlen(words[i])) || plain_is_blank(words[i], strlen(words[i])))
            fail_msg("refused: %zu", i);
}

static void what_is_not_seen_stands_at_no_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(blanks); i++)
        if (is_plain(blanks[i], ALONE) || is_plain(blanks[i], TWICE) || is_plain(blanks[i], BEFORE) ||
            is_plain(blanks[i], BEHIND) || !is_plain(blanks[i], BETWEEN))
            fail_msg("blank %zu", i);
    for (size_t i = 0; i < COUNT(modifiers); i++)
        if (is_plain(modifiers[i], ALONE) || is_plain(modifiers[i], TWICE) ||
            is_plain(modifiers[i], BEFORE) || !is_plain(modifiers[i], BEHIND) ||
            !is_plain(modifiers[i], BETWEEN))
            fail_msg("modifier %zu", i);
    assert_false(plain_is("a \ufe0f", strlen("a \ufe0f")));
    assert_false(plain_is("", 0));
}

static void controls_and_turns_stand_nowhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(never); i++)
        for (enum shape shape = ALONE; shape <= TWICE; shape++)
            if (is_plain(never[i], shape))
                fail_msg("%zu, shape %d", i, (int)shape);
    assert_false(plain_is("a\0b", 3));
}

static void what_is_no_utf8_is_not_plain(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        for (enum shape shape = ALONE; shape <= TWICE; shape++)
            if (is_plain(broken[i], shape))
                fail_msg("%zu, shape %d", i, (int)shape);
        assert_false(plain_is_blank(broken[i], strlen(broken[i])));
    }
    /* cut off within a character */
    assert_false(plain_is("a€", 3));
}

static void blank_is_what_shows_nothing(void **state)
{
    (void)state;
    assert_true(plain_is_blank("", 0));
    assert_true(plain_is_blank("x", 0));
    for (size_t i = 0; i < COUNT(blanks); i++) {
        char text[32];
        assert_true(plain_is_blank(blanks[i], strlen(blanks[i])));
        assert_true(plain_is_blank(text, (size_t)snprintf(text, sizeof text, "\t%s \ufe0f\n", blanks[i])));
        assert_false(plain_is_blank(text, (size_t)snprintf(text, sizeof text, " %sx", blanks[i])));
    }
    for (size_t i = 0; i < COUNT(modifiers); i++)
        assert_true(plain_is_blank(modifiers[i], strlen(modifiers[i])));
    assert_false(plain_is_blank("\0", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_people_are_plain),
        cmocka_unit_test(what_is_not_seen_stands_at_no_end),
        cmocka_unit_test(controls_and_turns_stand_nowhere),
        cmocka_unit_test(what_is_no_utf8_is_not_plain),
        cmocka_unit_test(blank_is_what_shows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
