#include "bundle/archive.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <zip.h>

#define BUFFER_BYTES 65536
#define HEADER_MAX   1024 /* a local header with the longest name and zip64 sizes takes less than 300 bytes */

/* libzip goes back to each local header once its data are written. All of a header is known before, so what
 * it writes there is what stands there already: it is compared and not written again, and the sink never has
 * to seek. */
struct archive {
    const struct archive_sink *sink;
    EVP_MD_CTX *sha256;
    uint64_t at;  /* where libzip's next write belongs */
    uint64_t end; /* how much was written */
    size_t n_buffered;
    uint64_t header_at; /* where the current member begins */
    size_t header_bytes;
    struct strand_cursor cursor; /* in the current member's sealed bytes */
    bool committed;
    bool failed;
    struct fault fault;               /* the first one */
    zip_error_t error;                /* what libzip is told */
    unsigned char header[HEADER_MAX]; /* what the current member begins with */
    char buffer[BUFFER_BYTES];
};

struct member_source {
    struct archive *archive;
    const struct archive_member *member;
};

/* Fills `archive->fault` through `fault_set` and its like, which return -1, and tells libzip. */
static zip_int64_t failed(struct archive *archive)
{
    archive->failed = true;
    zip_error_set(&archive->error, ZIP_ER_WRITE, EIO);
    return -1;
}

static zip_int64_t container_changed(struct archive *archive)
{
    fault_set(&archive->fault, "internal",
              "libzip went back to bytes of the archive that cannot be changed any more");
    return failed(archive);
}

static zip_int64_t flush(struct archive *archive)
{
    size_t len = archive->n_buffered;
    archive->n_buffered = 0;
    if (len == 0)
        return 0;
    if (EVP_DigestUpdate(archive->sha256, archive->buffer, len) != 1) {
        fault_retry(&archive->fault, "crypto_failed", "SHA-256: OpenSSL failed");
        return failed(archive);
    }
    if (archive->sink->write(archive->sink->ctx, archive->buffer, len, &archive->fault))
        return failed(archive);
    return 0;
}

static zip_int64_t append(struct archive *archive, const unsigned char *data, size_t len)
{
    archive->at += len;
    archive->end += len;
    while (len > 0) {
        size_t room = sizeof archive->buffer - archive->n_buffered;
        size_t step = len < room ? len : room;
        memcpy(archive->buffer + archive->n_buffered, data, step);
        archive->n_buffered += step;
        data += step;
        len -= step;
        if (archive->n_buffered == sizeof archive->buffer && flush(archive))
            return -1;
    }
    return 0;
}

/* Keeps the beginning of a member. Returns how many of the bytes were kept. */
static size_t keep_header(struct archive *archive, const unsigned char *data, size_t len)
{
    static const unsigned char local_header[] = {'P', 'K', 3, 4};
    const size_t version_at = sizeof local_header, version_bytes = 2;
    const unsigned char version_for_aes = 51; /* APPNOTE.TXT 4.4.3.2 */
    size_t room = sizeof archive->header - archive->header_bytes;
    size_t kept = len < room ? len : room;
    memcpy(archive->header + archive->header_bytes, data, kept);
    /* the one thing in a header that libzip 1.7 fills in only when it comes back */
    if (archive->header_bytes == 0 && kept >= version_at + version_bytes &&
        memcmp(archive->header, local_header, sizeof local_header) == 0) {
        archive->header[version_at] = version_for_aes;
        archive->header[version_at + 1] = 0;
    }
    archive->header_bytes += kept;
    return kept;
}

static zip_int64_t write_new(struct archive *archive, const unsigned char *data, size_t len)
{
    size_t before = archive->header_bytes;
    size_t kept = keep_header(archive, data, len);
    if (append(archive, archive->header + before, kept) || append(archive, data + kept, len - kept))
        return -1;
    return (zip_int64_t)len;
}

static zip_int64_t write_again(struct archive *archive, const unsigned char *data, size_t len)
{
    uint64_t offset = archive->at - archive->header_at;
    if (offset > archive->header_bytes || len > archive->header_bytes - offset ||
        memcmp(archive->header + offset, data, len) != 0)
        return container_changed(archive);
    archive->at += len;
    return (zip_int64_t)len;
}

static zip_int64_t seek(struct archive *archive, void *data, zip_uint64_t len)
{
    zip_int64_t offset =
        zip_source_seek_compute_offset(archive->at, archive->end, data, len, &archive->error);
    if (offset < 0)
        return -1;
    archive->at = (uint64_t)offset;
    if (archive->at == archive->end) {
        archive->header_at = archive->end;
        archive->header_bytes = 0;
    } else if (archive->at != archive->header_at) {
        return container_changed(archive);
    }
    return 0;
}

