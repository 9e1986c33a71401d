/* server: where a database server is and as whom to enter it, read from the settings. What MariaDB and PostgreSQL
 * have in common.
 *
 * Over the network TLS is used and the server's certificate verified, unless the setting `tls` is "off". To this
 * machine, by a unix socket or a loopback address, it is not, unless `tls` is "verify".
 */
#ifndef DSAR_SQL_SERVER_H
#define DSAR_SQL_SERVER_H

#include "driver.h"

/* How long a server may take to let us in. */
#define SERVER_CONNECT_MS 10000

/* How long a server writes to a client that does not read before it gives up: as long as a fetch may take. */
#define SERVER_WRITE_S 3600

/* Strings are borrowed from the settings and the password; NULL is absent. */
struct server {
    const char *socket; /* then neither host nor port */
    const char *host;
    int port; /* 0: the usual one */
    const char *database;
    const char *user;
    const char *password;
    bool has_tls;
    const char *ca_file; /* whom to trust; never NULL with TLS */
    const char *client_cert_file;
    const char *client_key_file;
};

/* The names of the settings, NULL at the end. */
extern const char *const server_settings[];

/* Fails with "bad_settings". */
int server_read(struct server *server, const struct sql_options *options, struct dsar_error *error)
    __attribute__((warn_unused_result));

/* The `check` of a driver. */
int server_check(const struct sql_options *options, struct dsar_error *error);

#endif
