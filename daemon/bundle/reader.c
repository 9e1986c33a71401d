#include "bundle/reader.h"

#include "base/secret.h"
#include "bundle/ae2.h"
#include "bundle/entry_name.h"
#include "bundle/inflater.h"
#include "bundle/name_set.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#define CHUNK_BYTES 65536

struct reader_entry {
    const char *name; /* libzip's */
    uint64_t bytes;
    uint64_t cipher_bytes;
};

struct reader {
    zip_t *zip;
    char *passphrase; /* secret memory */
    size_t passphrase_size;
    struct reader_entry *entries;
    size_t n_entries;
    unsigned char *chunk; /* secret memory */
};

/* One entry on its way out. */
struct extraction {
    struct reader *reader;
    const struct reader_entry *entry;
    uint64_t index;
    zip_file_t *raw;
    struct ae2 *ae2;
    struct inflater *inflater; /* NULL while the HMAC is checked */
};

static int libzip_failed(struct fault *fault, const char *what, zip_error_t *error)
{
    fault_set(fault, "bad_archive", "%s: %s", what, zip_error_strerror(error));
    if (fault)
        fault->retryable = zip_error_code_zip(error) == ZIP_ER_MEMORY;
    return -1;
}

static int open_zip(struct reader *reader, const char *path, struct fault *fault)
{
    int code;
    reader->zip = zip_open(path, ZIP_RDONLY | ZIP_CHECKCONS, &code);
    if (reader->zip)
        return 0;
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    libzip_failed(fault, path, &error);
    zip_error_fini(&error);
    return -1;
}

static int read_entry(struct reader *reader, zip_uint64_t index, struct fault *fault)
{
    const zip_uint64_t wanted = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD |
                                ZIP_STAT_ENCRYPTION_METHOD;
    zip_stat_t stat;
    if (zip_stat_index(reader->zip, index, ZIP_FL_ENC_RAW, &stat))
        return libzip_failed(fault, "the archive's directory", zip_get_error(reader->zip));
    if ((stat.valid & wanted) != wanted || !entry_name_valid(stat.name))
        return fault_set(fault, "bad_archive", "entry %zu has a name that no bundle has", (size_t)index);
    if (stat.encryption_method != ZIP_EM_AES_256 || stat.comp_method != ZIP_CM_DEFLATE)
        return fault_set(fault, "bad_archive", "%s: expected deflate within AES-256", stat.name);
    if (stat.comp_size < AE2_HEAD_BYTES + AE2_TAG_BYTES || stat.comp_size > INT64_MAX ||
        stat.size > INT64_MAX)
        return fault_set(fault, "bad_archive", "%s: a size that cannot be", stat.name);
    reader->entries[index] = (struct reader_entry){
        .name = stat.name,
        .bytes = stat.size,
        .cipher_bytes = stat.comp_size - AE2_HEAD_BYTES - AE2_TAG_BYTES,
    };
    return 0;
}

static int check_names(const struct reader *reader, struct fault *fault)
{
    struct name_set names = {0};
    struct fault met;
    size_t n = 0;
    while (n < reader->n_entries && name_set_add(&names, reader->entries[n].name, &met) == 0)
        n++;
    for (size_t i = 0; i < n; i++)
        name_set_remove(&names, reader->entries[i].name);
    if (n == reader->n_entries)
        return 0;
    return met.retryable
               ? fault_retry(fault, "no_memory", "%s", met.text)
               : fault_set(fault, "bad_archive", "%s: two entries of this name", reader->entries[n].name);
}

static int read_directory(struct reader *reader, struct fault *fault)
{
    zip_int64_t n_entries = zip_get_num_entries(reader->zip, 0);
    if (n_entries < 0)
        return fault_set(fault, "internal", "libzip lost an archive that it opened");
    if (n_entries == 0)
        return 0;
    reader->entries = calloc((size_t)n_entries, sizeof *reader->entries);
    if (!reader->entries)
        return fault_retry(fault, "no_memory", "no memory for %zu entries", (size_t)n_entries);
    for (zip_uint64_t i = 0; i < (zip_uint64_t)n_entries; i++)
        if (read_entry(reader, i, fault))
            return -1;
    reader->n_entries = (size_t)n_entries;
    return check_names(reader, fault);
}

static int copy_passphrase(struct reader *reader, const char *passphrase, struct fault *fault)
{
    size_t size = strlen(passphrase) + 1;
    reader->passphrase = secret_alloc(size, fault);
    if (!reader->passphrase)
        return -1;
    memcpy(reader->passphrase, passphrase, size);
    reader->passphrase_size = size;
    return 0;
}

