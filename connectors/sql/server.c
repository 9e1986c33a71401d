#include "server.h"

#include "../sdk/loopback.h"

#include <string.h>

/* What Debian and its kin trust. Neither client library of today knows by itself. */
#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

const char *const server_settings[] = {"host", "port",    "socket",           "database",        "user",
                                       "tls",  "ca_file", "client_cert_file", "client_key_file", NULL};

/* NULL when it is absent or empty. */
static const char *text_of(const json_t *settings, const char *name)
{
    const char *text = json_string_value(json_object_get(settings, name));
    return text && *text ? text : NULL;
}

static int bad(struct dsar_error *error, const char *name, const char *expected)
{
    return dsar_error_set(error, "bad_settings", false, "%s: expected %s", name, expected);
}

static int read_place(struct server *server, const json_t *settings, struct dsar_error *error)
{
    const json_t *port = json_object_get(settings, "port");
    server->socket = text_of(settings, "socket");
    server->host = text_of(settings, "host");
    if (!server->socket == !server->host)
        return bad(error, "host", "the server's name or address, or instead of it `socket`");
    if (port && (json_integer_value(port) < 1 || json_integer_value(port) > 65535))
        return bad(error, "port", "1 to 65535");
    server->port = (int)json_integer_value(port);
    return 0;
}

static int read_tls(struct server *server, const json_t *settings, struct dsar_error *error)
{
    const char *tls = text_of(settings, "tls");
    bool is_local = server->socket || loopback_is(server->host);
    if (tls && strcmp(tls, "verify") != 0 && strcmp(tls, "off") != 0)
        return bad(error, "tls", "verify or off");
    server->has_tls = tls ? strcmp(tls, "verify") == 0 : !is_local;
    if (server->has_tls && server->socket)
        return bad(error, "tls", "off, or nothing: a socket stays on this machine");
    server->ca_file = text_of(settings, "ca_file");
    server->client_cert_file = text_of(settings, "client_cert_file");
    server->client_key_file = text_of(settings, "client_key_file");
    if (!server->client_cert_file != !server->client_key_file)
        return bad(error, "client_cert_file", "client_key_file beside it, or neither");
    if (!server->has_tls && (server->ca_file || server->client_cert_file))
        return bad(error, "tls", "verify, where certificates are given");
    if (!server->ca_file)
        server->ca_file = SYSTEM_CA_FILE;
    return 0;
}

int server_read(struct server *server, const struct sql_options *options, struct dsar_error *error)
{
    const json_t *settings = options->settings;
    *server = (struct server){.password = options->password};
    if (read_place(server, settings, error) || read_tls(server, settings, error))
        return -1;
    server->database = text_of(settings, "database");
    server->user = text_of(settings, "user");
    if (!server->database)
        return bad(error, "database", "the name of the product's database");
    if (!server->user)
        return bad(error, "user", "a user of the database that may read it and no more");
    return 0;
}

int server_check(const struct sql_options *options, struct dsar_error *error)
{
    struct server server;
    return server_read(&server, options, error);
}
