#include "postgresql_link.h"

#include "../sdk/error.h"
#include "base/clock.h"
#include "server.h"
#include "wait.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_LEN 5 /* of an SQLSTATE */

struct verdict {
    const char *state; /* a whole SQLSTATE, or the class that it begins with */
    const char *error_code;
    bool is_retryable;
    const char *text;
};

/* The first that fits holds. */
static const struct verdict verdicts[] = {
    {"28", "source_refused", false,
     "the user or the password is wrong, or the server does not let this host in"},
    {"42501", "source_refused", false, "the user may not read this"},
    {"3D000", "source_answer", false, "there is no such database"},
    {"53300", "source_busy", true, "too many connections"},
    {"57014", "source_timeout", true,
     "a statement took too long: raise the setting timeout_ms, or add an index"},
    {"57P", "source_unreachable", true, "the server is going down, or not yet up"},
    {"08", "source_unreachable", true, "the connection broke"},
    {"25006", "bad_profile", false, "the statement writes, and only reading is possible"},
    {"25P03", "source_unreachable", true, "the server ended the connection"},
    {"40", "source_error", true, "another transaction was in the way"},
    {"55P03", "source_error", true, "a lock was not given in time"},
    {"53", "source_error", true, "the server is short of memory or disk"},
    {"58", "source_error", true, "the server's system failed"},
    {"", "source_answer", false, "the server answers with an error"},
};

static int judge(struct postgresql_link *link, const char *state, const char *doing, struct dsar_error *error)
{
    const struct verdict *verdict = verdicts;
    while (strncmp(state, verdict->state, strlen(verdict->state)) != 0)
        verdict++;
    link->is_gone = link->is_gone || strcmp(verdict->error_code, "source_unreachable") == 0;
    return dsar_error_set(error, verdict->error_code, verdict->is_retryable, "%s: %s (SQLSTATE %.5s)", doing,
                          verdict->text, state);
}

int postgresql_failed(struct postgresql_link *link, const PGresult *result, const char *doing,
                      struct dsar_error *error)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (state && strlen(state) == STATE_LEN && PQstatus(link->handle) == CONNECTION_OK)
        return judge(link, state, doing, error);
    if (PQstatus(link->handle) == CONNECTION_OK)
        return error_no_memory(error); /* the library's own failure */
    link->is_gone = true;
    return dsar_error_set(error, "source_unreachable", true, "%s: the connection broke", doing);
}

/* What the server says while we connect comes as "FATAL:  28P01", since so we asked; what the library says of names,
 * addresses and certificates comes as it is, the first line. */
static int not_connected(struct postgresql_link *link, struct dsar_error *error)
{
    static const char doing[] = "connecting to the database";
    static const char fatal[] = "FATAL:  ";
    const char *message = PQerrorMessage(link->handle);
    const char *said = strstr(message, fatal);
    if (said && strlen(said) >= strlen(fatal) + STATE_LEN)
        return judge(link, said + strlen(fatal), doing, error);
    if (PQconnectionNeedsPassword(link->handle))
        return dsar_error_set(error, "source_refused", false, "%s: the server wants a password", doing);
    return dsar_error_set(error, "source_unreachable", true, "%s: %.*s", doing, (int)strcspn(message, "\n"),
                          message);
}

static int connect_to(struct postgresql_link *link, struct dsar_error *error)
{
    const int64_t until_ms = clock_now_ms() + SERVER_CONNECT_MS;
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;
    if (PQstatus(link->handle) == CONNECTION_BAD)
        return not_connected(link, error);
    while (status != PGRES_POLLING_OK) {
        short ready;
        if (wait_ready(PQsocket(link->handle), status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until_ms,
                       link->watch, &ready, error))
            return -1;
        if (!ready)
            return dsar_error_set(error, "source_unreachable", true,
                                  "connecting to the database: no answer within %d ms", SERVER_CONNECT_MS);
        status = PQconnectPoll(link->handle);
        if (status == PGRES_POLLING_FAILED)
            return not_connected(link, error);
    }
    return 0;
}

int postgresql_result(struct postgresql_link *link, PGresult **result, struct dsar_error *error)
{
    short ready;
    while (PQisBusy(link->handle)) {
        if (wait_ready(PQsocket(link->handle), POLLIN, INT64_MAX, link->watch, &ready, error)) {
            link->is_gone = true;
            return -1;
        }
        if (!PQconsumeInput(link->handle))
            return postgresql_failed(link, NULL, "reading rows", error);
    }
    *result = PQgetResult(link->handle);
    return 0;
}

