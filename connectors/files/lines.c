#include "lines.h"

#include "../sdk/error.h"
#include "base/buf.h"

#include <archive.h>
#include <archive_entry.h>
#include <openssl/crypto.h>
#include <string.h>

#define BLOCK_BYTES 65536

struct lines {
    struct archive *archive;
    struct buf rest;  /* of a line whose end has not come */
    bool is_too_long; /* what came of the present line is thrown away */
    lines_cb use;
    void *ctx;
    char block[BLOCK_BYTES];
};

static int use_line(struct lines *lines, const char *piece, size_t len, struct dsar_error *error)
{
    int result;
    if (lines->is_too_long || lines->rest.len + len > LINES_BYTES_MAX)
        result = lines->use(lines->ctx, NULL, 0, error);
    else if (lines->rest.len == 0)
        result = lines->use(lines->ctx, piece, len, error);
    else if (buf_append(&lines->rest, piece, len, NULL))
        result = error_no_memory(error);
    else
        result = lines->use(lines->ctx, lines->rest.data, lines->rest.len, error);
    buf_clear(&lines->rest);
    lines->is_too_long = false;
    return result;
}

static int keep(struct lines *lines, const char *piece, size_t len, struct dsar_error *error)
{
    if (lines->is_too_long || lines->rest.len + len > LINES_BYTES_MAX) {
        lines->is_too_long = true;
        return 0;
    }
    return len && buf_append(&lines->rest, piece, len, NULL) ? error_no_memory(error) : 0;
}

static int use_block(struct lines *lines, size_t len, struct dsar_error *error)
{
    const char *at = lines->block;
    const char *end = at + len;
    const char *newline;
    while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        if (use_line(lines, at, (size_t)(newline - at), error))
            return -1;
        at = newline + 1;
    }
    return keep(lines, at, (size_t)(end - at), error);
}

static int read_all(struct lines *lines, uint64_t *bytes_left, struct dsar_session *session,
                    enum lines_end *end, struct dsar_error *error)
{
    for (;;) {
        size_t room = *bytes_left < sizeof lines->block ? (size_t)*bytes_left : sizeof lines->block;
        if (room == 0)
            *end = LINES_TOO_MANY;
        if (room == 0)
            return 0;
        la_ssize_t n = archive_read_data(lines->archive, lines->block, room);
        if (n == ARCHIVE_RETRY)
            continue;
        if (n <= 0) {
            bool is_cut = lines->rest.len > 0 || lines->is_too_long;
            *end = n < 0 ? LINES_UNREADABLE : is_cut ? LINES_CUT : LINES_WHOLE;
            return 0;
        }
        *bytes_left -= (uint64_t)n;
        if (use_block(lines, (size_t)n, error) || dsar_progress(session, 0, 0, error))
            return -1;
    }
}

static struct archive *open_archive(int fd, bool is_gzip)
{
    struct archive *archive = archive_read_new();
    if (archive && (!is_gzip || archive_read_support_filter_gzip(archive) == ARCHIVE_OK) &&
        archive_read_support_format_raw(archive) == ARCHIVE_OK &&
        archive_read_support_format_empty(archive) == ARCHIVE_OK &&
        archive_read_open_fd(archive, fd, BLOCK_BYTES) == ARCHIVE_OK)
        return archive;
    archive_read_free(archive);
    return NULL;
}

int lines_read(int fd, bool is_gzip, uint64_t *bytes_left, struct dsar_session *session, lines_cb use,
               void *ctx, enum lines_end *end, struct dsar_error *error)
{
    struct lines lines = {.archive = open_archive(fd, is_gzip), .use = use, .ctx = ctx};
    struct archive_entry *entry;
    *end = LINES_UNREADABLE;
    if (!lines.archive)
        return 0;
    buf_init(&lines.rest, LINES_BYTES_MAX);
    int result = 0;
    int opened = archive_read_next_header(lines.archive, &entry);
    if (opened == ARCHIVE_EOF)
        *end = LINES_WHOLE;
    else if (opened == ARCHIVE_OK || opened == ARCHIVE_WARN)
        result = read_all(&lines, bytes_left, session, end, error);
    buf_wipe(&lines.rest);
    OPENSSL_cleanse(lines.block, sizeof lines.block);
    archive_read_free(lines.archive);
    return result;
}
