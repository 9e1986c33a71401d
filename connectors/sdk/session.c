#include "session.h"

#include "base/clock.h"
#include "base/plain.h"
#include "error.h"
#include "name.h"

#include <dsar/protocol.h>
#include <string.h>

/* Often enough for DSAR_KEEP_ALIVE_MS, seldom enough to cost nothing. */
#define PROGRESS_INTERVAL_MS 2000

void session_init(struct dsar_session *session, int in_fd, int out_fd)
{
    *session = (struct dsar_session){.progress_ms = PROGRESS_INTERVAL_MS};
    wire_init(&session->wire, in_fd, out_fd);
    buf_init(&session->batch, DSAR_PAYLOAD_MAX);
}

void session_wipe(struct dsar_session *session)
{
    json_decref(session->file);
    buf_wipe(&session->batch);
    wire_wipe(&session->wire);
}

void session_keep_alive(struct dsar_session *session, int64_t keep_alive_ms)
{
    session->progress_ms =
        keep_alive_ms / 4 < PROGRESS_INTERVAL_MS ? keep_alive_ms / 4 : PROGRESS_INTERVAL_MS;
}

/* Sends a message of which the caller keeps its reference. */
static int send_with(struct dsar_session *session, json_t *message, const char *payload, size_t len,
                     struct dsar_error *error)
{
    if (session->is_broken) {
        *error = session->breakage;
        return -1;
    }
    if (!message)
        return error_no_memory(error);
    if (wire_send(&session->wire, message, payload, len, error)) {
        session->is_broken = strcmp(error->code, "conversation") == 0;
        session->breakage = *error;
        return -1;
    }
    return 0;
}

int session_send(struct dsar_session *session, json_t *message, struct dsar_error *error)
{
    int result = send_with(session, message, NULL, 0, error);
    json_decref(message);
    return result;
}

int session_add_error(json_t *message, const struct dsar_error *error)
{
    const char *code = name_is_valid(error->code) ? error->code : "internal";
    const char *text = error->text[0] ? error->text : "the connector gave no reason";
    return json_object_set_new(message, "code", json_string(code)) ||
           json_object_set_new(message, "text", json_string(text)) ||
           json_object_set_new(message, "retryable", json_boolean(error->retryable));
}

bool session_is_over(struct dsar_session *session)
{
    if (session->is_broken || session->is_cancelled)
        return true;
    json_t *message;
    const char *type;
    if (wire_receive(&session->wire, false, &message, &type, &session->breakage)) {
        session->is_broken = true;
        return true;
    }
    if (message) {
        /* nothing else may come while work is under way */
        session->is_cancelled = strcmp(type, "cancel") == 0;
        session->is_broken = !session->is_cancelled;
        if (session->is_broken)
            dsar_error_set(&session->breakage, "conversation", false,
                           "standard input: a message other than cancel while work is under way");
        json_decref(message);
    }
    return session->is_broken || session->is_cancelled || session->wire.at_end ||
           dsar_time_left_ms(session) == 0;
}

static int check_going(struct dsar_session *session, struct dsar_error *error)
{
    if (!session_is_over(session))
        return 0;
    if (session->is_cancelled || session->is_broken || session->wire.at_end)
        return dsar_error_set(error, "cancelled", false, "dsard wants the work stopped");
    return dsar_error_set(error, "source_timeout", true, "the deadline is over");
}

/* Sends the records gathered so far. */
static int send_records(struct dsar_session *session, struct dsar_error *error)
{
    if (session->n_batched == 0)
        return 0;
    json_t *message = json_pack("{s:s, s:s, s:I}", "type", "record", "collection", session->collection,
                                "count", (json_int_t)session->n_batched);
    int result = send_with(session, message, session->batch.data, session->batch.len, error);
    json_decref(message);
    if (result)
        return -1;
    session->n_sent += session->n_batched;
    session->n_batched = 0;
    buf_clear(&session->batch);
    return 0;
}

static int flush_records(struct dsar_session *session, struct dsar_error *error)
{
    return send_records(session, error) || check_going(session, error) ? -1 : 0;
}

