#include "test_bundle.h"

static void names_are_safe_and_single(void **state)
{
    static const char *const bad[] = {"",     "/a",       "a/",    "a//b", "../a",  "a/../b",
                                      "a/..", ".",        "./a",   "a\\b", "a b",   "a\nb",
                                      "c:/a", "\xc3\xa9", "a/./b", "..",   "a\x7f", "~/a?"};
    static const char *const good[] = {"a", "a/b.json", "...", "a/..b", ".a", "A-Z_0.9/x", "b..c/d"};
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    struct section *one = test_section(bundle);
    struct entry *entry;
    struct fault fault;
    char name[BUNDLE_ENTRY_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(entry_open(&entry, one, bad[i], NULL, &fault), -1);
        assert_string_equal(fault.code, "bad_name");
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        test_entry(one, good[i], NULL);
        assert_int_equal(entry_open(&entry, one, good[i], NULL, &fault), -1);
        assert_string_equal(fault.code, "duplicate_name");
    }
    memset(name, 'n', sizeof name);
    name[BUNDLE_ENTRY_NAME_MAX + 1] = '\0';
    assert_int_equal(entry_open(&entry, one, name, NULL, &fault), -1);
    assert_string_equal(fault.code, "bad_name");
    name[BUNDLE_ENTRY_NAME_MAX] = '\0';
    test_entry(one, name, NULL);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void two_sections_may_hold_the_same_names_until_one_is_dropped(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    struct section *first = test_section(bundle), *second = test_section(bundle);
    test_whole_entry(first, "shop/orders.json", "first", 5);
    test_whole_entry(second, "shop/orders.json", "second", 6);
    section_drop(first);
    struct section *third = test_section(bundle);
    test_whole_entry(third, "shop/orders.json", "third", 5);
    section_drop(third);
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), 1);
    test_holds(reader, "shop/orders.json", "second", 6);
    reader_free(reader);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void no_archive_has_a_name_twice(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    struct buf archive;
    struct archive_info info;
    struct fault fault;
    const struct archive_sink sink = {.write = test_collect, .ctx = &archive};
    buf_init(&archive, (size_t)1 << 20);
    for (int i = 0; i < 2; i++)
        test_whole_entry(test_section(bundle), "shop/orders.json", "x", 1);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), -1);
    assert_string_equal(fault.code, "archive_failed");
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void the_number_of_entries_has_a_limit(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    const struct bundle_options options = {
        .pool = pool, .spool_dir = "/tmp", .passphrase = TEST_PASSPHRASE, .entries_max = 2};
    struct bundle *bundle;
    struct entry *entry;
    struct fault fault;
    assert_int_equal(bundle_open(&bundle, &options, &fault), 0);
    struct section *section = test_section(bundle);
    entry = test_entry(section, "a", NULL);
    test_entry(section, "b", NULL);
    struct entry *third;
    assert_int_equal(entry_open(&third, section, "c", NULL, &fault), -1);
    assert_string_equal(fault.code, "too_many_entries");
    entry_drop(entry);
    test_entry(section, "c", NULL);
    bundle_free(bundle);
    seal_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_safe_and_single),
        cmocka_unit_test(two_sections_may_hold_the_same_names_until_one_is_dropped),
        cmocka_unit_test(no_archive_has_a_name_twice),
        cmocka_unit_test(the_number_of_entries_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
