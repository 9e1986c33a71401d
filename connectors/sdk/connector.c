#include "base/clock.h"
#include "base/secret.h"
#include "error.h"
#include "name.h"
#include "sandbox/strict.h"
#include "session.h"

#include <dsar/protocol.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_OK         0
#define EXIT_BROKEN     1
#define EXIT_WRONG      2
#define DEADLINE_MAX_MS ((int64_t)7 * 24 * 3600 * 1000)

struct talk {
    const struct dsar_connector *connector;
    void *state;
    json_t *hello;
    struct dsar_session session;
    bool is_configured;
    bool is_done; /* the connector has said that it leaves */
};

const char *dsar_identity_first(const struct dsar_identities *identities, const char *kind)
{
    for (size_t i = 0; i < identities->n_items; i++)
        if (strcmp(identities->items[i].kind, kind) == 0)
            return identities->items[i].value;
    return NULL;
}

static int unexpected(struct dsar_error *error, const char *what)
{
    return dsar_error_set(error, "conversation", false, "standard input: %s", what);
}

/* Borrows the strings of `message`; *items is the caller's to free, NULL on failure. */
static int read_identities(const json_t *message, struct dsar_identity **items,
                           struct dsar_identities *identities, struct dsar_error *error)
{
    const json_t *array = json_object_get(message, "identities");
    if (!json_is_array(array))
        return unexpected(error, "expected an array `identities`");
    size_t n_items = json_array_size(array);
    *items = calloc(n_items ? n_items : 1, sizeof **items);
    if (!*items)
        return error_no_memory(error);
    for (size_t i = 0; i < n_items; i++) {
        const json_t *item = json_array_get(array, i);
        (*items)[i].kind = json_string_value(json_object_get(item, "kind"));
        (*items)[i].value = json_string_value(json_object_get(item, "value"));
        if (!(*items)[i].kind || !(*items)[i].value) {
            free(*items);
            *items = NULL;
            return unexpected(error, "expected identities with `kind` and `value`, both text");
        }
    }
    *identities = (struct dsar_identities){.items = *items, .n_items = n_items};
    return 0;
}

static int read_deadline(struct dsar_session *session, const json_t *message, struct dsar_error *error)
{
    const json_t *value = json_object_get(message, "deadline_ms");
    json_int_t deadline_ms = json_integer_value(value);
    if (!json_is_integer(value) || deadline_ms < 0)
        return unexpected(error, "expected `deadline_ms`, a number of milliseconds");
    session->deadline_ms = clock_now_ms() + (deadline_ms < DEADLINE_MAX_MS ? deadline_ms : DEADLINE_MAX_MS);
    return 0;
}

/* `failure` NULL: `status` alone. `retry_after_ms` 0: without. */
static int send_done(struct talk *talk, const char *status, const struct dsar_error *failure,
                     int64_t retry_after_ms, struct dsar_error *error)
{
    json_t *message = json_pack("{s:s, s:s}", "type", "done", "status", status);
    bool is_short = message && failure && session_add_error(message, failure);
    if (message && retry_after_ms > 0 &&
        json_object_set_new(message, "retry_after_ms", json_integer(retry_after_ms)))
        is_short = true;
    if (is_short) {
        json_decref(message);
        message = NULL;
    }
    return session_send(&talk->session, message, error);
}

static int do_configure(struct talk *talk, const json_t *message, struct dsar_error *error)
{
    const json_t *settings = json_object_get(message, "settings");
    const json_t *secrets = json_object_get(message, "secrets");
    if (talk->is_configured || !json_is_object(settings) || !json_is_object(secrets))
        return unexpected(error, "expected one `configure` with objects `settings` and `secrets`");
    struct dsar_error refusal = {.code = ""};
    if (talk->connector->configure && talk->connector->configure(talk->state, settings, secrets, &refusal)) {
        json_t *answer = json_pack("{s:s}", "type", "error");
        if (answer && session_add_error(answer, &refusal)) {
            json_decref(answer);
            answer = NULL;
        }
        talk->is_done = true;
        return session_send(&talk->session, answer, error);
    }
    json_int_t keep_alive_ms = json_integer_value(json_object_get(message, "keep_alive_ms"));
    if (keep_alive_ms > 0)
        session_keep_alive(&talk->session, keep_alive_ms);
    talk->is_configured = true;
    return session_send(&talk->session, json_pack("{s:s}", "type", "ready"), error);
}

static void settle(const struct talk *talk)
{
    if (talk->connector->settle)
        talk->connector->settle(talk->state);
}

/* `about` may be empty, or anything that the system says. */
static int send_system(struct talk *talk, const struct dsar_about *about, struct dsar_error *error)
{
    struct dsar_error line;
    dsar_error_set(&line, "", false, "%s", about->system); /* makes one line of any text */
    json_t *message = json_pack("{s:s, s:s, s:s*}", "type", "done", "status", "ok", "system",
                                line.text[0] ? line.text : NULL);
    return session_send(&talk->session, message, error);
}

