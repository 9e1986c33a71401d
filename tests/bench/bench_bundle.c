/* bench_bundle [MIB [THREADS [SPOOL_FOLDER]]]: how fast plain bytes become a sealed archive, and in how much
 * memory.
 *
 * One writer fills entries of 64 MiB with records that look like JSON from a billing product; nothing filters
 * them; the archive goes nowhere. Exit status 0, or 1 when something failed. */
#include "base/clock.h"
#include "bundle/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define MIB           ((size_t)1 << 20)
#define PIECE_BYTES   ((size_t)64 << 10)
#define SAMPLE_PIECES 128
#define ENTRY_PIECES  1024

static int drop_bytes(void *ctx, const void *data, size_t len, struct fault *fault)
{
    (void)data;
    (void)fault;
    *(uint64_t *)ctx += len;
    return 0;
}

/* Records with the repetition that JSON has, and values that differ. */
static void fill_sample(char *sample, size_t len)
{
    uint64_t seed = 88172645463325252u;
    size_t at = 0;
    while (at < len) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        char record[400];
        int size =
            snprintf(record, sizeof record,
                     "{\"id\":%" PRIu64 ",\"invoicenum\":\"2026-%06" PRIu64 "\",\"date\":\"2026-%02u-%02u\","
                     "\"subtotal\":%u.%02u,\"status\":\"%s\",\"paymentmethod\":\"banktransfer\","
                     "\"notes\":\"Order %08" PRIx64
                     ", thank you for staying with us\",\"token\":\"%016" PRIx64 "\"}\n",
                     seed >> 40, seed % 1000000, (unsigned)(seed % 12 + 1), (unsigned)(seed % 28 + 1),
                     (unsigned)(seed >> 16) % 900, (unsigned)(seed >> 8) % 100, seed % 7 ? "Paid" : "Unpaid",
                     seed >> 32, seed * 2654435761u);
        size_t step = (size_t)size < len - at ? (size_t)size : len - at;
        memcpy(sample + at, record, step);
        at += step;
    }
}

static int fill_entry(struct section *section, const char *sample, size_t number, size_t n_pieces,
                      struct fault *fault)
{
    char name[64];
    snprintf(name, sizeof name, "billing/part-%zu.json", number);
    struct entry *entry;
    if (entry_open(&entry, section, name, NULL, fault))
        return -1;
    for (size_t i = 0; i < n_pieces; i++)
        if (entry_write(entry, sample + i % SAMPLE_PIECES * PIECE_BYTES, PIECE_BYTES, fault))
            return -1;
    return entry_end(entry, fault);
}

static int fill_bundle(struct bundle *bundle, const char *sample, size_t n_pieces, struct fault *fault)
{
    struct section *section;
    if (bundle_section(bundle, &section, fault))
        return -1;
    for (size_t number = 0; n_pieces > 0; number++) {
        size_t step = n_pieces < ENTRY_PIECES ? n_pieces : ENTRY_PIECES;
        if (fill_entry(section, sample, number, step, fault))
            return -1;
        n_pieces -= step;
    }
    return 0;
}

static int run(struct seal_pool *pool, const char *spool_dir, const char *sample, size_t mib,
               struct fault *fault)
{
    char passphrase[BUNDLE_PASSPHRASE_LEN];
    const struct bundle_options options = {
        .pool = pool, .spool_dir = spool_dir, .passphrase = passphrase, .entries_max = 65536};
    struct bundle *bundle = NULL;
    uint64_t dropped = 0;
    const struct archive_sink sink = {.write = drop_bytes, .ctx = &dropped};
    struct archive_info info;
    int64_t start_ms = clock_now_ms(), sealed_ms = start_ms;
    int result = -1;
    if (bundle_passphrase(passphrase, fault) == 0 && bundle_open(&bundle, &options, fault) == 0 &&
        fill_bundle(bundle, sample, mib * MIB / PIECE_BYTES, fault) == 0) {
        sealed_ms = clock_now_ms();
        result = bundle_write(bundle, clock_now_unix_s(), &sink, &info, fault);
    }
    int64_t end_ms = clock_now_ms();
    bundle_free(bundle);
    if (result)
        return -1;
    double mb = (double)mib * 1.048576, seconds = (double)(end_ms - start_ms) / 1e3;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu MiB in %.2f s (sealing %.2f, archive %.2f): %.0f MB/s, ratio %.3f, peak RSS %ld MiB\n", mib,
           seconds, (double)(sealed_ms - start_ms) / 1e3, (double)(end_ms - sealed_ms) / 1e3, mb / seconds,
           (double)info.bytes / (mb * 1e6), usage.ru_maxrss / 1024);
    return 0;
}

int main(int argc, char **argv)
{
    size_t mib = argc > 1 ? strtoul(argv[1], NULL, 10) : 1024;
    unsigned n_threads = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 2;
    const struct seal_pool_options options = {
        .n_threads = n_threads, .n_blocks = n_threads * 2 + 1, .block_bytes = 512 << 10};
    struct fault fault;
    struct seal_pool *pool = NULL;
    char *sample = malloc(SAMPLE_PIECES * PIECE_BYTES);
    int result = -1;
    if (!sample) {
        fault_retry(&fault, "no_memory", "no memory for the sample");
    } else if (seal_pool_new(&pool, &options, &fault) == 0) {
        fill_sample(sample, SAMPLE_PIECES * PIECE_BYTES);
        result = run(pool, argc > 3 ? argv[3] : "/tmp", sample, mib, &fault);
    }
    seal_pool_free(pool);
    free(sample);
    if (result)
        fprintf(stderr, "bench_bundle: %s\n", fault.text);
    return result ? 1 : 0;
}
