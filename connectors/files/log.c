#include "log.h"

#include "../sdk/error.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "beneath.h"
#include "lines.h"
#include "log_match.h"
#include "log_names.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct reading {
    const struct root *root;
    struct dsar_session *session;
    struct tally *tally;
    struct log_match match;
    struct buf text; /* of one field, as UTF-8 */
    uint64_t bytes_left;
    uint64_t n_records;
    bool is_over;
};

/* The field as text; null for "-" and what the format does not have. A new reference, NULL without memory. */
static json_t *text_of(struct buf *room, const struct log_text *field)
{
    if (field->len == 0 || (field->len == 1 && *field->data == '-'))
        return json_null();
    buf_clear(room);
    for (size_t at = 0; at < field->len;) {
        size_t step = utf8_length(field->data + at, field->len - at);
        if (step ? buf_append(room, field->data + at, step, NULL) : buf_append_text(room, REPLACEMENT, NULL))
            return NULL;
        at += step ? step : 1;
    }
    return json_stringn(room->data, room->len);
}

static json_t *number_of(const struct log_text *field)
{
    return *field->data == '-' ? json_null() : json_integer(strtoll(field->data, NULL, 10));
}

static json_t *record_of(struct buf *room, const struct log_line *line)
{
    json_t *record = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "time", text_of(room, &line->time),
                               "address", text_of(room, &line->address), "user", text_of(room, &line->user),
                               "request", text_of(room, &line->request), "status", number_of(&line->status),
                               "bytes", number_of(&line->bytes));
    const struct {
        const char *name;
        const struct log_text *field;
    } more[] = {{"host", &line->host}, {"referer", &line->referer}, {"user_agent", &line->user_agent}};
    for (size_t i = 0; record && i < sizeof more / sizeof *more; i++)
        if (more[i].field->data && json_object_set_new(record, more[i].name, text_of(room, more[i].field))) {
            json_decref(record);
            return NULL;
        }
    return record;
}

static int send_line(struct reading *reading, const struct log_line *line, struct dsar_error *error)
{
    json_t *record = record_of(&reading->text, line);
    char *text = record ? json_dumps(record, JSON_COMPACT) : NULL;
    json_decref(record);
    if (!text)
        return error_no_memory(error);
    size_t len = strlen(text);
    int result = dsar_record(reading->session, text, len, error);
    OPENSSL_cleanse(text, len);
    free(text);
    reading->n_records++;
    return result;
}

static int use_line(void *ctx, const char *text, size_t len, struct dsar_error *error)
{
    struct reading *reading = ctx;
    struct log_line line;
    if (!text || !log_line_read(&line, reading->root->format, text, len)) {
        reading->tally->n[TALLY_NOT_THE_FORMAT]++;
        return 0;
    }
    if (reading->is_over || !log_match_has(&reading->match, &line))
        return 0;
    if (reading->n_records == reading->root->entries_max) {
        reading->tally->n[TALLY_TOO_MANY] = 1;
        reading->is_over = true;
        return 0;
    }
    return send_line(reading, &line, error);
}

static void count_end(struct reading *reading, enum lines_end end, bool is_live)
{
    switch (end) {
    case LINES_WHOLE: break;
    case LINES_CUT:
        /* the last line of the live one is being written */
        reading->tally->n[TALLY_NOT_THE_FORMAT] += !is_live;
        break;
    case LINES_UNREADABLE: reading->tally->n[TALLY_UNREADABLE]++; break;
    case LINES_TOO_MANY:
        reading->tally->n[TALLY_TOO_LARGE]++;
        reading->is_over = true;
        break;
    }
}

static int read_file(struct reading *reading, int folder, const struct log_name *name,
                     struct dsar_error *error)
{
    struct stat stat;
    int fd = beneath_file(folder, name->name);
    if (fd < 0 || fstat(fd, &stat)) {
        tally_miss(reading->tally, errno);
        if (fd >= 0)
            close(fd);
        return 0;
    }
    int result = 0;
    if (S_ISREG(stat.st_mode)) {
        enum lines_end end;
        result = lines_read(fd, name->is_gzip, &reading->bytes_left, reading->session, use_line, reading,
                            &end, error);
        if (!result)
            count_end(reading, end, name->is_live);
    } else {
        reading->tally->n[TALLY_SPECIAL]++;
    }
    close(fd);
    return result;
}

/* A log that was rotated meanwhile may have been read twice, or not at all. */
static int look_again(const struct reading *reading, int folder, const char *name,
                      const struct log_names *names, struct dsar_error *error)
{
    struct log_names now;
    if (log_names_list(&now, folder, name, error))
        return -1;
    reading->tally->n[TALLY_VANISHED] += !log_names_equal(names, &now);
    log_names_wipe(&now);
    return 0;
}

static int read_files(struct reading *reading, int folder, const char *name, struct log_outcome *outcome,
                      struct dsar_error *error)
{
    struct log_names names;
    if (log_names_list(&names, folder, name, error))
        return -1;
    int result = 0;
    for (size_t i = 0; i < names.n_items && !result && !reading->is_over; i++)
        result = read_file(reading, folder, &names.items[i], error);
    if (!result)
        result = look_again(reading, folder, name, &names, error);
    outcome->n_files = names.n_items;
    log_names_wipe(&names);
    return result;
}

int log_send(const struct root *root, int folder, const char *name, struct dsar_session *session,
             const struct dsar_identities *identities, struct tally *tally, struct log_outcome *outcome,
             struct dsar_error *error)
{
    struct reading reading = {
        .root = root, .session = session, .tally = tally, .bytes_left = root->bytes_max};
    const char *type =
        json_string_value(json_object_get(json_object_get(root->spec, "needs"), root->match_kind));
    *outcome = (struct log_outcome){.n_files = 0};
    if (log_match_init(&reading.match, root->is_matched_by_user, root->match_kind, type, identities, error))
        return -1;
    buf_init(&reading.text, 3 * LINES_BYTES_MAX);
    int result = read_files(&reading, folder, name, outcome, error);
    buf_wipe(&reading.text);
    outcome->n_records = reading.n_records;
    return result;
}