static zip_int64_t commit(struct archive *archive)
{
    if (flush(archive))
        return -1;
    archive->committed = true;
    return 0;
}

static zip_int64_t stat_empty(zip_stat_t *stat)
{
    zip_stat_init(stat);
    stat->valid = ZIP_STAT_SIZE;
    return sizeof *stat;
}

/* What libzip sees as the file that it writes. */
static zip_int64_t archive_cb(void *ctx, void *data, zip_uint64_t len, zip_source_cmd_t command)
{
    struct archive *archive = ctx;
    /* libzip forgets some errors: one that happened stays one until the end */
    if (archive->failed && (command == ZIP_SOURCE_WRITE || command == ZIP_SOURCE_COMMIT_WRITE))
        return failed(archive);
    switch ((int)command) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(
            ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
            ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_BEGIN_WRITE,
            ZIP_SOURCE_WRITE, ZIP_SOURCE_SEEK_WRITE, ZIP_SOURCE_TELL_WRITE, ZIP_SOURCE_COMMIT_WRITE,
            ZIP_SOURCE_ROLLBACK_WRITE, ZIP_SOURCE_REMOVE, -1);
    case ZIP_SOURCE_STAT: return stat_empty(data);
    case ZIP_SOURCE_WRITE:
        return archive->at < archive->end ? write_again(archive, data, len) : write_new(archive, data, len);
    case ZIP_SOURCE_SEEK_WRITE: return seek(archive, data, len);
    case ZIP_SOURCE_TELL_WRITE: return (zip_int64_t)archive->at;
    case ZIP_SOURCE_COMMIT_WRITE: return commit(archive);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&archive->error, data, len);
    case ZIP_SOURCE_OPEN:
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_BEGIN_WRITE:
    case ZIP_SOURCE_ROLLBACK_WRITE:
    case ZIP_SOURCE_REMOVE:
    case ZIP_SOURCE_FREE: return 0;
    default: zip_error_set(&archive->error, ZIP_ER_OPNOTSUPP, 0); return -1;
    }
}

/* libzip 1.7 takes this number for one that needs zip64 in one place and not in another, and writes what none
 * can open. */
static bool breaks_libzip(uint64_t number)
{
    return number == UINT32_MAX;
}

static zip_int64_t stat_member(struct archive *archive, const struct archive_member *member, zip_stat_t *stat)
{
    if (breaks_libzip(member->bytes) || breaks_libzip(member->sealed->bytes) || breaks_libzip(archive->at)) {
        fault_set(&archive->fault, "archive_failed",
                  "%s: a size or a place of exactly 4294967295 bytes cannot be written", member->name);
        return failed(archive);
    }
    zip_stat_init(stat);
    stat->size = member->bytes;
    stat->comp_size = member->sealed->bytes;
    stat->crc = 0; /* AE-2 wants it so: the CRC of plain bytes would tell about them */
    stat->comp_method = ZIP_CM_DEFLATE;
    stat->encryption_method = ZIP_EM_AES_256;
    stat->valid =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_CRC | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    return sizeof *stat;
}

static zip_int64_t read_member(struct archive *archive, const struct archive_member *member, void *data,
                               size_t len)
{
    size_t got;
    if (strand_read(member->sealed, &archive->cursor, data, len, &got, &archive->fault))
        return failed(archive);
    return (zip_int64_t)got;
}

/* What libzip sees as the file that it adds: bytes which are compressed and encrypted already. */
static zip_int64_t member_cb(void *ctx, void *data, zip_uint64_t len, zip_source_cmd_t command)
{
    const struct member_source *source = ctx;
    struct archive *archive = source->archive;
    if (archive->failed && (command == ZIP_SOURCE_READ || command == ZIP_SOURCE_STAT))
        return failed(archive);
    switch ((int)command) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_SUPPORTS, ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
                                              ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
                                              ZIP_SOURCE_FREE, -1);
    case ZIP_SOURCE_OPEN: archive->cursor = (struct strand_cursor){0}; return 0;
    case ZIP_SOURCE_READ: return read_member(archive, source->member, data, len);
    case ZIP_SOURCE_STAT: return stat_member(archive, source->member, data);
    case ZIP_SOURCE_ERROR: return zip_error_to_data(&archive->error, data, len);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE: return 0;
    default: zip_error_set(&archive->error, ZIP_ER_OPNOTSUPP, 0); return -1;
    }
}

