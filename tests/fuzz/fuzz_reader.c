/* Any bytes as a sealed bundle. Entries that open hold just what was once sealed under the passphrase, which no input
 * can do. */
#include "base/buf.h"
#include "bundle/reader.h"
#include "memory_file.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE "0123A-BCDEF-GHJKM-NPQRS-TVWXYZ"
#define PLAIN_MAX  ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the archives of the corpus hold. */
static bool genuine(const struct buf *plain)
{
    static const char *const contents[] = {"", "second", "one two three one two three one two three"};
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++)
        if (plain->len == strlen(contents[i]) &&
            (plain->len == 0 || memcmp(plain->data, contents[i], plain->len) == 0))
            return true;
    return false;
}

static int collect(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

static void extract(struct reader *reader, size_t i)
{
    struct buf plain;
    struct fault fault;
    buf_init(&plain, PLAIN_MAX);
    const int result = reader_extract(reader, i, collect, &plain, &fault);
    if (result == 0 && (plain.len != reader_bytes(reader, i) || !genuine(&plain)))
        abort();
    /* what cannot be authenticated gives nothing */
    if (result && (plain.len || fault.retryable || !fault.text[0]))
        abort();
    buf_wipe(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[MEMORY_FILE_PATH_MAX];
    struct reader *reader;
    struct fault fault;
    int fd = memory_file(data, size, path);
    if (reader_open(&reader, path, PASSPHRASE, &fault)) {
        if (strcmp(fault.code, "bad_archive") != 0 || fault.retryable)
            abort();
    } else {
        for (size_t i = 0; i < reader_n_entries(reader); i++)
            extract(reader, i);
        reader_free(reader);
    }
    close(fd);
    return 0;
}
