#include "bundle/archive.h"
#include "test_bundle.h"

#include <time.h>

static unsigned u16(const char *at)
{
    return (unsigned char)at[0] | (unsigned)(unsigned char)at[1] << 8;
}

static uint32_t u32(const char *at)
{
    return u16(at) | (uint32_t)u16(at + 2) << 16;
}

/* Where the central directory begins. */
static const char *directory(const struct buf *archive)
{
    const char *end = archive->data + archive->len - 22;
    assert_memory_equal(end, "PK\5\6", 4);
    return archive->data + u32(end + 16);
}

static void headers_say_ae2_and_nothing_of_the_plain_bytes(void **state)
{
    static const char extra[] = "\x01\x99\x07\x00\x02\x00"
                                "AE\x03\x08\x00";
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    char *text = test_text(1000, 1);
    const struct entry_info *entry =
        entry_info(test_whole_entry(test_section(bundle), "a/b.json", text, 1000));
    struct buf archive;
    struct archive_info info;
    test_archive(bundle, &archive, &info);

    const char *local = archive.data;
    assert_memory_equal(local, "PK\3\4", 4);
    assert_int_equal(u16(local + 4), 51); /* version needed: AES */
    assert_int_equal(u16(local + 6), 1);  /* encrypted, no data descriptor */
    assert_int_equal(u16(local + 8), 99); /* method: WinZip AES */
    assert_int_equal(u32(local + 14), 0); /* no CRC */
    assert_int_equal(u32(local + 18), entry->sealed_bytes);
    assert_int_equal(u32(local + 22), 1000);
    assert_int_equal(u16(local + 26), 8);
    assert_memory_equal(local + 30, "a/b.json", 8);
    assert_int_equal(u16(local + 28), sizeof extra - 1);
    assert_memory_equal(local + 38, extra, sizeof extra - 1);

    const char *central = directory(&archive);
    assert_ptr_equal(central, local + 38 + sizeof extra - 1 + entry->sealed_bytes);
    assert_memory_equal(central, "PK\1\2", 4);
    assert_memory_equal(central + 6, local + 4, 26); /* the same, up to the extra field's length */
    assert_int_equal(u32(central + 38) >> 16, 0100600);
    assert_memory_equal(central + 54, extra, sizeof extra - 1);
    buf_wipe(&archive);
    free(text);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void expect_dos_time(int64_t mtime_unix_s, unsigned date, unsigned time)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    test_whole_entry(test_section(bundle), "a", "x", 1);
    struct buf archive;
    struct archive_info info;
    struct fault fault;
    const struct archive_sink sink = {.write = test_collect, .ctx = &archive};
    buf_init(&archive, 1000);
    assert_int_equal(bundle_write(bundle, mtime_unix_s, &sink, &info, &fault), 0);
    assert_int_equal(u16(archive.data + 10), time);
    assert_int_equal(u16(archive.data + 12), date);
    assert_int_equal(u16(directory(&archive) + 12), time);
    assert_int_equal(u16(directory(&archive) + 14), date);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void times_are_utc_wherever_the_worker_runs(void **state)
{
    static const char *const zones[] = {"UTC", "America/New_York", "Europe/Paris", "Asia/Kathmandu",
                                        "XYZ-13"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        setenv("TZ", zones[i], 1);
        tzset();
        expect_dos_time(TEST_MTIME, 46 << 9 | 11 << 5 | 23, 8 << 11);
        expect_dos_time(1784894399, 46 << 9 | 7 << 5 | 24, 11 << 11 | 59 << 5 | 29); /* in summer */
        expect_dos_time(-5, 1 << 5 | 1, 0);
        expect_dos_time(INT64_MAX, 127 << 9 | 12 << 5 | 31, 23 << 11 | 59 << 5 | 29);
    }
    unsetenv("TZ");
    tzset();
}

struct failing_sink {
    int writes_left;
    int n_after;
};

static int fail_at(void *ctx, const void *data, size_t len, struct fault *fault)
{
    struct failing_sink *sink = ctx;
    if (sink->writes_left < 0)
        sink->n_after++;
    return sink->writes_left-- > 0 ? 0 : fault_retry(fault, "store_full", "the store is full");
}

static void a_sinks_fault_is_the_archives_wherever_it_comes(void **state)
{
    char *noise = test_noise(150000, 1);
    int result = -1;
    int writes = 0;
    for (; result != 0; writes++) {
        struct seal_pool *pool = test_pool(1, 2);
        struct bundle *bundle = test_bundle(pool);
        struct section *section = test_section(bundle);
        struct failing_sink failing = {.writes_left = writes};
        const struct archive_sink sink = {.write = fail_at, .ctx = &failing};
        struct archive_info info;
        struct fault fault;
        test_whole_entry(section, "a", noise, 150000);
        test_whole_entry(section, "b", noise, 150000);
        result = bundle_write(bundle, TEST_MTIME, &sink, &info, &fault);
        if (result) {
            assert_string_equal(fault.code, "store_full");
            assert_true(fault.retryable);
            assert_int_equal(failing.n_after, 0);
        }
        bundle_free(bundle);
        seal_pool_free(pool);
    }
    assert_in_range(writes, 4, 20);
    free(noise);
}

static void a_bundle_is_written_once_and_when_all_has_ended(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct buf archive;
    const struct archive_sink sink = {.write = test_collect, .ctx = &archive};
    struct archive_info info;
    struct fault fault;
    buf_init(&archive, 10000);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), -1);
    struct entry *entry = test_entry(section, "a", NULL);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), -1);
    assert_non_null(strstr(fault.text, "a: the entry has not ended"));
    assert_int_equal(archive.len, 0);
    test_end(entry);
    assert_int_equal(entry_end(entry, &fault), -1);
    assert_int_equal(entry_write(entry, "x", 1, &fault), -1);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), 0);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), -1);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

