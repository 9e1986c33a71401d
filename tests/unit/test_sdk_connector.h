/* A connector on the SDK, which does what its collections' names say. */
#ifndef DSAR_TEST_SDK_CONNECTOR_H
#define DSAR_TEST_SDK_CONNECTOR_H

#include "test_sdk_driver.h"

#include <poll.h>
#include <time.h>

#define IDS       "\"identities\":[{\"kind\":\"email\",\"value\":\"alice@example.test\"}]"
#define CONFIGURE "{\"type\":\"configure\",\"settings\":{\"a\":\"b\"},\"secrets\":{\"token\":\"t\"}}"
#define RESOLVE   "{\"type\":\"resolve\",\"request\":\"r\",\"deadline_ms\":60000," IDS "}"
#define FETCH(collections)                                                                                   \
    "{\"type\":\"fetch\",\"request\":\"r\",\"deadline_ms\":60000,\"collections\":[" collections "]," IDS "}"

/* What the connector under test is to do is the first character of its collection's name. */
static inline json_t *hello_cb(int argc, char **argv, void **state, struct dsar_error *error)
{
    if (argc > 1) {
        dsar_error_set(error, "bad_arguments", false, "no arguments are expected, found %s", argv[1]);
        return NULL;
    }
    *state = NULL;
    const char *const names[] = {"three",    "absent",   "partial", "failed",  "unreachable", "refused",
                                 "wait",     "progress", "many",    "limited", "busy",        "papers",
                                 "cut.file", "large",    "chatty",  "lying"};
    json_t *collections = json_array();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        json_array_append_new(collections, json_pack("{s:s, s:s, s:s, s:[s]}", "name", names[i], "title",
                                                     names[i], "category", "test", "needs", "email"));
    return json_pack("{s:s, s:s, s:[], s:{s:[s], s:[s]}, s:o}", "name", "test", "version", "1", "settings",
                     "resolve", "needs", "email", "yields", "id", "collections", collections);
}

static inline int configure_cb(void *state, const json_t *settings, const json_t *secrets,
                               struct dsar_error *error)
{
    if (!json_object_get(settings, "a") || !json_object_get(secrets, "token"))
        return dsar_error_set(error, "bad_settings", false, "a: expected\nsomething");
    return 0;
}

static inline int resolve_cb(void *state, struct dsar_session *session,
                             const struct dsar_identities *identities, bool *found, struct dsar_error *error)
{
    const char *email = dsar_identity_first(identities, "email");
    if (strcmp(email, "nobody@example.test") == 0) {
        *found = false;
        return 0;
    }
    if (strcmp(email, "down@example.test") == 0) {
        error->retry_after_ms = 0;
        dsar_error_set(error, "source_unreachable", true, "no answer");
        error->retry_after_ms = 1500;
        return -1;
    }
    if (strcmp(email, "undeclared@example.test") == 0)
        return dsar_yield(session, "other", "1", "x", error);
    *found = true;
    printf("what a library prints does not enter the conversation\n");
    return dsar_yield(session, "id", "4711", "exact match of e-mail", error);
}

static inline int send_number(struct dsar_session *session, int i, struct dsar_error *error)
{
    char record[64];
    int len = snprintf(record, sizeof record, "{\"i\":%d}", i);
    return dsar_record(session, record, (size_t)len, error);
}

static inline int send_files(struct dsar_session *session, size_t size, struct dsar_error *error)
{
    char *data = malloc(size ? size : 1);
    memset(data, 'x', size ? size : 1);
    int result = dsar_file_begin(session, "9", "näme.bin", "application/x", error) ||
                         dsar_file_write(session, data, size / 2, error) ||
                         dsar_file_write(session, data, size - size / 2, error) ||
                         dsar_file_end(session, error)
                     ? -1
                     : 0;
    free(data);
    return result;
}

static inline int wait_for_the_end(struct dsar_session *session, struct dsar_error *error)
{
    for (uint64_t i = 1;; i++) {
        if (dsar_progress(session, i, 0, error))
            return -1;
        const struct timespec nap = {.tv_nsec = 1000000};
        nanosleep(&nap, NULL);
    }
}

static inline int send_many(struct dsar_session *session, struct dsar_error *error)
{
    char record[1000];
    memset(record, 'x', sizeof record);
    memcpy(record, "{\"a\":\"", 6);
    memcpy(record + sizeof record - 2, "\"}", 2);
    for (int i = 0; i < 1000; i++)
        if (dsar_record(session, record, sizeof record, error))
            return -1;
    return 0;
}