/* libzip writes local time, as DOS did: this is the time that it turns into the UTC wanted. */
static time_t dos_time(int64_t unix_s)
{
    const int64_t first = 315532800, last = 4354819198; /* 1980-01-01T00:00:00Z, 2107-12-31T23:59:58Z */
    time_t utc = (time_t)(unix_s < first ? first : unix_s > last ? last : unix_s);
    struct tm tm;
    gmtime_r(&utc, &tm);
    tm.tm_isdst = -1;
    time_t local = mktime(&tm);
    return local == (time_t)-1 ? utc : local;
}

static int libzip_failed(struct fault *fault, zip_error_t *error)
{
    fault_set(fault, "archive_failed", "the archive cannot be made: %s", zip_error_strerror(error));
    if (fault)
        fault->retryable = zip_error_code_zip(error) == ZIP_ER_MEMORY;
    return -1;
}

static int add_member(zip_t *zip, struct member_source *source, time_t mtime, struct fault *fault)
{
    const zip_uint32_t private_file = (zip_uint32_t)(S_IFREG | S_IRUSR | S_IWUSR) << 16;
    zip_source_t *made = zip_source_function(zip, member_cb, source);
    if (!made)
        return libzip_failed(fault, zip_get_error(zip));
    zip_int64_t added = zip_file_add(zip, source->member->name, made, ZIP_FL_ENC_UTF_8);
    if (added < 0) {
        zip_source_free(made);
        return libzip_failed(fault, zip_get_error(zip));
    }
    /* `zip` owns `made` now */
    zip_uint64_t index = (zip_uint64_t)added;
    if (zip_file_set_encryption(zip, index, ZIP_EM_AES_256, NULL) ||
        zip_file_set_mtime(zip, index, mtime, 0) ||
        zip_file_set_external_attributes(zip, index, 0, ZIP_OPSYS_UNIX, private_file))
        return libzip_failed(fault, zip_get_error(zip));
    return 0;
}

static int open_zip(zip_t **zip, struct archive *archive, struct fault *fault)
{
    zip_error_t error;
    zip_error_init(&error);
    int result = 0;
    zip_source_t *output = zip_source_function_create(archive_cb, archive, &error);
    *zip = output ? zip_open_from_source(output, ZIP_CREATE | ZIP_TRUNCATE, &error) : NULL;
    if (!*zip) {
        zip_source_free(output);
        result = libzip_failed(fault, &error);
    }
    zip_error_fini(&error);
    return result;
}

static int write_zip(struct archive *archive, struct member_source *sources,
                     const struct archive_content *content, struct fault *fault)
{
    time_t mtime = dos_time(content->mtime_unix_s);
    zip_t *zip;
    if (open_zip(&zip, archive, fault))
        return -1;
    for (size_t i = 0; i < content->n_members; i++) {
        sources[i] = (struct member_source){.archive = archive, .member = &content->members[i]};
        if (add_member(zip, &sources[i], mtime, fault)) {
            zip_discard(zip);
            return -1;
        }
    }
    if (zip_close(zip)) {
        libzip_failed(fault, zip_get_error(zip));
        zip_discard(zip);
        return -1;
    }
    return archive->committed ? 0 : fault_set(fault, "internal", "libzip wrote no archive");
}

int archive_write(const struct archive_content *content, const struct archive_sink *sink,
                  struct archive_info *info, struct fault *fault)
{
    int result = -1;
    struct archive *archive = calloc(1, sizeof *archive);
    struct member_source *sources = calloc(content->n_members, sizeof *sources);
    EVP_MD_CTX *sha256 = EVP_MD_CTX_new();
    if (!archive || !sources || !sha256 || EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) != 1) {
        fault_retry(fault, "no_memory", "no memory for an archive of %zu entries", content->n_members);
        goto out;
    }
    archive->sink = sink;
    archive->sha256 = sha256;
    zip_error_init(&archive->error);
    result = write_zip(archive, sources, content, fault);
    if (archive->failed) {
        /* the cause, instead of what libzip made of it; and even if libzip made nothing of it */
        if (fault)
            *fault = archive->fault;
        result = -1;
    }
    if (result == 0 && EVP_DigestFinal_ex(sha256, info->sha256, NULL) != 1)
        result = fault_retry(fault, "crypto_failed", "SHA-256: OpenSSL failed");
    info->bytes = archive->end;
    zip_error_fini(&archive->error);
out:
    EVP_MD_CTX_free(sha256);
    free(sources);
    free(archive);
    return result;
}
