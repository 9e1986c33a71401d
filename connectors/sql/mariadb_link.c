#include "mariadb_link.h"

#include "../sdk/error.h"
#include "base/clock.h"
#include "server.h"
#include "wait.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* For calls that go on; TLS and name lookup need more than the library's own choice. */
#define STACK_BYTES ((size_t)256 * 1024)

/* One message of the server: bounds our memory. */
#define PACKET_MAX ((size_t)32 * 1024 * 1024)

/* Numbers that only MySQL has, or only newer headers. */
#define CODE_QUERY_TIMEOUT_MYSQL 3024
#define CODE_IDLE_MYSQL          4031

/* What keeps a password secret from a server that only says to be ours: no clear text among them. MySQL's own would be
 * given to whoever names a key for it, so it takes a connection that is known to lead to the server. */
#define LOGIN_ANYWHERE "mysql_native_password,client_ed25519"
#define LOGIN_TRUSTED  LOGIN_ANYWHERE ",caching_sha2_password"

#define UNKNOWN_LOGIN                                                                                        \
    "the server wants a kind of login that is not among " LOGIN_ANYWHERE                                     \
    ", nor, with tls: verify or a socket, caching_sha2_password"

struct verdict {
    unsigned code;
    bool is_retryable;
    const char *error_code;
    const char *text;
};

static const struct verdict verdicts[] = {
    {ER_ACCESS_DENIED_ERROR, false, "source_refused", "the user or the password is wrong"},
    {ER_ACCESS_DENIED_NO_PASSWORD_ERROR, false, "source_refused", "the user or the password is wrong"},
    {ER_DBACCESS_DENIED_ERROR, false, "source_refused", "the user may not use this database"},
    {ER_TABLEACCESS_DENIED_ERROR, false, "source_refused", "the user may not read a table"},
    {ER_COLUMNACCESS_DENIED_ERROR, false, "source_refused", "the user may not read a column"},
    {ER_SPECIFIC_ACCESS_DENIED_ERROR, false, "source_refused", "the user may not do this"},
    {ER_PROCACCESS_DENIED_ERROR, false, "source_refused", "the user may not call a function"},
    {ER_HOST_NOT_PRIVILEGED, false, "source_refused", "the server does not let this host in"},
    {ER_HOST_IS_BLOCKED, false, "source_refused", "the server blocks this host"},
    {ER_MUST_CHANGE_PASSWORD_LOGIN, false, "source_refused", "the password has expired"},
    {CR_AUTH_PLUGIN_CANNOT_LOAD, false, "source_refused", UNKNOWN_LOGIN},
    {CR_PLUGIN_NOT_ALLOWED, false, "source_refused", UNKNOWN_LOGIN},
    {ER_BAD_DB_ERROR, false, "source_answer", "there is no such database"},
    {ER_CON_COUNT_ERROR, true, "source_busy", "too many connections"},
    {ER_TOO_MANY_USER_CONNECTIONS, true, "source_busy", "too many connections of this user"},
    {ER_USER_LIMIT_REACHED, true, "source_busy", "the user's limit is reached"},
    {ER_STATEMENT_TIMEOUT, true, "source_timeout",
     "a statement took too long: raise the setting timeout_ms, or add an index"},
    {CODE_QUERY_TIMEOUT_MYSQL, true, "source_timeout",
     "a statement took too long: raise the setting timeout_ms, or add an index"},
    {ER_QUERY_INTERRUPTED, true, "source_timeout", "a statement was stopped at the server"},
    {ER_LOCK_WAIT_TIMEOUT, true, "source_error", "a lock was not given in time"},
    {ER_LOCK_DEADLOCK, true, "source_error", "a deadlock"},
    {ER_TABLE_DEF_CHANGED, true, "source_error", "a table was altered meanwhile"},
    {ER_DISK_FULL, true, "source_error", "a disk of the server is full"},
    {ER_OUTOFMEMORY, true, "source_error", "the server has no memory"},
    {ER_OUT_OF_RESOURCES, true, "source_error", "the server has no memory"},
    {ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, false, "bad_profile",
     "the statement writes, and only reading is possible"},
    {CR_NET_PACKET_TOO_LARGE, false, "source_answer", "a row is larger than 32 MiB"},
    {CR_SSL_CONNECTION_ERROR, true, "source_unreachable",
     "TLS: the server has none, or its certificate is not one that ca_file vouches for, or not of this host"},
    {CR_CONNECTION_ERROR, true, "source_unreachable", "the socket does not answer"},
    {CR_CONN_HOST_ERROR, true, "source_unreachable", "the server does not answer"},
    {CR_UNKNOWN_HOST, true, "source_unreachable", "the host's name is not known"},
    {CR_SERVER_GONE_ERROR, true, "source_unreachable", "the connection broke"},
    {CR_SERVER_LOST, true, "source_unreachable", "the connection broke"},
    {CR_SERVER_LOST_EXTENDED, true, "source_unreachable", "the connection broke"},
    {ER_SERVER_SHUTDOWN, true, "source_unreachable", "the server is going down"},
    {ER_CONNECTION_KILLED, true, "source_unreachable", "the server ended the connection"},
    {CODE_IDLE_MYSQL, true, "source_unreachable", "the server ended the connection"},
};

