#include "base/hex.h"
#include "base/jwk.h"
#include "bundle/manifest.h"
#include "bundle/reader.h"
#include "ctl/ctl.h"
#include "ctl/event_file.h"
#include "ctl/unlock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MANIFEST_MAX_BYTES (64u << 20)

static const char help[] =
    "usage: dsarctl verify BUNDLE [--event FILE] [--key FILE | --passphrase-file FILE] [--jwks FILE]\n\n"
    "Checks all that can be checked with what is given, and says what that was.\n"
    "  --event            the `completed` event: the digest of the whole bundle must be the one it names\n"
    "  --key              the recipient's private key: opens the passphrase in the event, and so the "
    "contents\n"
    "  --passphrase-file  the passphrase, on the first line of a file\n"
    "  --jwks             the exporter's public keys: the signatures of event and manifest must hold\n";

struct verify {
    const char *bundle;
    const char *jwks_path;
    json_t *jwks;
    struct unlock unlock;
};

/* --- the whole file against the event --- */

static int digest_file(const char *path, char sha256[HEX_SHA256_MAX], uint64_t *bytes, struct fault *fault)
{
    unsigned char block[65536], digest[32];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int result = -1;
    *bytes = 0;
    if (fd < 0)
        fault_errno(fault, "file_unreadable", errno, "%s", path);
    else if (!context || !EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        fault_retry(fault, "no_memory", "no memory for a digest");
    else
        result = 0;
    for (ssize_t n = 1; result == 0 && n;) {
        n = read(fd, block, sizeof block);
        if (n > 0 && EVP_DigestUpdate(context, block, (size_t)n))
            *bytes += (uint64_t)n;
        else if (n && errno != EINTR)
            result = fault_errno(fault, "file_unreadable", errno, "%s", path);
    }
    if (result == 0 && !EVP_DigestFinal_ex(context, digest, NULL))
        result = fault_set(fault, "internal", "SHA-256 failed");
    if (result == 0)
        hex_encode(digest, sizeof digest, sha256);
    EVP_MD_CTX_free(context);
    if (fd >= 0)
        close(fd);
    return result;
}

static int check_whole(const struct verify *verify, struct fault *fault)
{
    const json_t *bundle = event_file_bundle(verify->unlock.event);
    const char *expected = json_string_value(json_object_get(bundle, "sha256"));
    char sha256[HEX_SHA256_MAX];
    uint64_t bytes;
    if (digest_file(verify->bundle, sha256, &bytes, fault))
        return -1;
    if (!expected || strcmp(expected, sha256) != 0 ||
        json_integer_value(json_object_get(bundle, "size")) != (json_int_t)bytes)
        return fault_set(fault, "bad_digest",
                         "%s is not the bundle that the event names: it was changed or cut", verify->bundle);
    puts("whole bundle: its SHA-256 is the event's");
    return 0;
}

/* --- the contents against the manifest --- */

static int append(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

static int update(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return EVP_DigestUpdate(ctx, data, len) ? 0 : fault_set(fault, "internal", "SHA-256 failed");
}

static int read_entry(struct reader *reader, const char *name, struct buf *content, struct fault *fault)
{
    for (size_t i = 0; i < reader_n_entries(reader); i++)
        if (strcmp(reader_name(reader, i), name) == 0)
            return reader_extract(reader, i, append, content, fault);
    return fault_set(fault, "bad_archive", "the bundle has no %s", name);
}

static int check_entry(struct reader *reader, size_t i, const json_t *expected, EVP_MD_CTX *context,
                       struct fault *fault)
{
    unsigned char digest[32];
    char sha256[HEX_SHA256_MAX];
    const char *claimed = json_string_value(json_object_get(expected, "sha256"));
    if (!EVP_DigestInit_ex(context, EVP_sha256(), NULL))
        return fault_set(fault, "internal", "SHA-256 failed");
    if (reader_extract(reader, i, update, context, fault))
        return fault_prefix(fault, "%s", reader_name(reader, i));
    if (!EVP_DigestFinal_ex(context, digest, NULL))
        return fault_set(fault, "internal", "SHA-256 failed");
    hex_encode(digest, sizeof digest, sha256);
    if (!claimed || strcmp(claimed, sha256) != 0)
        return fault_set(fault, "bad_digest", "%s is not as the manifest says", reader_name(reader, i));
    return 0;
}

/* Entry by entry: none is missing, none is added. */
static int check_entries(struct reader *reader, const json_t *manifest, struct fault *fault)
{
    json_t *left = json_object(), *item;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t k;
    int result = left && context ? 0 : fault_retry(fault, "no_memory", "no memory to check the entries");
    json_array_foreach (json_object_get(manifest, "entries"), k, item) {
        const char *name = json_string_value(json_object_get(item, "name"));
        if (result == 0 && (!name || json_object_set(left, name, item)))
            result = fault_set(fault, "bad_archive", "the manifest has an entry without a name");
    }
    for (size_t i = 0; result == 0 && i < reader_n_entries(reader); i++) {
        const char *name = reader_name(reader, i);
        if (strcmp(name, MANIFEST_ENTRY) == 0 || strcmp(name, MANIFEST_SIGNATURE_ENTRY) == 0)
            continue;
        const json_t *expected = json_object_get(left, name);
        result = expected ? check_entry(reader, i, expected, context, fault)
                          : fault_set(fault, "bad_archive", "%s is not in the manifest", name);
        json_object_del(left, name);
    }
    if (result == 0 && json_object_size(left))
        result = fault_set(fault, "bad_archive", "%s is in the manifest, but not in the bundle",
                           json_object_iter_key(json_object_iter(left)));
    EVP_MD_CTX_free(context);
    json_decref(left);
    return result;
}

static int check_signature(const struct verify *verify, struct reader *reader, const json_t *manifest,
                           const struct buf *text, struct fault *fault)
{
    const json_t *id = json_object_get(json_object_get(manifest, "request"), "id");
    const struct signed_as as = {.type = "dsard-manifest", .request = json_string_value(id)};
    struct buf signature;
    buf_init(&signature, 8192);
    int result = read_entry(reader, MANIFEST_SIGNATURE_ENTRY, &signature, fault);
    if (result == 0 && !signature.len)
        result = fault_set(fault, "bad_signature", "the manifest's signature is empty");
    if (result == 0)
        result = as.request ? event_file_verify_jws(signature.data, verify->jwks, &as, text, fault)
                            : fault_set(fault, "bad_archive", "it names no request");
    buf_wipe(&signature);
    return result ? fault_prefix(fault, "manifest") : 0;
}

static int same_request(const struct verify *verify, const json_t *manifest, struct fault *fault)
{
    const json_t *data = json_object_get(verify->unlock.event, "data");
    const json_t *id = json_object_get(json_object_get(manifest, "request"), "id");
    if (!data || json_equal(json_object_get(data, "subject_request_id"), id))
        return 0;
    return fault_set(fault, "bad_archive", "the manifest belongs to another request than the event");
}

static int check_contents(const struct verify *verify, struct fault *fault)
{
    struct reader *reader;
    struct buf text;
    json_t *manifest = NULL;
    if (reader_open(&reader, verify->bundle, verify->unlock.passphrase, fault))
        return -1;
    buf_init(&text, MANIFEST_MAX_BYTES);
    int result = read_entry(reader, MANIFEST_ENTRY, &text, fault);
    if (result == 0 &&
        !(manifest = json_loadb(text.data ? text.data : "", text.len, JSON_REJECT_DUPLICATES, NULL)))
        result = fault_set(fault, "bad_archive", "the manifest is not JSON");
    if (result == 0)
        result = check_entries(reader, manifest, fault) || same_request(verify, manifest, fault) ? -1 : 0;
    if (result == 0)
        printf("contents: the SHA-256 of each of %zu entries is the manifest's\n",
               json_array_size(json_object_get(manifest, "entries")));
    if (result == 0 && verify->jwks &&
        (result = check_signature(verify, reader, manifest, &text, fault)) == 0)
        puts("manifest: its signature holds");
    json_decref(manifest);
    buf_wipe(&text);
    reader_free(reader);
    return result;
}

/* --- all of it --- */

static int check_all(struct verify *verify, struct fault *fault)
{
    if (verify->jwks_path && jwk_load_set(&verify->jwks, verify->jwks_path, fault))
        return -1;
    if (unlock_open(&verify->unlock, fault))
        return -1;
    if (verify->unlock.event && verify->jwks) {
        if (event_file_verify(verify->unlock.event, verify->jwks, fault))
            return fault_prefix(fault, "event");
        puts("event: its signature holds");
    }
    if (verify->unlock.event && check_whole(verify, fault))
        return -1;
    if (verify->unlock.passphrase && check_contents(verify, fault))
        return -1;
    if (!verify->unlock.event)
        puts("only the contents were checked: without the event nobody can tell whether this is the whole "
             "bundle");
    if (!verify->unlock.passphrase)
        puts("the contents were not opened: without a passphrase only the whole was checked");
    if (!verify->jwks)
        puts("signatures were not checked: no --jwks was given");
    return 0;
}

int ctl_verify(int argc, char **argv)
{
    static const struct option options[] = {{"event", required_argument, NULL, 'e'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"passphrase-file", required_argument, NULL, 'p'},
                                            {"jwks", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct verify verify = {0};
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "e:k:h", options, NULL)) != -1;) {
        switch (c) {
        case 'e': verify.unlock.event_path = optarg; break;
        case 'k': verify.unlock.key_path = optarg; break;
        case 'p': verify.unlock.passphrase_path = optarg; break;
        case 'j': verify.jwks_path = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (optind + 1 != argc || (!verify.unlock.event_path && !verify.unlock.passphrase_path))
        return ctl_help(help, 0);
    verify.bundle = argv[optind];
    int result = check_all(&verify, &fault);
    unlock_wipe(&verify.unlock);
    json_decref(verify.jwks);
    return result ? ctl_failed("verify", &fault) : CTL_DONE;
}