/* Sends the piece of the open file gathered so far. */
static int flush_piece(struct dsar_session *session, bool is_last, struct dsar_error *error)
{
    json_t *file = session->file;
    if (json_object_set_new(file, "more", json_boolean(!is_last)))
        return error_no_memory(error);
    const char *data = session->batch.data ? session->batch.data : "";
    if (send_with(session, file, data, session->batch.len, error))
        return -1;
    buf_clear(&session->batch);
    json_object_del(file, "name");
    json_object_del(file, "media_type");
    if (!is_last)
        return check_going(session, error);
    json_decref(file);
    session->file = NULL;
    session->n_sent++;
    return 0;
}

void session_begin(struct dsar_session *session, const char *collection)
{
    session->collection = collection;
    session->n_sent = 0;
    session->n_batched = 0;
    buf_clear(&session->batch);
}

void session_abandon(struct dsar_session *session)
{
    json_decref(session->file);
    session->file = NULL;
    session->collection = NULL;
    session->n_batched = 0;
    buf_clear(&session->batch);
}

static const char *status_name(enum dsar_status status)
{
    switch (status) {
    case DSAR_COMPLETE: return "complete";
    case DSAR_ABSENT: return "absent";
    case DSAR_PARTIAL: return "partial";
    case DSAR_FAILED: break;
    }
    return "failed";
}

/* What the callback left undone, or said against what it sent, makes the collection fail. */
static enum dsar_status settle(struct dsar_session *session, enum dsar_status status,
                               struct dsar_error *error)
{
    if (status == DSAR_FAILED)
        return status;
    if (session->file)
        dsar_error_set(error, "internal", false, "a file was begun and not ended");
    else if (status == DSAR_ABSENT && session->n_sent + session->n_batched > 0)
        dsar_error_set(error, "internal", false, "records were sent of someone who is said to be absent");
    else if (!send_records(session, error))
        return status;
    return DSAR_FAILED;
}

int session_end(struct dsar_session *session, enum dsar_status status, struct dsar_error *error)
{
    status = settle(session, status, error);
    buf_clear(&session->batch);
    session->n_batched = 0;
    /* an open file is closed with an empty piece, so that the framing stays whole */
    if (session->file && flush_piece(session, true, error))
        return -1;
    json_t *message = json_pack("{s:s, s:s, s:s, s:I}", "type", "end", "collection", session->collection,
                                "status", status_name(status), "count", (json_int_t)session->n_sent);
    bool has_reason = status == DSAR_PARTIAL || status == DSAR_FAILED;
    if (message && has_reason && session_add_error(message, error)) {
        json_decref(message);
        message = NULL;
    }
    session->collection = NULL;
    return session_send(session, message, error);
}

static int misused(struct dsar_error *error, const char *text)
{
    return dsar_error_set(error, "internal", false, "%s", text);
}

static bool is_announced(const json_t *yields, const char *kind)
{
    size_t i;
    json_t *item;
    json_array_foreach (yields, i, item) {
        if (strcmp(json_string_value(item), kind) == 0)
            return true;
    }
    return false;
}

int dsar_yield(struct dsar_session *session, const char *kind, const char *value, const char *evidence,
               struct dsar_error *error)
{
    if (!session->in_resolve || !is_announced(session->yields, kind))
        return misused(error,
                       "an identity was found outside of resolve, or of a kind that hello does not yield");
    size_t len = strlen(value);
    if (len > DSAR_IDENTITY_MAX || !plain_is(value, len))
        return dsar_error_set(error, "bad_identity", false,
                              "%s: expected 1 to %d bytes of UTF-8 without control characters and without "
                              "blanks at the ends, found another value",
                              kind, DSAR_IDENTITY_MAX);
    return session_send(session,
                        json_pack("{s:s, s:s, s:s, s:s}", "type", "identity", "kind", kind, "value", value,
                                  "evidence", evidence),
                        error);
}

int dsar_record(struct dsar_session *session, const char *json, size_t len, struct dsar_error *error)
{
    if (!session->collection || session->file)
        return misused(error, "a record was sent outside of a collection, or within a file");
    if (len == 0 || memchr(json, '\n', len))
        return misused(error, "a record is empty or has a raw newline in it");
    if (len > DSAR_PAYLOAD_MAX)
        return dsar_error_set(error, "record_too_large", false,
                              "a record of %zu bytes, where at most %d are possible", len, DSAR_PAYLOAD_MAX);
    bool is_full = session->batch.len + 1 + len > DSAR_PAYLOAD_MAX;
    bool is_due = clock_now_ms() - session->wire.written_ms >= session->progress_ms;
    if ((is_full || is_due) && flush_records(session, error))
        return -1;
    struct fault fault;
    if ((session->n_batched && buf_append(&session->batch, "\n", 1, &fault)) ||
        buf_append(&session->batch, json, len, &fault))
        return error_from_fault(error, &fault);
    session->n_batched++;
    return 0;
}

