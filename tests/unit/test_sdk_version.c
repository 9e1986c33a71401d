#include "../../connectors/sdk/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_looks_like_a_version_is_one(void **state)
{
    static const char *const good[] = {"8", "8.13.1", "3.3.10-RC1", "11.126.0.11",
                                       "1:10.11.14-0+deb12u2~bpo"};
    static const char *const bad[] = {
        "", "v8", "alice@example.test", "8.1 for Alice", "8.1\n", "-1", "8/1", "8\"1", "Alice"};
    char longest[VERSION_MAX + 2];
    memset(longest, '1', sizeof longest);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(version_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(version_is_valid(bad[i], strlen(bad[i])));
    assert_true(version_is_valid(longest, VERSION_MAX));
    assert_false(version_is_valid(longest, VERSION_MAX + 1));
    assert_false(version_is_valid("8\0.1", 4));
}

static void later_versions_have_larger_numbers(void **state)
{
    static const struct {
        const char *version, *least;
        bool holds;
    } cases[] = {
        {"3.10", "3.9", true},        {"3.9", "3.10", false},     {"3", "3.0", true},
        {"3", "3.1", false},          {"3.3.10", "3.3", true},    {"4", "3.9.9", true},
        {"8.0-release.1", "8", true}, {"8.0-rc", "8.0.1", false}, {"2.99.99", "3", false},
        {"10.0", "9.9", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (version_is_at_least(cases[i].version, cases[i].least) != cases[i].holds)
            fail_msg("%s, %s", cases[i].version, cases[i].least);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_looks_like_a_version_is_one),
        cmocka_unit_test(later_versions_have_larger_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
