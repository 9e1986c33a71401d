#include "test_bundle.h"

#include <zip.h>

/* An archive of one entry "a/b" with this content, and of a second one "c/d" with "second". */
static void make_archive(struct buf *archive, const char *data, size_t len)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct archive_info info;
    test_whole_entry(section, "a/b", data, len);
    test_whole_entry(section, "c/d", "second", 6);
    test_archive(bundle, archive, &info);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void expect_refused(const struct buf *archive)
{
    struct reader *reader;
    struct fault fault;
    assert_int_equal(test_reader(&reader, archive, TEST_PASSPHRASE, &fault), -1);
    assert_string_equal(fault.code, "bad_archive");
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
    struct buf archive, plain;
    struct reader *reader;
    struct fault fault;
    make_archive(&archive, "content", 7);
    buf_init(&plain, 100);
    for (int i = 0; i < 20; i++) {
        char wrong[] = "wrong passphrase a";
        wrong[sizeof wrong - 2] = (char)('a' + i);
        assert_int_equal(test_reader(&reader, &archive, wrong, &fault), 0);
        assert_int_equal(reader_extract(reader, 0, test_collect, &plain, &fault), -1);
        assert_true(strcmp(fault.code, "wrong_passphrase") == 0 || strcmp(fault.code, "bad_archive") == 0);
        assert_int_equal(plain.len, 0);
        reader_free(reader);
    }
    buf_wipe(&archive);
    reader_free(NULL);
}

/* Reads all there is. Whatever is given out must be the truth: an entry's whole content, or nothing. */
static void read_damaged(const struct buf *archive, const char *first, size_t first_len)
{
    struct reader *reader;
    struct fault fault;
    if (test_reader(&reader, archive, TEST_PASSPHRASE, &fault))
        return;
    for (size_t i = 0; i < reader_n_entries(reader); i++) {
        struct buf plain;
        buf_init(&plain, 10000);
        if (reader_extract(reader, i, test_collect, &plain, &fault) == 0)
            assert_true((plain.len == first_len && memcmp(plain.data, first, first_len) == 0) ||
                        (plain.len == 6 && memcmp(plain.data, "second", 6) == 0));
        else
            assert_true(plain.len <= reader_bytes(reader, i));
        buf_wipe(&plain);
    }
    reader_free(reader);
}

static void each_changed_byte_is_noticed_or_harmless(void **state)
{
    static const char content[] = "one two three one two three one two three";
    struct buf archive;
    make_archive(&archive, content, sizeof content - 1);
    for (size_t i = 0; i < archive.len; i++) {
        static const unsigned char changes[] = {0x01, 0x80, 0xff};
        for (size_t k = 0; k < sizeof changes; k++) {
            archive.data[i] = (char)(archive.data[i] ^ changes[k]);
            read_damaged(&archive, content, sizeof content - 1);
            archive.data[i] = (char)(archive.data[i] ^ changes[k]);
        }
    }
    buf_wipe(&archive);
}

static void each_changed_byte_of_the_sealed_bytes_is_noticed(void **state)
{
    static const char content[] = "one two three one two three one two three";
    struct buf archive, plain;
    struct fault fault;
    make_archive(&archive, content, sizeof content - 1);
    const size_t header = 30 + 3 + 11;
    const size_t sealed = (unsigned char)archive.data[18];
    for (size_t i = header; i < header + sealed; i++) {
        struct reader *reader;
        archive.data[i] ^= 0x10;
        buf_init(&plain, 100);
        assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
        assert_int_equal(reader_extract(reader, 0, test_collect, &plain, &fault), -1);
        /* of the salt and the verifier, the verifier tells; of the rest, the tag */
        if (i >= header + 18)
            assert_string_equal(fault.code, "bad_archive");
        assert_int_equal(plain.len, 0);
        reader_free(reader);
        archive.data[i] ^= 0x10;
    }
    buf_wipe(&archive);
}

static void an_archive_that_was_cut_is_refused(void **state)
{
    struct buf archive;
    make_archive(&archive, "content", 7);
    for (size_t len = archive.len; len-- > 0;) {
        struct buf cut = {.data = archive.data, .len = len};
        expect_refused(&cut);
    }
    buf_wipe(&archive);
}

static void nothing_is_given_out_before_all_is_authenticated(void **state)
{
    char *noise = test_noise(500000, 1);
    struct buf archive, plain;
    struct reader *reader;
    struct fault fault;
    make_archive(&archive, noise, 500000);
    archive.data[500100] ^= 1; /* near the end of the first entry */
    buf_init(&plain, 600000);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_extract(reader, 0, test_collect, &plain, &fault), -1);
    assert_string_equal(fault.code, "bad_archive");
    assert_int_equal(plain.len, 0);
    test_holds(reader, "c/d", "second", 6);
    reader_free(reader);
    buf_wipe(&archive);
    free(noise);
}

/* Replaces each occurrence, in the local header and in the directory. */
static void replace_all(struct buf *archive, const char *from, const char *to)
{
    size_t len = strlen(from);
    char *at = archive->data;
    assert_int_equal(strlen(to), len);
    while ((at = memmem(at, archive->len - (size_t)(at - archive->data), from, len))) {
        memcpy(at, to, len);
        at += len;
    }
}

static void names_that_no_bundle_has_are_refused(void **state)
{
    static const char *const names[] = {"../",  "/ab", "a\\b",      "a//",    "..x/..",
                                        "a\nb", "c:b", "\xc3\xa9z", "a\x1b[", "./a"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[4] = "";
        struct buf archive;
        memcpy(name, names[i], 3);
        make_archive(&archive, "x", 1);
        replace_all(&archive, "a/b", strcmp(name, "..x") == 0 ? "a/." : name);
        expect_refused(&archive);
        buf_wipe(&archive);
    }
}