int reader_open(struct reader **reader, const char *path, const char *passphrase, struct fault *fault)
{
    struct reader *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a reader");
    made->chunk = secret_alloc(CHUNK_BYTES, fault);
    if (!made->chunk || copy_passphrase(made, passphrase, fault) || open_zip(made, path, fault) ||
        read_directory(made, fault)) {
        reader_free(made);
        return -1;
    }
    *reader = made;
    return 0;
}

void reader_free(struct reader *reader)
{
    if (!reader)
        return;
    if (reader->zip)
        zip_discard(reader->zip);
    secret_free(reader->passphrase, reader->passphrase_size);
    secret_free(reader->chunk, CHUNK_BYTES);
    free(reader->entries);
    free(reader);
}

size_t reader_n_entries(const struct reader *reader)
{
    return reader->n_entries;
}

const char *reader_name(const struct reader *reader, size_t i)
{
    return reader->entries[i].name;
}

uint64_t reader_bytes(const struct reader *reader, size_t i)
{
    return reader->entries[i].bytes;
}

static int bad_entry(const struct extraction *extraction, const char *why, struct fault *fault)
{
    return fault_set(fault, "bad_archive", "%s: %s", extraction->entry->name, why);
}

static int open_raw(struct extraction *extraction, struct fault *fault)
{
    zip_t *zip = extraction->reader->zip;
    if (extraction->raw)
        zip_fclose(extraction->raw);
    extraction->raw = zip_fopen_index(zip, extraction->index, ZIP_FL_COMPRESSED | ZIP_FL_ENCRYPTED);
    return extraction->raw ? 0 : libzip_failed(fault, extraction->entry->name, zip_get_error(zip));
}

static int read_raw(struct extraction *extraction, void *data, size_t len, struct fault *fault)
{
    char *next = data;
    while (len > 0) {
        zip_int64_t n = zip_fread(extraction->raw, next, len);
        if (n <= 0)
            return bad_entry(extraction, "the archive is cut short or cannot be read", fault);
        next += n;
        len -= (size_t)n;
    }
    return 0;
}

/* What was authenticated and may go on. */
static int give_out(struct extraction *extraction, size_t len, struct fault *fault)
{
    unsigned char *chunk = extraction->reader->chunk;
    if (ae2_crypt(extraction->ae2, chunk, len, fault))
        return -1;
    return inflater_feed(extraction->inflater, chunk, len, fault);
}

/* Reads the entry behind its head, once, and checks its tag. */
static int pass(struct extraction *extraction, struct fault *fault)
{
    unsigned char *chunk = extraction->reader->chunk;
    uint64_t left = extraction->entry->cipher_bytes;
    while (left > 0) {
        size_t step = left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES;
        if (read_raw(extraction, chunk, step, fault) || ae2_authenticate(extraction->ae2, chunk, step, fault))
            return -1;
        if (extraction->inflater && give_out(extraction, step, fault))
            return -1;
        left -= step;
    }
    unsigned char expected[AE2_TAG_BYTES], tag[AE2_TAG_BYTES];
    if (read_raw(extraction, tag, sizeof tag, fault) || ae2_tag(extraction->ae2, expected, fault))
        return -1;
    if (CRYPTO_memcmp(tag, expected, sizeof tag) != 0)
        return bad_entry(extraction, "its bytes were changed, or the passphrase is wrong", fault);
    return 0;
}

static int unseal(struct extraction *extraction, const struct inflater_options *out, struct fault *fault)
{
    unsigned char head[AE2_HEAD_BYTES];
    if (open_raw(extraction, fault) || read_raw(extraction, head, sizeof head, fault) ||
        ae2_open(&extraction->ae2, extraction->reader->passphrase, head, fault) || pass(extraction, fault))
        return -1;
    if (open_raw(extraction, fault) || read_raw(extraction, head, sizeof head, fault) ||
        ae2_rewind(extraction->ae2, fault) || inflater_new(&extraction->inflater, out, fault) ||
        pass(extraction, fault))
        return -1;
    return inflater_finish(extraction->inflater, fault);
}

int reader_extract(struct reader *reader, size_t i,
                   int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                   struct fault *fault)
{
    struct extraction extraction = {.reader = reader, .entry = &reader->entries[i], .index = i};
    const struct inflater_options out = {.bytes = reader->entries[i].bytes, .write_cb = write_cb, .ctx = ctx};
    int result = unseal(&extraction, &out, fault);
    inflater_free(extraction.inflater);
    ae2_free(extraction.ae2);
    if (extraction.raw)
        zip_fclose(extraction.raw);
    OPENSSL_cleanse(reader->chunk, CHUNK_BYTES);
    return result;
}
