/* What the tests of the configuration share: a folder with the files that a configuration names, and a
 * smallest one. */
#ifndef TEST_CONFIG_H
#define TEST_CONFIG_H

#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char smallest[] =
    "controller: {id: example-host, name: Example Host, contact: privacy@example.test}\n"
    "kafka: {brokers: \"127.0.0.1:9092\", transactional_id: dsard-1}\n"
    "requests: {trusted_keys_file: portal.jwks.json}\n"
    "exporter: {source: //dsard.example.test, key_file: exporter.jwk}\n"
    "store: {path: store, results_url: https://privacy.example.test/dsar/}\n"
    "work: {spool_dir: spool}\n"
    "sources:\n"
    "  - name: billing\n"
    "    connector: rest\n"
    "  - name: panel\n"
    "    connector: ./libexec/dsar-rest\n"
    "connectors_dir: libexec\n"
    "profiles_dir: profiles\n";

static inline void write_file(const char *path, const char *text, size_t len, mode_t mode)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* Makes the folder and goes there, so that messages name "dsard.yaml" alone. */
static inline int enter_folder(void **state)
{
    static char folder[] = "/tmp/dsard-config-XXXXXX";
    static const char *const folders[] = {
        "libexec", "profiles", "profiles/billing", "profiles/hosting-panel", "profiles/forum", "secrets"};
    static const char *const private_files[] = {"exporter.jwk",           "secrets/exporter.jwk",
                                                "secrets/kafka-password", "secrets/whmcs-identifier",
                                                "secrets/whmcs-secret",   "secrets/whm-token"};
    static const char *const public_files[] = {"portal.jwks.json", "profiles/billing/whmcs.json",
                                               "profiles/hosting-panel/cpanel.json",
                                               "profiles/forum/phpbb.json"};
    static const char *const programs[] = {"libexec/dsar-rest", "libexec/dsar-sql"};
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        assert_int_equal(mkdir(folders[i], 0700), 0);
    for (size_t i = 0; i < sizeof private_files / sizeof *private_files; i++)
        write_file(private_files[i], "secret\n", 7, 0600);
    for (size_t i = 0; i < sizeof public_files / sizeof *public_files; i++)
        write_file(public_files[i], "{}", 2, 0644);
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        write_file(programs[i], "", 0, 0755);
    *state = folder;
    return 0;
}

static inline int leave_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", (const char *)*state);
    return chdir("/") || system(command);
}

/* Loads `text` as dsard.yaml. *errors is what was written, to be freed. */
static inline struct config *load_bytes(const char *text, size_t len, enum config_use use, char **errors)
{
    size_t size;
    struct config *config;
    write_file("dsard.yaml", text, len, 0600);
    FILE *out = open_memstream(errors, &size);
    assert_non_null(out);
    int result = config_load(&config, "dsard.yaml", use, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(result, config ? 0 : -1);
    return config;
}

static inline struct config *load(const char *text, enum config_use use, char **errors)
{
    return load_bytes(text, strlen(text), use, errors);
}

/* `text` with the first `old` replaced; NULL `old` appends. To be freed. */
static inline char *altered(const char *text, const char *old, const char *new)
{
    const char *at = old ? strstr(text, old) : text + strlen(text);
    assert_non_null(at);
    size_t size = strlen(text) + strlen(new) + 1;
    char *result = malloc(size);
    assert_non_null(result);
    snprintf(result, size, "%.*s%s%s", (int)(at - text), text, new, at + (old ? strlen(old) : 0));
    return result;
}

#endif