/* A strand with a head, a terminator and a tag in it, sealed or not: the container does not care. */
static void write_members(const struct archive_member *members, size_t n_members, struct buf *archive)
{
    const struct archive_content content = {
        .members = members, .n_members = n_members, .mtime_unix_s = TEST_MTIME};
    const struct archive_sink sink = {.write = test_collect, .ctx = archive};
    struct archive_info info;
    struct fault fault;
    buf_init(archive, 64 << 20);
    assert_int_equal(archive_write(&content, &sink, &info, &fault), 0);
    assert_int_equal(info.bytes, archive->len);
}

static struct strand some_strand(struct spool **spool)
{
    struct strand strand;
    struct fault fault;
    assert_int_equal(spool_open(spool, "/tmp", &fault), 0);
    strand_init(&strand, *spool);
    assert_int_equal(strand_append(&strand, "0123456789012345678901234567890123456789", 40, &fault), 0);
    return strand;
}

static void entries_beyond_4_gib_have_zip64_sizes(void **state)
{
    static const uint64_t sizes[] = {0xfffffffe, 0x100000000, 5000000000};
    struct spool *spool;
    struct strand strand = some_strand(&spool);
    const struct archive_member members[] = {
        {.name = "a", .bytes = sizes[0], .sealed = &strand},
        {.name = "b", .bytes = sizes[1], .sealed = &strand},
        {.name = "c", .bytes = sizes[2], .sealed = &strand},
    };
    struct buf archive;
    struct reader *reader;
    struct fault fault;
    write_members(members, 3, &archive);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(reader_bytes(reader, i), sizes[i]);
    reader_free(reader);
    buf_wipe(&archive);
    strand_wipe(&strand);
    spool_close(spool);
}

static void a_size_that_libzip_writes_wrongly_is_refused(void **state)
{
    struct spool *spool;
    struct strand strand = some_strand(&spool), endless = {.spool = spool, .bytes = UINT32_MAX};
    const struct archive_member members[] = {
        {.name = "plain", .bytes = UINT32_MAX, .sealed = &strand},
        {.name = "sealed", .bytes = 1, .sealed = &endless},
    };
    for (size_t i = 0; i < 2; i++) {
        const struct archive_content content = {.members = &members[i], .n_members = 1};
        struct buf archive;
        const struct archive_sink sink = {.write = test_collect, .ctx = &archive};
        struct archive_info info;
        struct fault fault;
        buf_init(&archive, 1000);
        assert_int_equal(archive_write(&content, &sink, &info, &fault), -1);
        assert_string_equal(fault.code, "archive_failed");
        buf_wipe(&archive);
    }
    strand_wipe(&strand);
    spool_close(spool);
}

static void expect_count(unsigned n)
{
    struct spool *spool;
    struct strand strand = some_strand(&spool);
    struct archive_member *members = calloc(n, sizeof *members);
    char(*names)[8] = calloc(n, sizeof *names);
    assert_non_null(members);
    assert_non_null(names);
    for (unsigned i = 0; i < n; i++) {
        snprintf(names[i], sizeof *names, "e%u", i);
        members[i] = (struct archive_member){.name = names[i], .bytes = i, .sealed = &strand};
    }
    struct buf archive;
    struct reader *reader;
    struct fault fault;
    write_members(members, n, &archive);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), n);
    assert_string_equal(reader_name(reader, n - 1), names[n - 1]);
    assert_int_equal(reader_bytes(reader, n - 1), n - 1);
    reader_free(reader);
    buf_wipe(&archive);
    free(members);
    free(names);
    strand_wipe(&strand);
    spool_close(spool);
}

static void entries_round_65535_are_counted_right(void **state)
{
    for (unsigned n = 65534; n <= 65536; n++)
        expect_count(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_say_ae2_and_nothing_of_the_plain_bytes),
        cmocka_unit_test(times_are_utc_wherever_the_worker_runs),
        cmocka_unit_test(a_sinks_fault_is_the_archives_wherever_it_comes),
        cmocka_unit_test(a_bundle_is_written_once_and_when_all_has_ended),
        cmocka_unit_test(entries_beyond_4_gib_have_zip64_sizes),
        cmocka_unit_test(a_size_that_libzip_writes_wrongly_is_refused),
        cmocka_unit_test(entries_round_65535_are_counted_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