static int do_check(struct talk *talk, const json_t *message, struct dsar_error *error)
{
    if (!talk->connector->check || !json_is_true(json_object_get(talk->hello, "check")))
        return unexpected(error, "a `check`, which hello does not offer");
    if (read_deadline(&talk->session, message, error))
        return -1;
    struct dsar_error failure = {.code = ""};
    struct dsar_about about = {.system = ""};
    int failed = talk->connector->check(talk->state, &talk->session, &about, &failure);
    settle(talk);
    if (talk->session.wire.at_end)
        return 0;
    if (failed)
        return send_done(talk, "failed", &failure, failure.retry_after_ms, error);
    return send_system(talk, &about, error);
}

static int do_resolve(struct talk *talk, const json_t *message, struct dsar_error *error)
{
    struct dsar_identity *items;
    struct dsar_identities identities;
    if (!talk->connector->resolve)
        return unexpected(error, "a `resolve`, which hello does not offer");
    if (read_deadline(&talk->session, message, error) || read_identities(message, &items, &identities, error))
        return -1;
    struct dsar_error failure = {.code = ""};
    bool found = false;
    talk->session.in_resolve = true;
    int failed = talk->connector->resolve(talk->state, &talk->session, &identities, &found, &failure);
    talk->session.in_resolve = false;
    settle(talk);
    free(items);
    if (talk->session.wire.at_end)
        return 0;
    if (failed)
        return send_done(talk, "failed", &failure, failure.retry_after_ms, error);
    return send_done(talk, found ? "ok" : "not_found", NULL, 0, error);
}

static bool is_asked_for(const json_t *asked, const char *collection)
{
    size_t i;
    json_t *item;
    json_array_foreach (asked, i, item) {
        if (strcmp(json_string_value(item), collection) == 0)
            return true;
    }
    return false;
}

/* One fetch on its way. */
struct fetch {
    const struct dsar_identities *identities;
    bool is_given_up;          /* `failure` holds for all that is left */
    bool is_anything_found;    /* some collection is not `absent` */
    int64_t retry_after_ms;    /* the longest wait that the system asked for */
    struct dsar_error failure; /* why it was given up */
};

static bool ends_fetch(const struct dsar_error *error)
{
    return strcmp(error->code, "source_unreachable") == 0 || strcmp(error->code, "source_refused") == 0 ||
           strcmp(error->code, "source_busy") == 0;
}

static int fetch_collection(struct talk *talk, struct fetch *fetch, const char *collection,
                            struct dsar_error *error)
{
    enum dsar_status status = DSAR_FAILED;
    struct dsar_error reason = fetch->failure;
    session_begin(&talk->session, collection);
    if (!fetch->is_given_up) {
        if (session_is_over(&talk->session))
            dsar_error_set(&reason, "source_timeout", true, "stopped before it was asked for");
        else if (talk->connector->fetch(talk->state, &talk->session, collection, fetch->identities, &status,
                                        &reason))
            status = DSAR_FAILED;
        if (status == DSAR_FAILED && (ends_fetch(&reason) || session_is_over(&talk->session))) {
            fetch->is_given_up = true;
            fetch->failure = reason;
        }
    }
    fetch->is_anything_found = fetch->is_anything_found || status != DSAR_ABSENT;
    if ((status == DSAR_FAILED || status == DSAR_PARTIAL) && fetch->retry_after_ms < reason.retry_after_ms)
        fetch->retry_after_ms = reason.retry_after_ms;
    /* dsard is gone, or wants nothing of it any more */
    if (talk->session.wire.at_end || talk->session.is_cancelled) {
        session_abandon(&talk->session);
        return 0;
    }
    *error = reason;
    return session_end(&talk->session, status, error);
}

static bool is_known(const struct talk *talk, const char *collection)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(talk->hello, "collections"), i, item) {
        if (strcmp(json_string_value(json_object_get(item, "name")), collection) == 0)
            return true;
    }
    return false;
}

/* Every name that was asked for gets its `end`, also one that hello does not have. */
static int refuse_unknown(struct talk *talk, const json_t *asked, struct dsar_error *error)
{
    size_t i;
    json_t *item;
    json_array_foreach (asked, i, item) {
        if (is_known(talk, json_string_value(item)))
            continue;
        session_begin(&talk->session, json_string_value(item));
        dsar_error_set(error, "unknown_collection", false, "hello has no such collection");
        if (session_end(&talk->session, DSAR_FAILED, error))
            return -1;
    }
    return 0;
}