static inline int send_large(struct dsar_session *session, enum dsar_status *status, struct dsar_error *error)
{
    static char record[262145];
    memset(record, 'x', sizeof record);
    memcpy(record, "{\"a\":\"", 6);
    memcpy(record + sizeof record - 3, "\"}", 2);
    if (send_number(session, 1, error) || dsar_record(session, record, sizeof record - 1, error) ||
        send_number(session, 2, error))
        return -1;
    if (dsar_record(session, record, sizeof record, error) != -1 ||
        strcmp(error->code, "record_too_large") != 0)
        return dsar_error_set(error, "too_large_was_taken", false, "x");
    *status = DSAR_PARTIAL;
    return dsar_withheld(session, 1, "record_too_large", error);
}

static inline int send_chatty(struct dsar_session *session, struct dsar_error *error)
{
    if (dsar_record(session, "{\n}", 3, error) != -1)
        return dsar_error_set(error, "newline_was_taken", false, "x");
    for (int i = 0; i < 100000; i++)
        if (dsar_progress(session, (uint64_t)i, 100000, error))
            return -1;
    dsar_warning(session, "odd", "line one\nline two \xff");
    char name[1026] = "";
    memset(name, 'x', 1025);
    if (dsar_file_begin(session, "1", name, "b/c", error) != -1)
        return dsar_error_set(error, "long_name_was_taken", false, "x");
    if (dsar_withheld(session, 0, "trade_secret", error))
        return -1;
    return send_number(session, 1, error) || dsar_withheld(session, 3, "trade_secret", error) ||
                   send_number(session, 2, error)
               ? -1
               : 0;
}

/* How long work goes on that says progress. */
static time_t progress_s = 3;

static inline int send_progress(struct dsar_session *session, struct dsar_error *error)
{
    struct timespec begin;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    if (send_number(session, 1, error))
        return -1;
    do {
        if (dsar_progress(session, 7, 9, error))
            return -1;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < progress_s);
    return 0;
}

static inline int fetch_cb(void *state, struct dsar_session *session, const char *collection,
                           const struct dsar_identities *identities, enum dsar_status *status,
                           struct dsar_error *error)
{
    *status = DSAR_COMPLETE;
    if (strcmp(collection, "three") == 0)
        return send_number(session, 1, error) || send_number(session, 2, error) ||
                       send_number(session, 3, error)
                   ? -1
                   : 0;
    if (strcmp(collection, "absent") == 0) {
        *status = DSAR_ABSENT;
        return 0;
    }
    if (strcmp(collection, "partial") == 0) {
        *status = DSAR_PARTIAL;
        dsar_error_set(error, "page_limit", true, "more pages than are read");
        struct dsar_error ignored;
        return send_number(session, 1, &ignored);
    }
    if (strcmp(collection, "failed") == 0)
        return send_number(session, 1, error) ? -1 : dsar_error_set(error, "ownership", false, "not theirs");
    if (strcmp(collection, "unreachable") == 0)
        return dsar_error_set(error, "source_unreachable", true, "no answer");
    if (strcmp(collection, "refused") == 0)
        return dsar_error_set(error, "source_refused", false, "401");
    if (strcmp(collection, "busy") == 0 || strcmp(collection, "limited") == 0) {
        dsar_error_set(error, *collection == 'b' ? "source_busy" : "source_error", true, "429");
        error->retry_after_ms = *collection == 'b' ? 7000 : 9000;
        return -1;
    }
    if (strcmp(collection, "wait") == 0)
        return wait_for_the_end(session, error);
    if (strcmp(collection, "progress") == 0)
        return send_progress(session, error);
    if (strcmp(collection, "many") == 0)
        return send_many(session, error);
    if (strcmp(collection, "papers") == 0)
        return send_number(session, 1, error) || send_files(session, 0, error) ||
                       send_files(session, 262144, error) || send_files(session, 600000, error)
                   ? -1
                   : 0;
    if (strcmp(collection, "cut.file") == 0)
        return dsar_file_begin(session, "1", "a", "b/c", error);
    if (strcmp(collection, "large") == 0)
        return send_large(session, status, error);
    if (strcmp(collection, "chatty") == 0)
        return send_chatty(session, error);
    *status = DSAR_ABSENT;
    return send_number(session, 1, error);
}

static const struct dsar_connector connector = {
    .hello = hello_cb,
    .configure = configure_cb,
    .resolve = resolve_cb,
    .fetch = fetch_cb,
};

static inline void start(struct driver *driver)
{
    if (driver_fork(driver) == 0) {
        char *argv[] = {(char[]){"test"}, NULL};
        exit(dsar_connector_main(1, argv, &connector));
    }
}

/* Past the handshake. */
static inline void start_ready(struct driver *driver)
{
    start(driver);
    driver_expect_code(driver, "hello", NULL);
    driver_say(driver, CONFIGURE);
    driver_expect(driver, "{\"type\":\"ready\"}");
}

#endif
