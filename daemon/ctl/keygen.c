#include "base/jwk.h"
#include "ctl/ctl.h"

#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX_BYTES 4096

static const char help[] =
    "usage: dsarctl keygen --kind KIND --out FILE [--public FILE]\n\n"
    "Makes a P-256 key. FILE (0600, must not exist) gets the private JWK; --public gets what others need.\n"
    "  --kind portal     signs requests and cancels (ES256); public: a JWK Set for "
    "requests.trusted_keys_file\n"
    "  --kind exporter   signs events, manifests and receipts (ES256); public: a JWK Set for `dsarctl "
    "verify`\n"
    "  --kind recipient  opens bundles (ECDH-ES); public: the JWK for a request's recipient\n"
    "  --kind worker     opens sealed identities (ECDH-ES), for requests.identity_keys_file; public: the JWK "
    "for\n"
    "                    `dsarctl submit --seal-to`\n";

static const struct kind {
    const char *name;
    enum jwk_use use;
} kinds[] = {{"portal", JWK_SIGN}, {"exporter", JWK_SIGN}, {"recipient", JWK_SEAL}, {"worker", JWK_SEAL}};

struct keygen {
    const struct kind *kind;
    const char *out;
    const char *public_out;
};

static int write_json(const char *path, const json_t *json, mode_t mode, struct fault *fault)
{
    struct buf lines;
    char *text = json_dumps(json, JSON_INDENT(2));
    if (!text)
        return fault_retry(fault, "no_memory", "no memory for a key");
    buf_init(&lines, KEY_MAX_BYTES);
    int result = buf_append_text(&lines, text, fault) || buf_append(&lines, "\n", 1, fault)
                     ? -1
                     : ctl_write_file(path, lines.data, lines.len, mode, fault);
    buf_wipe(&lines);
    OPENSSL_cleanse(text, strlen(text));
    free(text);
    return result;
}

/* What others are given: the bare key, or a set of one key with the rights that dsard's trust file wants. */
static json_t *public_form(json_t *public_key, const struct kind *kind)
{
    if (kind->use == JWK_SEAL)
        return json_incref(public_key);
    if (strcmp(kind->name, "portal") == 0 &&
        json_object_set_new(public_key, "dsard", json_pack("{s:[s,s]}", "rights", "request", "cancel")))
        return NULL;
    return json_pack("{s:[O]}", "keys", public_key);
}

static int generate(const struct keygen *keygen, struct fault *fault)
{
    json_t *key = NULL, *public_key = NULL, *form = NULL;
    int result = -1;
    if (jwk_generate(&key, keygen->kind->use, fault) || jwk_strip(&public_key, key, fault) ||
        write_json(keygen->out, key, 0600, fault))
        goto out;
    form = public_form(public_key, keygen->kind);
    if (!form)
        fault_retry(fault, "no_memory", "no memory for a key");
    else
        result = keygen->public_out ? write_json(keygen->public_out, form, 0644, fault) : 0;
out:
    json_decref(key);
    json_decref(public_key);
    json_decref(form);
    return result;
}

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
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
        case 'k': keygen.kind = find_kind(optarg); break;
        case 'o': keygen.out = optarg; break;
        case 'p': keygen.public_out = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (!keygen.kind || !keygen.out || optind != argc)
        return ctl_help(help, 0);
    return generate(&keygen, &fault) ? ctl_failed("keygen", &fault) : CTL_DONE;
}