static struct verdict judge(unsigned code)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++)
        if (verdicts[i].code == code)
            return verdicts[i];
    return (struct verdict){code, false, "source_answer", "the server answers with an error"};
}

int mariadb_failed(struct mariadb_link *link, unsigned code, const char *doing, struct dsar_error *error)
{
    const struct verdict verdict = judge(code);
    if (code == CR_OUT_OF_MEMORY)
        return error_no_memory(error);
    link->is_gone = link->is_gone || strcmp(verdict.error_code, "source_unreachable") == 0;
    return dsar_error_set(error, verdict.error_code, verdict.is_retryable, "%s: %s (error %u)", doing,
                          verdict.text, code);
}

/* Unblocks whatever waits for the server: it will hear of an end. */
static void break_off(struct mariadb_link *link)
{
    link->is_gone = true;
    my_socket fd = mysql_get_socket(link->handle);
    if (fd >= 0)
        shutdown(fd, SHUT_RDWR);
}

/* Waits for what `status` asks for: what is ready of it; MYSQL_WAIT_TIMEOUT when `until_ms` has come. -1 when the
 * watch wants it stopped. */
static int wait_status(struct mariadb_link *link, int status, int64_t until_ms, struct dsar_error *error)
{
    short events = 0;
    short ready;
    if (status & MYSQL_WAIT_READ)
        events |= POLLIN;
    if (status & MYSQL_WAIT_WRITE)
        events |= POLLOUT;
    if (status & MYSQL_WAIT_EXCEPT)
        events |= POLLPRI;
    if (wait_ready(mysql_get_socket(link->handle), events, until_ms, link->watch, &ready, error))
        return -1;
    /* an error is ready for anything */
    return ready ? status & ~MYSQL_WAIT_TIMEOUT : MYSQL_WAIT_TIMEOUT;
}

int mariadb_settle(struct mariadb_link *link, int status, int *result, mariadb_go_on go_on,
                   MYSQL_STMT *statement, struct dsar_error *error)
{
    bool is_stopped = false;
    while (status) {
        int ready = is_stopped ? MYSQL_WAIT_TIMEOUT : wait_status(link, status, INT64_MAX, error);
        if (ready < 0) {
            /* the call must come to its end, and does with the connection */
            break_off(link);
            is_stopped = true;
            ready = MYSQL_WAIT_TIMEOUT;
        }
        status = go_on(result, statement, ready);
    }
    return is_stopped ? -1 : 0;
}