static void a_name_that_is_twice_is_refused(void **state)
{
    struct buf archive;
    make_archive(&archive, "x", 1);
    replace_all(&archive, "c/d", "a/b");
    expect_refused(&archive);
    buf_wipe(&archive);
}

static void set_sizes(struct buf *archive, unsigned char bytes)
{
    char *central = memmem(archive->data, archive->len, "PK\1\2", 4);
    assert_non_null(central);
    archive->data[22] = (char)bytes;
    central[24] = (char)bytes;
}

static void a_plain_size_that_is_wrong_is_noticed(void **state)
{
    static const unsigned char wrong[] = {0, 1, 99, 101, 255};
    char *text = test_text(100, 1);
    struct buf archive, plain;
    struct reader *reader;
    struct fault fault;
    make_archive(&archive, text, 100);
    for (size_t i = 0; i < sizeof wrong; i++) {
        set_sizes(&archive, wrong[i]);
        buf_init(&plain, 1000);
        assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
        assert_int_equal(reader_bytes(reader, 0), wrong[i]);
        assert_int_equal(reader_extract(reader, 0, test_collect, &plain, &fault), -1);
        assert_string_equal(fault.code, "bad_archive");
        assert_true(plain.len <= wrong[i] || wrong[i] > 100);
        buf_wipe(&plain);
        reader_free(reader);
    }
    set_sizes(&archive, 100);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    test_holds(reader, "a/b", text, 100);
    reader_free(reader);
    buf_wipe(&archive);
    free(text);
}

static int refuse_second(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return ++*(int *)ctx == 2 ? fault_retry(fault, "no_room", "no room") : 0;
}

static void the_takers_fault_ends_the_extraction(void **state)
{
    char *noise = test_noise(500000, 1);
    struct buf archive;
    struct reader *reader;
    struct fault fault;
    int calls = 0;
    make_archive(&archive, noise, 500000);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_extract(reader, 0, refuse_second, &calls, &fault), -1);
    assert_string_equal(fault.code, "no_room");
    assert_int_equal(calls, 2);
    test_holds(reader, "a/b", noise, 500000); /* and the reader goes on */
    reader_free(reader);
    buf_wipe(&archive);
    free(noise);
}

static void what_is_no_zip_is_refused(void **state)
{
    static const char *const texts[] = {"", "x", "PK\3\4", "PK\5\6",
                                        "not a zip at all, but a text of some length"};
    struct reader *reader;
    struct fault fault;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[100];
        struct buf archive = {.data = text, .len = strlen(texts[i])};
        strcpy(text, texts[i]);
        expect_refused(&archive);
    }
    assert_int_equal(reader_open(&reader, "/nonexistent.zip", TEST_PASSPHRASE, &fault), -1);
    assert_int_equal(reader_open(&reader, "/tmp", TEST_PASSPHRASE, &fault), -1);
}

static void what_is_not_sealed_is_refused(void **state)
{
    static const zip_uint16_t methods[] = {ZIP_EM_NONE, ZIP_EM_TRAD_PKWARE, ZIP_EM_AES_128};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        char path[] = "/tmp/test_reader_XXXXXX";
        int fd = mkstemp(path), code;
        assert_true(fd >= 0);
        close(fd);
        zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
        assert_non_null(zip);
        zip_source_t *source = zip_source_buffer(zip, "text text text text text text", 29, 0);
        assert_int_equal(zip_file_add(zip, "a", source, 0), 0);
        if (methods[i] != ZIP_EM_NONE)
            assert_int_equal(zip_file_set_encryption(zip, 0, methods[i], TEST_PASSPHRASE), 0);
        assert_int_equal(zip_close(zip), 0);
        struct reader *reader;
        struct fault fault;
        assert_int_equal(reader_open(&reader, path, TEST_PASSPHRASE, &fault), -1);
        assert_string_equal(fault.code, "bad_archive");
        unlink(path);
    }
}

static void an_archive_by_7zip_is_read(void **state)
{
    char path[1000], records[30000];
    struct reader *reader;
    struct fault fault;
    size_t len = 0;
    for (int i = 1; i <= 300; i++)
        len += (size_t)sprintf(
            records + len, "{\"id\":%d,\"total\":1.10,\"note\":\"line %d of an archive that 7-Zip made\"}\n",
            i, i);
    snprintf(path, sizeof path, "%.*s/../vectors/ae2/7zz.zip", (int)(strrchr(__FILE__, '/') - __FILE__),
             __FILE__);
    assert_int_equal(reader_open(&reader, path, "correct horse", &fault), 0);
    assert_int_equal(reader_n_entries(reader), 2);
    test_holds(reader, "records.json", records, len);
    test_holds(reader, "short.txt",
               "short text that repeats, short text that repeats, short text that repeats\n", 74);
    reader_free(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_passphrase_opens_nothing),
        cmocka_unit_test(each_changed_byte_is_noticed_or_harmless),
        cmocka_unit_test(each_changed_byte_of_the_sealed_bytes_is_noticed),
        cmocka_unit_test(an_archive_that_was_cut_is_refused),
        cmocka_unit_test(nothing_is_given_out_before_all_is_authenticated),
        cmocka_unit_test(names_that_no_bundle_has_are_refused),
        cmocka_unit_test(a_name_that_is_twice_is_refused),
        cmocka_unit_test(a_plain_size_that_is_wrong_is_noticed),
        cmocka_unit_test(the_takers_fault_ends_the_extraction),
        cmocka_unit_test(what_is_no_zip_is_refused),
        cmocka_unit_test(what_is_not_sealed_is_refused),
        cmocka_unit_test(an_archive_by_7zip_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
