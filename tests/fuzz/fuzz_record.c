/* Any bytes as what the store keeps of a request: its receipt, its acceptance or a withdrawal, by the first byte. As a file,
 * they are never genuine; as an object that we have signed ourselves they count just where they say what they must, and
 * never as another kind, or of another request. */
#include "base/hex.h"
#include "base/jws.h"
#include "memory_file.h"
#include "outcome/acceptance.h"
#include "outcome/receipt.h"
#include "outcome/withdrawal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID     "2c0e5a1e-0000-4000-8000-000000000001"
#define OTHER  "2c0e5a1e-0000-4000-8000-000000000002"
#define SOURCE "//portal.example"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum kind { RECEIPT, ACCEPTANCE, WITHDRAWAL, N_KINDS };
enum forgery { GENUINE, OTHER_KIND, OTHER_REQUEST, UNSIGNED, N_FORGERIES };

static const char *const kinds[] = {"receipt", "acceptance", "withdrawal"};
static const struct origin origin = {"requests", 3, 7};

struct stage {
    char folder[64];
    struct store *store;
    struct keyring *keyring;
    struct records records;
    struct request request; /* its body's digest is all zero */
};

static struct stage stage;

/* --- the store --- */

static void path_of(enum kind kind, char path[256])
{
    unsigned char digest[32];
    char digits[HEX_SHA256_MAX];
    unsigned char named[32 + sizeof SOURCE - 1] = {0};
    memcpy(named + 32, SOURCE, sizeof SOURCE - 1);
    if (EVP_Digest(named, sizeof named, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    hex_encode(digest, sizeof digest, digits);
    static const char *const files[] = {"receipt", "accepted", "withdrawal-"};
    snprintf(path, 256, "%s/" ID "/%s%s", stage.folder, files[kind], kind == WITHDRAWAL ? digits : "");
}

static void clean_up(void)
{
    char path[256];
    snprintf(path, sizeof path, "%s/" ID, stage.folder);
    rmdir(path);
    rmdir(stage.folder);
}

static void set_up(void)
{
    static const char jwk[] =
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\","
        "\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI\"}"; /* RFC 7515, A.3 */
    char path[256];
    struct fault fault;
    snprintf(stage.folder, sizeof stage.folder, "/tmp/dsard-fuzz-XXXXXX");
    if (!mkdtemp(stage.folder))
        abort();
    snprintf(path, sizeof path, "%s/" ID, stage.folder);
    if (mkdir(path, 0700) || store_open(&stage.store, stage.folder, &fault))
        abort();
    int fd = memory_file(jwk, sizeof jwk - 1, path);
    if (keyring_load(&stage.keyring, path, NULL, &fault))
        abort();
    close(fd);
    stage.records = (struct records){stage.store, stage.keyring};
    stage.request = (struct request){.id = ID};
    atexit(clean_up);
}

/* --- what is found there --- */

/* A fault that another try may mend is for keys that may come yet. */
static void check_fault(const struct fault *fault)
{
    if (strcmp(fault->code, "bad_record") != 0 || !fault->text[0])
        abort();
}

static bool find_receipt(void)
{
    struct receipt *receipt;
    struct fault fault;
    if (receipt_find(&receipt, &stage.records, ID, &fault)) {
        check_fault(&fault);
        if (receipt || !fault.retryable)
            abort();
        return false;
    }
    if (!receipt)
        abort();
    if (!receipt->request || !receipt->body_sha256 || !receipt->event_id || !receipt->event_time ||
        !json_is_object(receipt->event_data) || !receipt->origin.topic || receipt->origin.offset < 0 ||
        !event_type_name(receipt->type))
        abort();
    receipt_free(receipt);
    return true;
}

static bool find_acceptance(void)
{
    enum acceptance acceptance;
    struct fault fault;
    struct origin found;
    int64_t due;
    json_t *json;
    int64_t received_unix_s = 0;
    if (acceptance_take(&stage.records, &stage.request, SOURCE, &origin, &received_unix_s, &acceptance,
                        &fault)) {
        check_fault(&fault);
        if (acceptance_find(&stage.records, ID, stage.request.sha256, SOURCE, &json, &found, &due, &fault) ==
                0 ||
            json)
            abort();
        return false;
    }
    /* another request's acceptance is never taken for this one's */
    if (acceptance_find(&stage.records, ID, stage.request.sha256, SOURCE, &json, &found, &due, &fault) ||
        (json && (acceptance == ACCEPTANCE_DIFFERENT || !found.topic)))
        abort();
    json_decref(json);
    return true;
}

static bool find_withdrawal(void)
{
    struct fault fault;
    bool withdrawn = false;
    if (withdrawal_find(&stage.records, &stage.request, SOURCE, &withdrawn, &fault))
        check_fault(&fault);
    return withdrawn;
}

static bool find(enum kind kind)
{
    switch (kind) {
    case RECEIPT: return find_receipt();
    case ACCEPTANCE: return find_acceptance();
    case WITHDRAWAL: return find_withdrawal();
    case N_KINDS: break;
    }
    abort();
}

/* --- what is put there --- */

static void put(enum kind kind, const void *data, size_t size, const struct buf *signature)
{
    char path[256];
    path_of(kind, path);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size ||
        (signature->len && fprintf(file, "\n%s\n", signature->data) < 0) || fclose(file))
        abort();
}

static void sign(struct buf *signature, enum kind kind, enum forgery forgery, const void *data, size_t size)
{
    char type[64];
    struct fault fault;
    snprintf(type, sizeof type, "dsard-%s", kinds[forgery == OTHER_KIND ? (kind + 1) % N_KINDS : kind]);
    json_t *header = json_pack("{s:s,s:s}", "typ", type, "sub", forgery == OTHER_REQUEST ? OTHER : ID);
    if (!header || jws_sign(signature, header, keyring_signer(stage.keyring), data, size, &fault))
        abort();
    json_decref(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!stage.store)
        set_up();
    if (size == 0)
        return 0;
    const enum kind kind = data[0] % N_KINDS;
    const enum forgery forgery = data[0] / N_KINDS % N_FORGERIES;
    char path[256];
    struct buf signature;
    buf_init(&signature, JWS_MAX);
    if (forgery != UNSIGNED)
        sign(&signature, kind, forgery, data + 1, size - 1);
    put(kind, data + 1, size - 1, &signature);
    if (find(kind) && forgery != GENUINE)
        abort();
    path_of(kind, path);
    unlink(path);
    buf_wipe(&signature);
    return 0;
}