/* Standard SQL, times in UTC, the statement's limit, and the snapshot. Who writes to a client that reads slowly waits. */
static bool set_session(MYSQL *handle, int64_t timeout_ms)
{
    char limits[400];
    /* MariaDB alone reads the first comment, MySQL alone the second */
    snprintf(limits, sizeof limits,
             "SET SESSION sql_mode='ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT', time_zone='+00:00', "
             "net_write_timeout=%d /*M!100101 , max_statement_time=%lld.%03lld */ "
             "/*!50708 , max_execution_time=%lld */",
             SERVER_WRITE_S, (long long)(timeout_ms / 1000), (long long)(timeout_ms % 1000),
             (long long)timeout_ms);
    return !mysql_options(handle, MYSQL_INIT_COMMAND, limits) &&
           !mysql_options(handle, MYSQL_INIT_COMMAND,
                          "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY") &&
           !mysql_options(handle, MYSQL_INIT_COMMAND,
                          "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
}

static bool set_tls(MYSQL *handle, const struct server *server)
{
    static const my_bool yes = 1;
    return !mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes) &&
           !mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes) &&
           !mysql_options(handle, MYSQL_OPT_SSL_CA, server->ca_file) &&
           !mysql_options(handle, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3") &&
           (!server->client_cert_file ||
            (!mysql_options(handle, MYSQL_OPT_SSL_CERT, server->client_cert_file) &&
             !mysql_options(handle, MYSQL_OPT_SSL_KEY, server->client_key_file)));
}

static bool set_options(MYSQL *handle, const struct server *server, int64_t timeout_ms)
{
    static const size_t stack_bytes = STACK_BYTES;
    static const size_t packet_max = PACKET_MAX;
    static const unsigned int no = 0;
    const unsigned int protocol = server->socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    const char *logins = server->socket || server->has_tls ? LOGIN_TRUSTED : LOGIN_ANYWHERE;
    return !mysql_options(handle, MYSQL_OPT_NONBLOCK, &stack_bytes) &&
           !mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet_max) &&
           !mysql_options(handle, MYSQL_OPT_PROTOCOL, &protocol) &&
           !mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4") &&
           /* a server may ask for any file of ours */
           !mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no) &&
           !mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH, logins) &&
           (!server->has_tls || set_tls(handle, server)) && set_session(handle, timeout_ms);
}

static int connect_to(struct mariadb_link *link, const struct server *server, struct dsar_error *error)
{
    static const char doing[] = "connecting to the database";
    const int64_t until_ms = clock_now_ms() + SERVER_CONNECT_MS;
    MYSQL *connected = NULL;
    bool is_stopped = false;
    bool is_late = false;
    int status = mysql_real_connect_start(&connected, link->handle, server->host, server->user,
                                          server->password ? server->password : "", server->database,
                                          (unsigned)server->port, server->socket, 0);
    while (status) {
        int ready = is_stopped || is_late ? MYSQL_WAIT_TIMEOUT : wait_status(link, status, until_ms, error);
        is_stopped = is_stopped || ready < 0;
        is_late = is_late || ready == MYSQL_WAIT_TIMEOUT;
        status = mysql_real_connect_cont(&connected, link->handle, is_stopped ? MYSQL_WAIT_TIMEOUT : ready);
    }
    if (is_stopped)
        return -1;
    if (is_late && !connected)
        return dsar_error_set(error, "source_unreachable", true, "%s: no answer within %d ms", doing,
                              SERVER_CONNECT_MS);
    return connected ? 0 : mariadb_failed(link, mysql_errno(link->handle), doing, error);
}

int mariadb_open(void **database, const struct sql_options *options, struct dsar_error *error)
{
    struct server server;
    if (server_read(&server, options, error))
        return -1;
    struct mariadb_link *made = calloc(1, sizeof *made);
    if (!made || !(made->handle = mysql_init(NULL))) {
        free(made);
        return error_no_memory(error);
    }
    made->watch = options->watch;
    if (!set_options(made->handle, &server, options->timeout_ms)) {
        mariadb_close(made);
        return dsar_error_set(error, "internal", false, "the MariaDB library refuses an option");
    }
    if (connect_to(made, &server, error)) {
        mariadb_close(made);
        return -1;
    }
    *database = made;
    return 0;
}

void mariadb_close(void *database)
{
    struct mariadb_link *link = database;
    if (link->handle->passwd)
        OPENSSL_cleanse(link->handle->passwd, strlen(link->handle->passwd));
    mysql_close(link->handle);
    free(link);
}
