#include "bundle/block.h"
#include "test_bundle.h"

#include <pthread.h>

static void a_pool_that_cannot_work_is_refused(void **state)
{
    static const struct seal_pool_options bad[] = {
        {.n_threads = 0, .n_blocks = 4, .block_bytes = 4096},
        {.n_threads = 65, .n_blocks = 100, .block_bytes = 4096},
        {.n_threads = 2, .n_blocks = 2, .block_bytes = 4096},
        {.n_threads = 2, .n_blocks = 4, .block_bytes = 4095},
        {.n_threads = 2, .n_blocks = 4, .block_bytes = 1 << 27},
        {.n_threads = 2, .n_blocks = 65537, .block_bytes = 4096},
    };
    struct seal_pool *pool;
    struct fault fault;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(seal_pool_new(&pool, &bad[i], &fault), -1);
        assert_string_equal(fault.code, "bad_pool");
    }
    seal_pool_free(NULL);
}

static int upper(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                 size_t *out_len, struct fault *fault)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (char)(data[i] | 0x20);
    *out_len = len;
    return 0;
}

static int fail_late(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                     size_t *out_len, struct fault *fault)
{
    memcpy(out, data, len);
    return fault_set(fault, "bad_record", "record 1");
}

static void expect_empty_blocks(struct seal_pool *pool, size_t n_blocks)
{
    struct block *blocks[8];
    for (size_t i = 0; i < n_blocks; i++) {
        blocks[i] = seal_pool_acquire(pool);
        for (size_t at = 0; at < blocks[i]->memory_bytes; at++)
            assert_int_equal(blocks[i]->raw[at], 0);
    }
    for (size_t i = 0; i < n_blocks; i++)
        seal_pool_release(pool, blocks[i]);
}

static void blocks_hold_nothing_of_what_went_through_them(void **state)
{
    const struct entry_filter filters[] = {{.apply = upper}, {.apply = fail_late}};
    struct seal_pool *pool = test_pool(2, 4);
    struct bundle *bundle = test_bundle(pool);
    struct section *section = test_section(bundle);
    char *text = test_text(50000, 1), *noise = test_noise(50000, 1);
    struct fault fault;

    test_whole_entry(section, "text", text, 50000);
    expect_empty_blocks(pool, 4);
    test_whole_entry(section, "noise", noise, 50000);
    expect_empty_blocks(pool, 4);
    struct entry *filtered = test_entry(section, "filtered", &filters[0]);
    test_write(filtered, text, 50000, 999);
    test_end(filtered);
    expect_empty_blocks(pool, 4);
    struct entry *failing = test_entry(section, "failing", &filters[1]);
    assert_int_equal(entry_write(failing, text, 2000, &fault), 0);
    assert_int_equal(entry_end(failing, &fault), -1);
    expect_empty_blocks(pool, 4);
    struct entry *dropped = test_entry(section, "dropped", NULL);
    test_write(dropped, text, 50000, 999);
    entry_drop(dropped);
    expect_empty_blocks(pool, 4);

    free(text);
    free(noise);
    bundle_free(bundle);
    seal_pool_free(pool);
}

enum { WRITERS = 6, ENTRIES = 3, ENTRY_BYTES = 60000 };

struct writer {
    struct bundle *bundle;
    unsigned number;
    pthread_t thread;
    const char *complaint;
};

/* In the order of the entry: a filter that was shown blocks in another order would see other bytes. */
struct witness {
    const char *text;
    size_t at;
    bool same;
};

static int copy(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                size_t *out_len, struct fault *fault)
{
    memcpy(out, data, len);
    *out_len = len;
    return 0;
}

static void see(void *ctx, const char *out, size_t len)
{
    struct witness *witness = ctx;
    witness->same = witness->same && memcmp(out, witness->text + witness->at, len) == 0;
    witness->at += len;
}

static const char *write_entries(struct writer *writer)
{
    struct section *section = NULL;
    struct fault fault;
    if (bundle_section(writer->bundle, &section, &fault))
        return "no section";
    for (unsigned i = 0; i < ENTRIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%u/e%u.json", writer->number, i);
        char *text = test_text(ENTRY_BYTES, writer->number * 100 + i);
        struct witness witness = {.text = text, .same = true};
        const struct entry_filter filter = {.apply = copy, .seen = see, .ctx = &witness};
        struct entry *entry;
        if (entry_open(&entry, section, name, &filter, &fault))
            return "no entry";
        for (size_t at = 0; at < ENTRY_BYTES; at += 500)
            if (entry_write(entry, text + at, 500, &fault))
                return "no write";
        if (entry_end(entry, &fault) || !witness.same || witness.at != ENTRY_BYTES)
            return "no end, or out of order";
        free(text);
    }
    return NULL;
}

static void *run_writer(void *ctx)
{
    struct writer *writer = ctx;
    writer->complaint = write_entries(writer);
    return NULL;
}

static void many_writers_share_few_blocks(void **state)
{
    struct seal_pool *pool = test_pool(3, WRITERS + 3);
    struct bundle *bundle = test_bundle(pool);
    struct writer writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.bundle = bundle, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        assert_null(writers[i].complaint);
    }
    struct buf archive;
    struct archive_info info;
    struct reader *reader;
    struct fault fault;
    test_archive(bundle, &archive, &info);
    assert_int_equal(test_reader(&reader, &archive, TEST_PASSPHRASE, &fault), 0);
    assert_int_equal(reader_n_entries(reader), WRITERS * ENTRIES);
    for (unsigned i = 0; i < WRITERS * ENTRIES; i++) {
        char name[32];
        snprintf(name, sizeof name, "w%u/e%u.json", i / ENTRIES, i % ENTRIES);
        char *text = test_text(ENTRY_BYTES, i / ENTRIES * 100 + i % ENTRIES);
        test_holds(reader, name, text, ENTRY_BYTES);
        free(text);
    }
    reader_free(reader);
    buf_wipe(&archive);
    bundle_free(bundle);
    seal_pool_free(pool);
}

static void bundles_of_several_requests_share_a_pool(void **state)
{
    struct seal_pool *pool = test_pool(2, WRITERS + 2);
    struct writer writers[WRITERS];
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.bundle = test_bundle(pool), .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, run_writer, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        assert_null(writers[i].complaint);
        bundle_free(writers[i].bundle);
    }
    seal_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_that_cannot_work_is_refused),
        cmocka_unit_test(blocks_hold_nothing_of_what_went_through_them),
        cmocka_unit_test(many_writers_share_few_blocks),
        cmocka_unit_test(bundles_of_several_requests_share_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
