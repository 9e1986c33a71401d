#include "base/jwk.h"
#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: dsarctl keygen --kind KIND --out FILE [--public FILE]\n\n"
    "Makes a P-256 key. FILE (0600, must not exist) gets the private JWK; --public gets what others need.\n"
    "  --kind portal     signs requests and cancels (ES256); public: a JWK Set for "
    "requests.trusted_keys_file\n"
    "  --kind exporter   signs events, manifests and receipts (ES256); public: a JWK Set for `dsarctl "
    "verify`\n"
    "  --kind recipient  opens bundles (ECDH-ES); public: the JWK for a request's recipient\n";

struct keygen {
    const char *kind;
    const char *out;
    const char *public_out;
};

static int write_file(const char *path, const json_t *json, mode_t mode, struct fault *fault)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    if (!text)
        return fault_retry(fault, "no_memory", "no memory for a key");
    size_t len = strlen(text);
    int result = 0;
    /* write(2), not stdio: no buffer keeps a copy of the key */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || write(fd, "\n", 1) != 1 || fsync(fd))
        result = fault_errno(fault, "file_unwritable", errno, "%s", path);
    if (fd >= 0 && close(fd) && result == 0)
        result = fault_errno(fault, "file_unwritable", errno, "%s", path);
    OPENSSL_cleanse(text, len);
    free(text);
    return result;
}

/* What others are given: the bare key, or a set of one key with the rights that dsard's trust file wants. */
static json_t *public_form(json_t *public_key, const char *kind)
{
    if (strcmp(kind, "recipient") == 0)
        return json_incref(public_key);
    if (strcmp(kind, "portal") == 0 &&
        json_object_set_new(public_key, "dsard", json_pack("{s:[s,s]}", "rights", "request", "cancel")))
        return NULL;
    return json_pack("{s:[O]}", "keys", public_key);
}

static int generate(const struct keygen *keygen, struct fault *fault)
{
    enum jwk_use use = strcmp(keygen->kind, "recipient") == 0 ? JWK_SEAL : JWK_SIGN;
    json_t *key = NULL, *public_key = NULL, *form = NULL;
    int result = -1;
    if (jwk_generate(&key, use, fault) || jwk_strip(&public_key, key, fault) ||
        write_file(keygen->out, key, 0600, fault))
        goto out;
    form = public_form(public_key, keygen->kind);
    if (!form)
        fault_retry(fault, "no_memory", "no memory for a key");
    else
        result = keygen->public_out ? write_file(keygen->public_out, form, 0644, fault) : 0;
out:
    json_decref(key);
    json_decref(public_key);
    json_decref(form);
    return result;
}

int ctl_keygen(int argc, char **argv)
{
    static const struct option options[] = {{"kind", required_argument, NULL, 'k'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"public", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct keygen keygen = {0};
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "k:o:p:h", options, NULL)) != -1;) {
        switch (c) {
        case 'k': keygen.kind = optarg; break;
        case 'o': keygen.out = optarg; break;
        case 'p': keygen.public_out = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (!keygen.kind || !keygen.out || optind != argc ||
        (strcmp(keygen.kind, "portal") != 0 && strcmp(keygen.kind, "exporter") != 0 &&
         strcmp(keygen.kind, "recipient") != 0))
        return ctl_help(help, 0);
    return generate(&keygen, &fault) ? ctl_failed("keygen", &fault) : CTL_DONE;
}
