#include "bundle/spool.h"
#include "test_bundle.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

static void expect_strand(const struct strand *strand, const char *expected, size_t len)
{
    struct strand_cursor cursor = {0};
    struct fault fault;
    char piece[1000];
    size_t at = 0, got;
    do {
        assert_int_equal(strand_read(strand, &cursor, piece, sizeof piece, &got, &fault), 0);
        assert_true(got <= len - at);
        assert_memory_equal(piece, expected + at, got);
        at += got;
    } while (got > 0);
    assert_int_equal(at, len);
}

static void strands_that_are_interleaved_have_few_runs(void **state)
{
    enum { N = 3, BYTES = 600000 };
    struct spool *spool;
    struct strand strands[N];
    char *data[N];
    struct fault fault;
    assert_int_equal(spool_open(&spool, "/tmp", &fault), 0);
    for (unsigned i = 0; i < N; i++) {
        strand_init(&strands[i], spool);
        data[i] = test_noise(BYTES, i);
    }
    for (size_t at = 0, step = 1; at < BYTES; at += step, step = step * 7 % 97 + 1)
        for (size_t i = 0; i < N; i++)
            assert_int_equal(
                strand_append(&strands[i], data[i] + at, step < BYTES - at ? step : BYTES - at, &fault), 0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(strands[i].bytes, BYTES);
        assert_in_range(strands[i].n_runs, 1, 25);
        expect_strand(&strands[i], data[i], BYTES);
        strand_wipe(&strands[i]);
        free(data[i]);
    }
    spool_close(spool);
    spool_close(NULL);
}

static void a_strand_alone_is_one_run(void **state)
{
    struct spool *spool;
    struct strand strand;
    struct fault fault;
    char *data = test_noise(3000000, 1);
    assert_int_equal(spool_open(&spool, "/tmp", &fault), 0);
    strand_init(&strand, spool);
    for (size_t at = 0; at < 3000000; at += 100000)
        assert_int_equal(strand_append(&strand, data + at, 100000, &fault), 0);
    assert_int_equal(strand.n_runs, 1);
    expect_strand(&strand, data, 3000000);
    strand_wipe(&strand);
    spool_close(spool);
    free(data);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct spool *spool;
    struct fault fault;
    assert_int_equal(spool_open(&spool, "/nonexistent/folder", &fault), -1);
    assert_string_equal(fault.code, "spool_failed");
    assert_true(fault.retryable);
    assert_non_null(strstr(fault.text, "/nonexistent/folder"));
}

/* The descriptor of the newest spool: an unlinked regular file in /tmp. */
static int spool_descriptor(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    struct dirent *item;
    int found = -1;
    while ((item = readdir(dir))) {
        char path[300], target[300];
        snprintf(path, sizeof path, "/proc/self/fd/%s", item->d_name);
        ssize_t len = readlink(path, target, sizeof target - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        if (strncmp(target, "/tmp/", 5) == 0 && strstr(target, "(deleted)"))
            found = atoi(item->d_name);
    }
    closedir(dir);
    assert_true(found >= 0);
    return found;
}

static void the_spool_holds_ciphertext_only(void **state)
{
    static const char canary[] = "alice@example.test";
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    int fd = spool_descriptor();
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 0);

    /* between noise, so that deflate would store it as it is */
    char *noise = test_noise(100000, 9);
    struct entry *entry = test_entry(section, "noise", NULL);
    for (size_t at = 0; at < 100000; at += 1000) {
        test_write(entry, noise + at, 1000, 1000);
        test_write(entry, canary, sizeof canary - 1, 100);
    }
    test_end(entry);
    test_whole_entry(section, "alone", canary, sizeof canary - 1);

    assert_int_equal(fstat(fd, &st), 0);
    assert_in_range(st.st_size, 100000, 300000);
    char *content = malloc((size_t)st.st_size);
    assert_non_null(content);
    assert_int_equal(pread(fd, content, (size_t)st.st_size, 0), st.st_size);
    assert_null(memmem(content, (size_t)st.st_size, canary, 6));
    for (size_t at = 0; at < 100000; at += 1000)
        assert_null(memmem(content, (size_t)st.st_size, noise + at, 16));
    free(content);
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_fails_the_entry_and_not_the_pool(void **state)
{
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct entry *entry = test_entry(section, "large", NULL);
    char *noise = test_noise(TEST_BLOCK, 1);
    struct fault fault = {.code = ""};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    limit_file_size(20000); /* in the middle of a block: a short write first, then an error */
    int result = 0;
    for (int i = 0; i < 50 && result == 0; i++)
        result = entry_write(entry, noise, TEST_BLOCK, &fault);
    if (result == 0)
        result = entry_end(entry, &fault);
    assert_int_equal(result, -1);
    assert_string_equal(fault.code, "spool_failed");
    assert_true(fault.retryable);
    struct entry *none;
    assert_int_equal(entry_open(&none, section, "none", NULL, &fault), -1);
    assert_string_equal(fault.code, "spool_failed");
    section_drop(section);

    limit_file_size(before.rlim_cur);
    signal(SIGXFSZ, handler);
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    test_whole_entry(test_section(bundle), "large", noise, TEST_BLOCK);
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), 1);
    test_holds(reader, "large", noise, TEST_BLOCK);
    reader_free(reader);
    buf_wipe(&archive);
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void the_last_byte_that_does_not_fit_fails_the_entry(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    char *noise = test_noise(5000, 1);
    const struct entry_info *info = entry_info(test_whole_entry(test_section(bundle), "fits", noise, 5000));
    struct entry *entry = test_entry(test_section(bundle), "does-not", NULL);
    struct fault fault;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    limit_file_size(info->sealed_bytes - 1);
    test_write(entry, noise, 5000, 1000);
    int result = entry_end(entry, &fault);
    limit_file_size(before.rlim_cur);
    signal(SIGXFSZ, handler);
    assert_int_equal(result, -1);
    assert_string_equal(fault.code, "spool_failed");
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void a_spool_that_was_cut_fails_the_archive(void **state)
{
    /* in the first entry's middle, at its end, in the second's middle, before its last byte */
    static const off_t cuts[] = {0, 10, 5000, 99999, 100041, 150000, -1};
    char *noise = test_noise(100000, 1);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct seal_pool *pool = test_pool(1, 2);
        struct bundle *bundle = test_bundle(pool);
        struct section *section = test_section(bundle);
        int fd = spool_descriptor();
        test_whole_entry(section, "first", noise, 100000);
        test_whole_entry(section, "second", noise, 100000);
        struct stat st;
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(ftruncate(fd, cuts[i] < 0 ? st.st_size + cuts[i] : cuts[i]), 0);

        struct buf archive;
        struct archive_info info;
        struct fault fault;
        const struct archive_sink sink = {.write = test_collect, .ctx = &archive};
        buf_init(&archive, 1 << 20);
        assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, &info, &fault), -1);
        assert_string_equal(fault.code, "spool_failed");
        buf_wipe(&archive);
        bundle_free(bundle);
        seal_pool_free(pool);
    }
    free(noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strands_that_are_interleaved_have_few_runs),
        cmocka_unit_test(a_strand_alone_is_one_run),
        cmocka_unit_test(a_folder_that_is_not_there_is_told),
        cmocka_unit_test(the_spool_holds_ciphertext_only),
        cmocka_unit_test(a_full_disk_fails_the_entry_and_not_the_pool),
        cmocka_unit_test(the_last_byte_that_does_not_fit_fails_the_entry),
        cmocka_unit_test(a_spool_that_was_cut_fails_the_archive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
