#include "test_bundle.h"

#include <openssl/evp.h>

static void sizes_round_every_edge_come_back(void **state)
{
    static const size_t sizes[] = {
        0,     1,     15,    16,    17, 999, 1000, 1001, TEST_BLOCK - 1, TEST_BLOCK, TEST_BLOCK + 1,
        65535, 65536, 70001, 300000};
    enum { N = sizeof sizes / sizeof *sizes };
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    char *text = test_text(300000, 7), *noise = test_noise(300000, 7);
    char name[2][N][16];
    for (size_t i = 0; i < N; i++) {
        snprintf(name[0][i], sizeof name[0][i], "text/%zu", i);
        snprintf(name[1][i], sizeof name[1][i], "noise/%zu", i);
        test_whole_entry(section, name[0][i], text, sizes[i]);
        test_whole_entry(section, name[1][i], noise, sizes[i]);
    }
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), 2 * N);
    for (size_t i = 0; i < N; i++) {
        test_holds(reader, name[0][i], text, sizes[i]);
        test_holds(reader, name[1][i], noise, sizes[i]);
    }
    reader_free(reader);
    buf_wipe(&archive);
    free(text);
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void an_entry_knows_its_sizes_and_its_digest(void **state)
{
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    char *text = test_text(100000, 1);
    unsigned char sha256[32];
    const struct entry_info *info = entry_info(test_whole_entry(section, "a", text, 100000));
    assert_int_equal(EVP_Digest(text, 100000, sha256, NULL, EVP_sha256(), NULL), 1);
    assert_string_equal(info->name, "a");
    assert_int_equal(info->bytes, 100000);
    assert_in_range(info->sealed_bytes, 1000, 50000);
    assert_memory_equal(info->sha256, sha256, sizeof sha256);

    info = entry_info(test_whole_entry(section, "empty", "", 0));
    assert_int_equal(EVP_Digest("", 0, sha256, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(info->bytes, 0);
    assert_int_equal(info->sealed_bytes, 16 + 2 + 2 + 10);
    assert_memory_equal(info->sha256, sha256, sizeof sha256);
    free(text);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void the_archives_digest_is_that_of_its_bytes(void **state)
{
    struct seal_pool *pool = test_pool(1, 2);
    struct bundle *bundle = test_bundle(pool);
    char *noise = test_noise(200000, 1);
    test_whole_entry(test_section(bundle), "a", noise, 200000);
    struct buf archive;
    struct archive_info info;
    unsigned char sha256[32];
    test_archive(bundle, &archive, &info);
    assert_int_equal(EVP_Digest(archive.data, archive.len, sha256, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(info.sha256, sha256, sizeof sha256);
    buf_wipe(&archive);
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void entries_of_a_section_may_be_written_by_turns(void **state)
{
    enum { N = 4, BYTES = 40000 };
    struct seal_pool *pool = test_pool(2, 3);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct entry *entries[N];
    char *texts[N], name[N][8];
    for (unsigned i = 0; i < N; i++) {
        snprintf(name[i], sizeof name[i], "e%u", i);
        entries[i] = test_entry(section, name[i], NULL);
        texts[i] = test_text(BYTES, i);
    }
    for (size_t at = 0; at < BYTES; at += 200)
        for (size_t i = 0; i < N; i++)
            test_write(entries[i], texts[i] + at, 200, 200);
    for (size_t i = N; i-- > 0;)
        test_end(entries[i]);
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    for (size_t i = 0; i < N; i++) {
        test_holds(reader, name[i], texts[i], BYTES);
        free(texts[i]);
    }
    reader_free(reader);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static int triple(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                  size_t *out_len, struct fault *fault)
{
    if (out_cap < 3 * len || out_cap < 4096)
        return fault_set(fault, "no_room", "%zu", out_cap);
    for (size_t i = 0; i < len; i++)
        memset(out + 3 * i, data[i], 3);
    *out_len = 3 * len;
    return 0;
}

static int nothing(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                   size_t *out_len, struct fault *fault)
{
    *out_len = 0;
    return 0;
}

static void a_filter_decides_what_leaves(void **state)
{
    const struct entry_filter filters[] = {{.apply = triple}, {.apply = nothing}};
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    char *noise = test_noise(50000, 3), *tripled = malloc(150000);
    assert_non_null(tripled);
    for (size_t i = 0; i < 50000; i++)
        memset(tripled + 3 * i, noise[i], 3);
    struct entry *entry = test_entry(section, "tripled", &filters[0]);
    test_write(entry, noise, 50000, TEST_BLOCK);
    test_end(entry);
    assert_int_equal(entry_info(entry)->bytes, 150000);
    entry = test_entry(section, "nothing", &filters[1]);
    test_write(entry, noise, 50000, TEST_BLOCK);
    test_end(entry);
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    test_holds(reader, "tripled", tripled, 150000);
    test_holds(reader, "nothing", "", 0);
    reader_free(reader);
    buf_wipe(&archive);
    free(noise);
    free(tripled);
    bundle_free(bundle);
    seal_pool_free(pool);
}

/* Records are 'N' bytes that begin with '<' and end with '>': one that was torn shows. */
static int whole_records(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                         size_t *out_len, struct fault *fault)
{
    if (len && (data[0] != '<' || data[len - 1] != '>'))
        return fault_set(fault, "torn", "a record was torn");
    memcpy(out, data, len);
    *out_len = len;
    return 0;
}

static void what_is_written_at_once_reaches_the_filter_in_one_piece(void **state)
{
    const struct entry_filter filter = {.apply = whole_records};
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct entry *entry = test_entry(section, "a", &filter);
    char record[TEST_BLOCK + 1];
    struct fault fault;
    for (size_t len = 2; len <= TEST_BLOCK; len += 61) {
        memset(record, '.', len);
        record[0] = '<';
        record[len - 1] = '>';
        test_write(entry, record, len, len);
    }
    memset(record, '.', TEST_BLOCK);
    record[0] = '<';
    record[TEST_BLOCK - 1] = '>';
    test_write(entry, record, TEST_BLOCK, TEST_BLOCK);
    assert_int_equal(entry_write(entry, record, TEST_BLOCK + 1, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    assert_int_equal(entry_write(entry, "", 0, &fault), 0);
    test_end(entry);
    bundle_free(bundle);
    seal_pool_free(pool);
}

/* "[" before the first bytes, "]" behind the last ones, as a JSON array wants it. */
static int bracket(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                   size_t *out_len, struct fault *fault)
{
    size_t at = 0;
    if (where & ENTRY_FIRST)
        out[at++] = '[';
    memcpy(out + at, data, len);
    at += len;
    if (where & ENTRY_LAST)
        out[at++] = ']';
    *out_len = at;
    return 0;
}

static void a_filter_is_told_where_its_entry_begins_and_ends(void **state)
{
    static const size_t sizes[] = {0, 1, TEST_BLOCK - 1, TEST_BLOCK, TEST_BLOCK + 1, 10 * TEST_BLOCK};
    enum { N = sizeof sizes / sizeof *sizes };
    const struct entry_filter filter = {.apply = bracket};
    struct seal_pool *pool = test_pool(2, 3);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct entry *entries[N];
    char *text = test_text(10 * TEST_BLOCK, 1), *expected = malloc(10 * TEST_BLOCK + 2);
    char name[N][8];
    assert_non_null(expected);
    for (size_t i = 0; i < N; i++) {
        snprintf(name[i], sizeof name[i], "e%zu", i);
        entries[i] = test_entry(section, name[i], &filter);
    }
    for (size_t at = 0; at < 10 * TEST_BLOCK; at += TEST_BLOCK)
        for (size_t i = 0; i < N; i++)
            if (at < sizes[i])
                test_write(entries[i], text + at, sizes[i] - at < TEST_BLOCK ? sizes[i] - at : TEST_BLOCK,
                           TEST_BLOCK);
    for (size_t i = 0; i < N; i++)
        test_end(entries[i]);
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    for (size_t i = 0; i < N; i++) {
        expected[0] = '[';
        memcpy(expected + 1, text, sizes[i]);
        expected[sizes[i] + 1] = ']';
        test_holds(reader, name[i], expected, sizes[i] + 2);
    }
    reader_free(reader);
    buf_wipe(&archive);
    free(text);
    free(expected);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static int refuse_x(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                    size_t *out_len, struct fault *fault)
{
    if (memchr(data, 'x', len))
        return fault_set(fault, "bad_record", "record 3: not JSON");
    memcpy(out, data, len);
    *out_len = len;
    return 0;
}

static void a_filters_fault_ends_its_entry_only(void **state)
{
    const struct entry_filter filter = {.apply = refuse_x};
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    struct entry *bad = test_entry(section, "bad", &filter), *good = test_entry(section, "good", &filter);
    char block[TEST_BLOCK];
    struct fault fault = {.code = ""};
    int result = 0;
    memset(block, '.', sizeof block);
    for (int i = 0; i < 100; i++) {
        block[17] = i == 3 ? 'x' : '.';
        result = result ? result : entry_write(bad, block, sizeof block, &fault);
        block[17] = '.';
        test_write(good, block, sizeof block, sizeof block);
    }
    if (result == 0)
        result = entry_end(bad, &fault);
    assert_int_equal(result, -1);
    assert_string_equal(fault.code, "bad_record");
    assert_string_equal(fault.text, "record 3: not JSON");
    /* and it stays failed */
    assert_int_equal(entry_end(bad, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    assert_int_equal(entry_write(bad, block, 1, &fault), -1);
    assert_string_equal(fault.code, "bad_record");
    entry_drop(bad);
    test_end(good);
    assert_int_equal(entry_info(good)->bytes, 100 * TEST_BLOCK);
    test_whole_entry(section, "bad", "again", 5);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void expect_absent(const struct buf *archive, const char *text)
{
    assert_null(memmem(archive->data, archive->len, text, strlen(text)));
}

static void what_is_dropped_leaves_no_trace(void **state)
{
    struct seal_pool *pool = test_pool(2, 5);
    struct bundle *bundle = test_bundle(pool);
    struct section *kept = test_section(bundle), *dropped = test_section(bundle);
    char *text = test_text(100000, 5);
    test_whole_entry(kept, "kept/one", text, 100000);
    test_whole_entry(dropped, "dropped/ended", text, 100000);
    struct entry *open = test_entry(dropped, "dropped/open", NULL);
    test_write(open, text, 99999, 1000);
    struct entry *taken = test_entry(kept, "kept/taken-ended", NULL);
    test_write(taken, text, 50000, 1000);
    test_end(taken);
    struct entry *taken_open = test_entry(kept, "kept/taken-open", NULL);
    test_write(taken_open, text, 50001, 1000);
    entry_drop(taken);
    entry_drop(taken_open);
    section_drop(dropped);
    entry_drop(NULL);
    section_drop(NULL);
    test_whole_entry(kept, "dropped/again", text, 10);

    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    expect_absent(&archive, "ended");
    expect_absent(&archive, "open");
    expect_absent(&archive, "taken");
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), 2);
    test_holds(reader, "kept/one", text, 100000);
    test_holds(reader, "dropped/again", text, 10);
    reader_free(reader);
    buf_wipe(&archive);
    free(text);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static int list(const struct entry_info *info, void *ctx)
{
    strcat(ctx, info->name);
    return strcmp(info->name, "stop") == 0 ? 7 : 0;
}

static void ended_entries_are_visited_in_order(void **state)
{
    struct seal_pool *pool = test_pool(1, 3);
    struct bundle *bundle = test_bundle(pool);
    struct section *first = test_section(bundle), *second = test_section(bundle);
    char names[100] = "";
    test_whole_entry(second, "x", "", 0);
    test_whole_entry(first, "b", "", 0);
    test_entry(first, "open", NULL);
    test_whole_entry(first, "a", "", 0);
    assert_int_equal(bundle_each_entry(bundle, list, names), 0);
    assert_string_equal(names, "bax");
    test_whole_entry(first, "stop", "", 0);
    names[0] = '\0';
    assert_int_equal(bundle_each_entry(bundle, list, names), 7);
    assert_string_equal(names, "bastop");
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void a_passphrase_is_26_crockford_characters_in_groups(void **state)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned seen[32] = {0};
    struct fault fault;
    for (int n = 0; n < 1000; n++) {
        char passphrase[BUNDLE_PASSPHRASE_LEN];
        assert_int_equal(bundle_passphrase(passphrase, &fault), 0);
        assert_int_equal(strlen(passphrase), 30);
        for (size_t i = 0; i < 30; i++) {
            if (i % 6 == 5 && i < 24) {
                assert_int_equal(passphrase[i], '-');
                continue;
            }
            const char *character = strchr(alphabet, passphrase[i]);
            assert_non_null(character);
            seen[character - alphabet]++;
        }
    }
    /* 26,000 characters: 812 of each are expected, 28 the standard deviation */
    for (size_t i = 0; i < 32; i++)
        assert_in_range(seen[i], 812 - 8 * 28, 812 + 8 * 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_round_every_edge_come_back),
        cmocka_unit_test(an_entry_knows_its_sizes_and_its_digest),
        cmocka_unit_test(the_archives_digest_is_that_of_its_bytes),
        cmocka_unit_test(entries_of_a_section_may_be_written_by_turns),
        cmocka_unit_test(a_filter_decides_what_leaves),
        cmocka_unit_test(what_is_written_at_once_reaches_the_filter_in_one_piece),
        cmocka_unit_test(a_filter_is_told_where_its_entry_begins_and_ends),
        cmocka_unit_test(a_filters_fault_ends_its_entry_only),
        cmocka_unit_test(what_is_dropped_leaves_no_trace),
        cmocka_unit_test(ended_entries_are_visited_in_order),
        cmocka_unit_test(a_passphrase_is_26_crockford_characters_in_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