int postgresql_settle(struct postgresql_link *link, bool is_sent, ExecStatusType expected, const char *doing,
                      PGresult **last, struct dsar_error *error)
{
    PGresult *found = NULL;
    PGresult *next = NULL;
    if (!is_sent)
        return postgresql_failed(link, NULL, doing, error);
    do {
        if (postgresql_result(link, &next, error)) {
            PQclear(found);
            return -1;
        }
        /* one that failed is not followed by another */
        if (next) {
            PQclear(found);
            found = next;
        }
    } while (next);
    *last = found;
    if (PQresultStatus(found) == expected)
        return 0;
    postgresql_failed(link, found, doing, error);
    return -1;
}

int postgresql_run(struct postgresql_link *link, const char *sql, const char *doing, struct dsar_error *error)
{
    PGresult *last = NULL;
    int result =
        postgresql_settle(link, PQsendQuery(link->handle, sql), PGRES_COMMAND_OK, doing, &last, error);
    PQclear(last);
    return result;
}

/* Texts as this driver reads them, times in UTC, the statement's limit, and the snapshot, which begins with its first
 * reading. Who waits for a reader that is slow is not idle. */
static int begin(struct postgresql_link *link, int64_t timeout_ms, struct dsar_error *error)
{
    char sql[600];
    snprintf(sql, sizeof sql,
             "SET default_transaction_read_only = on; SET statement_timeout = %lld; "
             "SET idle_in_transaction_session_timeout = 0; SET standard_conforming_strings = on; "
             "SET bytea_output = hex; SET extra_float_digits = 1; SET TimeZone = 'UTC'; SET DateStyle = ISO; "
             "SET IntervalStyle = iso_8601; BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY; "
             "SELECT 1; SAVEPOINT snapshot",
             (long long)timeout_ms);
    return postgresql_run(link, sql, "beginning a transaction", error);
}

static void ignore_notice(void *ctx, const PGresult *notice)
{
    (void)ctx;
    (void)notice;
}

/* All that the library would otherwise look for in files of the user is said here. */
static PGconn *start(const struct server *server)
{
    char port[8];
    snprintf(port, sizeof port, "%d", server->port ? server->port : 5432);
    const char *const pairs[][2] = {
        {"host", server->socket ? server->socket : server->host},
        {"port", port},
        {"dbname", server->database},
        {"user", server->user},
        {"password", server->password ? server->password : ""},
        {"passfile", "/nonexistent"},
        {"client_encoding", "UTF8"},
        {"application_name", "dsard"},
        {"gssencmode", "disable"},
        {"sslmode", server->has_tls ? "verify-full" : "disable"},
        {"ssl_min_protocol_version", "TLSv1.2"},
        {"sslrootcert", server->ca_file},
        {"sslcert", server->client_cert_file ? server->client_cert_file : "/nonexistent"},
        {"sslkey", server->client_key_file ? server->client_key_file : "/nonexistent"},
        /* from somebody who only answers in the server's place; libpq knows this since 16 */
        {"require_auth",
         PQlibVersion() >= 160000 && !server->has_tls && !server->socket ? "!password" : NULL},
    };
    const char *names[sizeof pairs / sizeof *pairs + 1] = {NULL};
    const char *values[sizeof pairs / sizeof *pairs + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (pairs[i][1]) {
            names[n] = pairs[i][0];
            values[n++] = pairs[i][1];
        }
    /* 0: a database's name is a name, and no string of further settings */
    return PQconnectStartParams(names, values, 0);
}

int postgresql_open(void **database, const struct sql_options *options, struct dsar_error *error)
{
    struct server server;
    if (server_read(&server, options, error))
        return -1;
    struct postgresql_link *made = calloc(1, sizeof *made);
    if (!made || !(made->handle = start(&server))) {
        free(made);
        return error_no_memory(error);
    }
    made->watch = options->watch;
    PQsetErrorVerbosity(made->handle, PQERRORS_SQLSTATE);
    PQsetNoticeReceiver(made->handle, ignore_notice, NULL);
    if (connect_to(made, error) || begin(made, options->timeout_ms, error)) {
        postgresql_close(made);
        return -1;
    }
    *database = made;
    return 0;
}

void postgresql_close(void *database)
{
    struct postgresql_link *link = database;
    PQfinish(link->handle);
    free(link);
}