static bool is_file_text(const char *text)
{
    return strlen(text) <= DSAR_FILE_TEXT_MAX;
}

int dsar_file_begin(struct dsar_session *session, const char *id, const char *name, const char *media_type,
                    struct dsar_error *error)
{
    if (!session->collection || session->file)
        return misused(error, "a file was begun outside of a collection, or within another file");
    if (!is_file_text(id) || !is_file_text(name) || !is_file_text(media_type))
        return dsar_error_set(error, "internal", false,
                              "a file's id, name or media type has more than %d bytes", DSAR_FILE_TEXT_MAX);
    if (flush_records(session, error))
        return -1;
    session->file = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "file", "collection", session->collection,
                              "file", id, "name", name, "media_type", media_type);
    return session->file ? 0
                         : misused(error, "a file's id, name or media type is not UTF-8, or memory is out");
}

int dsar_file_write(struct dsar_session *session, const void *data, size_t len, struct dsar_error *error)
{
    if (!session->file)
        return misused(error, "a file was written that was not begun");
    const char *next = data;
    while (len > 0) {
        size_t room = DSAR_PAYLOAD_MAX - session->batch.len;
        if (room == 0) {
            if (flush_piece(session, false, error))
                return -1;
            continue;
        }
        size_t step = len < room ? len : room;
        struct fault fault;
        if (buf_append(&session->batch, next, step, &fault))
            return error_from_fault(error, &fault);
        next += step;
        len -= step;
    }
    return 0;
}

int dsar_file_end(struct dsar_session *session, struct dsar_error *error)
{
    if (!session->file)
        return misused(error, "a file was ended that was not begun");
    return flush_piece(session, true, error);
}

int dsar_withheld(struct dsar_session *session, uint64_t count, const char *reason, struct dsar_error *error)
{
    if (!session->collection || session->file || count > INT64_MAX || !name_is_valid(reason))
        return misused(
            error, "something was withheld outside of a collection, within a file, or without a reason code");
    if (count == 0)
        return 0;
    if (flush_records(session, error))
        return -1;
    return session_send(session,
                        json_pack("{s:s, s:s, s:I, s:s}", "type", "withheld", "collection",
                                  session->collection, "count", (json_int_t)count, "reason", reason),
                        error);
}

static json_t *progress_message(const struct dsar_session *session, uint64_t done, uint64_t total)
{
    json_t *message = json_pack("{s:s}", "type", "progress");
    bool is_whole = message &&
                    (!session->collection ||
                     !json_object_set_new(message, "collection", json_string(session->collection))) &&
                    !json_object_set_new(message, "done",
                                         json_integer(done > INT64_MAX ? INT64_MAX : (json_int_t)done)) &&
                    (total == 0 || total > INT64_MAX ||
                     !json_object_set_new(message, "total", json_integer((json_int_t)total)));
    if (is_whole)
        return message;
    json_decref(message);
    return NULL;
}

int dsar_progress(struct dsar_session *session, uint64_t done, uint64_t total, struct dsar_error *error)
{
    if (check_going(session, error))
        return -1;
    if (clock_now_ms() - session->wire.written_ms < session->progress_ms)
        return 0;
    if (flush_records(session, error))
        return -1;
    return session_send(session, progress_message(session, done, total), error);
}

int64_t dsar_time_left_ms(const struct dsar_session *session)
{
    int64_t left = session->deadline_ms - clock_now_ms();
    return left > 0 ? left : 0;
}

void dsar_warning(struct dsar_session *session, const char *code, const char *text)
{
    struct dsar_error error;
    dsar_error_set(&error, code, false, "%s", text); /* makes one line of any text */
    json_t *message = json_pack("{s:s, s:s, s:s}", "type", "warning", "code",
                                name_is_valid(error.code) ? error.code : "internal", "text", error.text);
    /* a warning that cannot be said is no reason to stop: a broken conversation is seen at the next message
     */
    if (session_send(session, message, &error))
        return;
}
