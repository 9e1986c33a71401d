#include "gather/session.h"

#include "base/clock.h"
#include "config/source_check.h"
#include "dsar/protocol.h"
#include "gather/child.h"
#include "gather/frames.h"
#include "gather/hello.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HELLO_MS           10000
#define LEAVE_MS           2000
#define CANCEL_MS          5000
#define RETRY_AFTER_MAX_MS 21600000

struct session {
    const struct catalog_source *source;
    struct child child;
    struct frames frames;
    int64_t retry_after_ms;
};

static int start(struct session *session, const struct catalog_source *source, const struct sandbox *sandbox,
                 const struct session_options *options, struct fault *fault)
{
    session->child = (struct child){.in = -1, .out = -1, .log = -1};
    session->frames = (struct frames){
        .child = &session->child,
        .cancel = options->cancel,
        .log = options->log,
        .source = source->config->name,
        .deadline_ms = clock_now_ms() + HELLO_MS,
        .keep_alive_ms = HELLO_MS,
    };
    frames_init(&session->frames);
    return child_start(&session->child, source->argv, sandbox, fault);
}

static int protocol_fault(const struct session *session, struct fault *fault, const char *what)
{
    return fault_set(fault, "source_protocol", "source %s: %s", session->frames.source, what);
}

static int read_hello(struct session *session, json_t **hello, struct fault *fault)
{
    const char *type;
    if (frames_read(&session->frames, hello, &type, fault))
        return -1;
    if (strcmp(type, "hello") == 0 &&
        json_integer_value(json_object_get(*hello, "protocol")) == DSAR_PROTOCOL_VERSION)
        return 0;
    json_decref(*hello);
    *hello = NULL;
    return protocol_fault(session, fault, "expected a hello of protocol version 1");
}

int session_ask_hello(const struct catalog_source *source, const struct sandbox *sandbox,
                      const struct session_options *options, json_t **hello, struct fault *fault)
{
    struct session session = {0};
    int result = -1;
    if (start(&session, source, sandbox, options, fault) == 0)
        result = read_hello(&session, hello, fault);
    child_end(&session.child, result ? 0 : LEAVE_MS);
    frames_wipe(&session.frames);
    return result;
}

bool session_code_is_ours(const char *code)
{
    static const char *const ours[] = {"ambiguous", "cancelled", "no_memory", "no_descriptor", "no_process"};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(code, ours[i]) == 0)
            return true;
    return false;
}

/* Codes come from the connector; only well-formed ones go on into manifests and events, and none by which one
 * source would end the whole request. */
static const char *code_of(const json_t *message)
{
    const char *code = json_string_value(json_object_get(message, "code"));
    return code && hello_name_valid(code) && !session_code_is_ours(code) ? code : "source_failed";
}

static void take_retry_after(struct session *session, const json_t *message)
{
    const json_int_t wait_ms = json_integer_value(json_object_get(message, "retry_after_ms"));
    session->retry_after_ms = wait_ms < 0 ? 0 : wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
}

/* Turns a message with code, text and retryable into a fault. */
static int reported(struct session *session, const json_t *message, struct fault *fault)
{
    const char *text = json_string_value(json_object_get(message, "text"));
    const char *code = code_of(message);
    fault_set(fault, code, "source %s: %s", session->frames.source, text ? text : code);
    fault->retryable = json_is_true(json_object_get(message, "retryable"));
    return -1;
}

/* Reads a message that must be of type `expected`; the connector may answer `error` instead. */
static int read_expected(struct session *session, const char *expected, json_t **message, struct fault *fault)
{
    const char *type;
    if (frames_read(&session->frames, message, &type, fault))
        return -1;
    if (strcmp(type, expected) == 0)
        return 0;
    int result = strcmp(type, "error") == 0 ? reported(session, *message, fault)
                                            : protocol_fault(session, fault, "an answer of the wrong type");
    json_decref(*message);
    *message = NULL;
    return result;
}

static int configure(struct session *session, struct fault *fault)
{
    const struct catalog_source *source = session->source;
    json_t *settings, *secrets, *message = NULL, *ready = NULL;
    if (config_source_settings(source->config, source->hello, &settings, &secrets, fault))
        return -1;
    int result = -1;
    message =
        json_pack("{s:s,s:I,s:o,s:o}", "type", "configure", "keep_alive_ms",
                  (json_int_t)source->config->keep_alive_s * 1000, "settings", settings, "secrets", secrets);
    if (!message)
        result = fault_retry(fault, "no_memory", "no memory to configure source %s", source->config->name);
    else if (frames_write(&session->frames, message, fault) == 0)
        result = read_expected(session, "ready", &ready, fault);
    json_decref(message);
    json_decref(ready);
    return result;
}