static int fetch_all(struct talk *talk, const json_t *asked, struct fetch *fetch, struct dsar_error *error)
{
    if (refuse_unknown(talk, asked, error))
        return -1;
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(talk->hello, "collections"), i, item) {
        const char *collection = json_string_value(json_object_get(item, "name"));
        if (is_asked_for(asked, collection) && !talk->session.is_cancelled &&
            fetch_collection(talk, fetch, collection, error))
            return -1;
    }
    if (talk->session.wire.at_end)
        return 0;
    /* a `failed` would drop what ended complete; only who cancels wants nothing of it */
    if (talk->session.is_cancelled) {
        dsar_error_set(&fetch->failure, "cancelled", false, "dsard wants the work stopped");
        return send_done(talk, "failed", &fetch->failure, 0, error);
    }
    return send_done(talk, fetch->is_anything_found ? "ok" : "not_found", NULL, fetch->retry_after_ms, error);
}

static bool are_names(const json_t *array)
{
    size_t i;
    json_t *item;
    json_array_foreach (array, i, item) {
        if (!name_is_valid(json_string_value(item)))
            return false;
    }
    return json_is_array(array) && json_array_size(array) > 0;
}

static int do_fetch(struct talk *talk, const json_t *message, struct dsar_error *error)
{
    const json_t *asked = json_object_get(message, "collections");
    struct dsar_identity *items = NULL;
    struct dsar_identities identities = {.n_items = 0};
    if (!are_names(asked))
        return unexpected(error, "expected `collections`, an array of names");
    if (read_deadline(&talk->session, message, error) || read_identities(message, &items, &identities, error))
        return -1;
    struct fetch fetch = {.identities = &identities};
    int result = fetch_all(talk, asked, &fetch, error);
    settle(talk);
    free(items);
    return result;
}

static int answer(struct talk *talk, const char *type, const json_t *message, struct dsar_error *error)
{
    talk->session.is_cancelled = false;
    if (strcmp(type, "configure") == 0)
        return do_configure(talk, message, error);
    /* a cancel that crossed our `done` on its way */
    if (strcmp(type, "cancel") == 0)
        return 0;
    if (talk->is_configured && strcmp(type, "check") == 0)
        return do_check(talk, message, error);
    if (talk->is_configured && strcmp(type, "resolve") == 0)
        return do_resolve(talk, message, error);
    if (talk->is_configured && strcmp(type, "fetch") == 0)
        return do_fetch(talk, message, error);
    return unexpected(error, "a message of an unknown type, or at the wrong time");
}

static int converse(struct talk *talk, struct dsar_error *error)
{
    struct dsar_session *session = &talk->session;
    if (session_send(session, json_incref(talk->hello), error))
        return -1;
    while (!talk->is_done && !session->wire.at_end) {
        json_t *message;
        const char *type;
        if (wire_receive(&session->wire, true, &message, &type, error))
            return -1;
        if (!message)
            return 0;
        int result = answer(talk, type, message, error);
        json_decref(message);
        if (result || session->is_broken)
            return -1;
    }
    return 0;
}

/* Keeps the conversation's descriptors to itself: what a library prints lands in the log. */
static int take_descriptors(int *in_fd, int *out_fd)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    *in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    *out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int result = null_fd < 0 || *in_fd < 0 || *out_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
                         dup2(STDERR_FILENO, STDOUT_FILENO) < 0
                     ? -1
                     : 0;
    if (null_fd >= 0)
        close(null_fd);
    return result;
}

static int talk_through(struct talk *talk, struct dsar_error *error)
{
    int in_fd;
    int out_fd;
    if (take_descriptors(&in_fd, &out_fd))
        return dsar_error_set(error, "conversation", false, "standard input and output are not there");
    session_init(&talk->session, in_fd, out_fd);
    talk->session.yields = json_object_get(json_object_get(talk->hello, "resolve"), "yields");
    int result = converse(talk, error);
    session_wipe(&talk->session);
    close(in_fd);
    close(out_fd);
    return result;
}

/* Puts `type` and `protocol` in front of what the connector says of itself. */
static int add_head(json_t **hello)
{
    json_t *whole = json_pack("{s:s, s:i}", "type", "hello", "protocol", DSAR_PROTOCOL_VERSION);
    int result = whole ? json_object_update(whole, *hello) : -1;
    json_decref(*hello);
    *hello = whole;
    return result;
}

static int serve(struct talk *talk, int argc, char **argv)
{
    struct dsar_error error = {.code = ""};
    struct fault fault;
    talk->hello = talk->connector->hello(argc, argv, &talk->state, &error);
    if (!talk->hello) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_WRONG;
    }
    if (!talk->connector->is_loose && strict_enter(&fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return EXIT_BROKEN;
    }
    if (add_head(&talk->hello))
        return EXIT_BROKEN;
    if (talk_through(talk, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return EXIT_BROKEN;
    }
    return EXIT_OK;
}

int dsar_connector_main(int argc, char **argv, const struct dsar_connector *connector)
{
    struct talk talk = {.connector = connector};
    struct fault fault;
    if (secret_harden_process(&fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return EXIT_BROKEN;
    }
    signal(SIGPIPE, SIG_IGN);
    int status = serve(&talk, argc, argv);
    json_decref(talk.hello);
    if (talk.state && connector->leave)
        connector->leave(talk.state);
    return status;
}
