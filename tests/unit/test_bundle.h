/* What the tests of the bundle share: a pool, a bundle, an archive in memory, and its reading back. */
#ifndef DSAR_TEST_BUNDLE_H
#define DSAR_TEST_BUNDLE_H

#include "base/buf.h"
#include "bundle/bundle.h"
#include "bundle/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_PASSPHRASE "0123A-BCDEF-GHJKM-NPQRS-TVWXYZ"
#define TEST_BLOCK      4096
#define TEST_MTIME      1795420801 /* 2026-11-23T08:00:01Z */

static inline struct seal_pool *test_pool(unsigned n_threads, unsigned n_blocks)
{
    const struct seal_pool_options options = {
        .n_threads = n_threads, .n_blocks = n_blocks, .block_bytes = TEST_BLOCK};
    struct seal_pool *pool;
    struct fault fault;
    assert_int_equal(seal_pool_new(&pool, &options, &fault), 0);
    return pool;
}

static inline struct bundle *test_bundle(struct seal_pool *pool)
{
    const struct bundle_options options = {
        .pool = pool, .spool_dir = "/tmp", .passphrase = TEST_PASSPHRASE, .entries_max = 1000};
    struct bundle *bundle;
    struct fault fault;
    assert_int_equal(bundle_open(&bundle, &options, &fault), 0);
    return bundle;
}

static inline struct section *test_section(struct bundle *bundle)
{
    struct section *section;
    struct fault fault;
    assert_int_equal(bundle_section(bundle, &section, &fault), 0);
    return section;
}

static inline struct entry *test_entry(struct section *section, const char *name,
                                       const struct entry_filter *filter)
{
    struct entry *entry;
    struct fault fault;
    assert_int_equal(entry_open(&entry, section, name, filter, &fault), 0);
    return entry;
}

/* Writes in pieces of at most `piece` bytes. */
static inline void test_write(struct entry *entry, const void *data, size_t len, size_t piece)
{
    struct fault fault;
    for (size_t at = 0; at < len; at += piece)
        assert_int_equal(
            entry_write(entry, (const char *)data + at, len - at < piece ? len - at : piece, &fault), 0);
}

static inline void test_end(struct entry *entry)
{
    struct fault fault;
    assert_int_equal(entry_end(entry, &fault), 0);
}

static inline struct entry *test_whole_entry(struct section *section, const char *name, const void *data,
                                             size_t len)
{
    struct entry *entry = test_entry(section, name, NULL);
    test_write(entry, data, len, 1000);
    test_end(entry);
    return entry;
}

/* The buffer, as a sink and as what an entry is extracted to. */
static inline int test_collect(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

static inline void test_archive(struct bundle *bundle, struct buf *archive, struct archive_info *info)
{
    const struct archive_sink sink = {.write = test_collect, .ctx = archive};
    struct fault fault;
    buf_init(archive, (size_t)256 << 20);
    assert_int_equal(bundle_write(bundle, TEST_MTIME, &sink, info, &fault), 0);
    assert_int_equal(info->bytes, archive->len);
}

/* A file with these bytes and no name in any folder; `path` leads to it until it is closed. */
static inline int test_file(const void *data, size_t len, char path[64])
{
    int fd = memfd_create("archive", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), len);
    snprintf(path, 64, "/proc/%d/fd/%d", (int)getpid(), fd);
    return fd;
}

/* Opens an archive that is in memory. */
static inline int test_reader(struct reader **reader, const struct buf *archive, const char *passphrase,
                              struct fault *fault)
{
    char path[64];
    int fd = test_file(archive->data, archive->len, path);
    int result = reader_open(reader, path, passphrase, fault);
    close(fd); /* libzip has opened it for itself */
    return result;
}

static inline size_t test_find(const struct reader *reader, const char *name)
{
    size_t i = 0;
    while (i < reader_n_entries(reader) && strcmp(reader_name(reader, i), name) != 0)
        i++;
    return i;
}

/* The named entry holds just these bytes. */
static inline void test_holds(struct reader *reader, const char *name, const void *data, size_t len)
{
    struct fault fault;
    struct buf plain;
    size_t i = test_find(reader, name);
    assert_true(i < reader_n_entries(reader));
    assert_int_equal(reader_bytes(reader, i), len);
    buf_init(&plain, len + 1);
    assert_int_equal(reader_extract(reader, i, test_collect, &plain, &fault), 0);
    assert_int_equal(plain.len, len);
    if (len)
        assert_memory_equal(plain.data, data, len);
    buf_wipe(&plain);
}

/* Bytes with some repetition, as records have; the same for the same seed. */
static inline char *test_text(size_t len, unsigned seed)
{
    char *text = malloc(len + 64);
    assert_non_null(text);
    size_t at = 0;
    while (at < len) {
        seed = seed * 1103515245 + 12345;
        at += (size_t)snprintf(text + at, 64, "{\"id\":%u,\"name\":\"record %u\"}\n", seed, seed >> 20);
    }
    return text;
}

/* Bytes that do not compress. */
static inline char *test_noise(size_t len, unsigned seed)
{
    char *noise = malloc(len + 1);
    assert_non_null(noise);
    uint64_t x = seed + 88172645463325252u;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        noise[i] = (char)(x >> 32);
    }
    return noise;
}

#endif