int session_open(struct session **session, const struct catalog_source *source,
                 const struct session_options *options, struct fault *fault)
{
    struct session *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for a session with source %s",
                           source->config->name);
    new->source = source;
    json_t *hello = NULL;
    if (start(new, source, source->sandbox, options, fault) || read_hello(new, &hello, fault))
        goto failed;
    bool same = json_equal(hello, source->hello);
    json_decref(hello);
    if (!same) {
        fault_set(fault, "source_changed",
                  "source %s: its connector or profile is not the one that was there at start; restart dsard",
                  source->config->name);
        goto failed;
    }
    if (configure(new, fault))
        goto failed;
    *session = new;
    return 0;
failed:
    session_close(new);
    return -1;
}

/* Says that the work is no longer wanted. It need not be heard: the end of the connector's input says the
 * same. */
static void say_cancel(const struct session *session)
{
    static const char cancel[] = "{\"type\":\"cancel\"}\n";
    ssize_t n = write(session->child.in, cancel, sizeof cancel - 1);
    (void)n;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    bool cancelled = cancel_raised(session->frames.cancel) && session->child.in >= 0;
    if (cancelled)
        say_cancel(session);
    child_end(&session->child, cancelled ? CANCEL_MS : LEAVE_MS);
    frames_wipe(&session->frames);
    free(session);
}

static int ask(struct session *session, json_t *question, unsigned deadline_s, struct fault *fault)
{
    if (!question)
        return fault_retry(fault, "no_memory", "no memory to ask source %s", session->frames.source);
    session->frames.deadline_ms = clock_now_ms() + (int64_t)deadline_s * 1000;
    session->frames.keep_alive_ms = (int64_t)session->source->config->keep_alive_s * 1000;
    session->retry_after_ms = 0;
    int result = json_object_set_new(question, "deadline_ms", json_integer((json_int_t)deadline_s * 1000));
    if (result)
        fault_retry(fault, "no_memory", "no memory to ask source %s", session->frames.source);
    else
        result = frames_write(&session->frames, question, fault);
    json_decref(question);
    return result;
}

static int read_done(struct session *session, const json_t *message, bool *found, struct fault *fault)
{
    const char *status = json_string_value(json_object_get(message, "status"));
    take_retry_after(session, message);
    if (status && strcmp(status, "failed") == 0)
        return reported(session, message, fault);
    *found = status && strcmp(status, "ok") == 0;
    if (*found || (status && strcmp(status, "not_found") == 0))
        return 0;
    return protocol_fault(session, fault, "`status` of done must be ok, not_found or failed");
}

typedef int take_message(void *ctx, const json_t *message, const char *type, const struct buf *payload,
                         struct fault *fault);

/* Hands on what comes up to `done`. */
static int listen_until_done(struct session *session, take_message *message_cb, void *ctx, bool *found,
                             struct fault *fault)
{
    for (;;) {
        json_t *message;
        const char *type;
        if (frames_read(&session->frames, &message, &type, fault))
            return -1;
        bool done = strcmp(type, "done") == 0;
        int result = done ? read_done(session, message, found, fault)
                          : message_cb(ctx, message, type, &session->frames.payload, fault);
        json_decref(message);
        if (done || result)
            return result;
    }
}

struct resolve {
    const struct session *session;
    int (*yield_cb)(void *ctx, const char *kind, const char *value, struct fault *fault);
    void *ctx;
};

static int take_identity(void *ctx, const json_t *message, const char *type, const struct buf *payload,
                         struct fault *fault)
{
    (void)payload;
    const struct resolve *resolve = ctx;
    if (strcmp(type, "progress") == 0 || strcmp(type, "warning") == 0)
        return 0;
    if (strcmp(type, "identity") != 0)
        return protocol_fault(resolve->session, fault, "a message that does not belong into resolve");
    const char *kind = json_string_value(json_object_get(message, "kind"));
    const char *value = json_string_value(json_object_get(message, "value"));
    if (!kind || !value)
        return protocol_fault(resolve->session, fault, "an identity needs `kind` and `value` as texts");
    return resolve->yield_cb(resolve->ctx, kind, value, fault);
}

int session_resolve(struct session *session, const char *request, json_t *identities,
                    int (*yield_cb)(void *ctx, const char *kind, const char *value, struct fault *fault),
                    void *ctx, bool *found, struct fault *fault)
{
    json_t *question =
        json_pack("{s:s,s:s,s:O}", "type", "resolve", "request", request, "identities", identities);
    if (ask(session, question, session->source->config->resolve_deadline_s, fault))
        return -1;
    struct resolve resolve = {session, yield_cb, ctx};
    return listen_until_done(session, take_identity, &resolve, found, fault);
}

int session_fetch(struct session *session, const char *request, json_t *identities, json_t *collections,
                  int (*message_cb)(void *ctx, const json_t *message, const char *type,
                                    const struct buf *payload, struct fault *fault),
                  void *ctx, bool *found, struct fault *fault)
{
    json_t *question = json_pack("{s:s,s:s,s:O,s:O}", "type", "fetch", "request", request, "identities",
                                 identities, "collections", collections);
    if (ask(session, question, session->source->config->deadline_s, fault))
        return -1;
    return listen_until_done(session, message_cb, ctx, found, fault);
}

int64_t session_retry_after_ms(const struct session *session)
{
    return session->retry_after_ms;
}
