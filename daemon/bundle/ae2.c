#include "bundle/ae2.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SALT_BYTES     16
#define VERIFIER_BYTES 2
#define KEY_BYTES      32
#define ITERATIONS     1000
#define CIPHER_BYTES   16   /* AES works on pieces of this size */
#define STREAM_BYTES   8192 /* key stream made at a time */

struct ae2 {
    EVP_CIPHER_CTX *aes; /* ECB: the counters are ours, since OpenSSL's CTR mode counts big-endian */
    EVP_MAC_CTX *mac;
    uint64_t at; /* bytes crypted so far */
};

struct keys {
    unsigned char aes[KEY_BYTES], mac[KEY_BYTES], verifier[VERIFIER_BYTES];
};

static int refused(struct fault *fault, const char *what)
{
    return fault_retry(fault, "crypto_failed", "AE-2: OpenSSL failed at %s", what);
}

static int derive(struct keys *keys, const char *passphrase, const unsigned char salt[SALT_BYTES],
                  struct fault *fault)
{
    size_t len = strlen(passphrase);
    if (len == 0 || len > 1024)
        return fault_set(fault, "wrong_passphrase", "expected a passphrase of 1 to 1024 bytes");
    unsigned char material[sizeof *keys];
    if (PKCS5_PBKDF2_HMAC_SHA1(passphrase, (int)len, salt, SALT_BYTES, ITERATIONS, sizeof material,
                               material) != 1)
        return refused(fault, "PBKDF2");
    memcpy(keys->aes, material, KEY_BYTES);
    memcpy(keys->mac, material + KEY_BYTES, KEY_BYTES);
    memcpy(keys->verifier, material + KEY_BYTES + KEY_BYTES, VERIFIER_BYTES);
    OPENSSL_cleanse(material, sizeof material);
    return 0;
}

static EVP_MAC_CTX *hmac_sha1(const unsigned char key[KEY_BYTES])
{
    char sha1[] = "SHA1";
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha1, 0),
                                 OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac); /* ctx holds a reference of its own */
    if (ctx && EVP_MAC_init(ctx, key, KEY_BYTES, params) != 1) {
        EVP_MAC_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static int make(struct ae2 **ae2, const struct keys *keys, struct fault *fault)
{
    struct ae2 *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for an entry's cipher");
    made->aes = EVP_CIPHER_CTX_new();
    made->mac = hmac_sha1(keys->mac);
    if (!made->aes || !made->mac ||
        EVP_EncryptInit_ex(made->aes, EVP_aes_256_ecb(), NULL, keys->aes, NULL) != 1 ||
        EVP_CIPHER_CTX_set_padding(made->aes, 0) != 1) {
        ae2_free(made);
        return refused(fault, "key set-up");
    }
    *ae2 = made;
    return 0;
}

int ae2_new(struct ae2 **ae2, const char *passphrase, unsigned char head[AE2_HEAD_BYTES], struct fault *fault)
{
    if (RAND_bytes(head, SALT_BYTES) != 1)
        return refused(fault, "random bytes");
    struct keys keys;
    if (derive(&keys, passphrase, head, fault))
        return -1;
    memcpy(head + SALT_BYTES, keys.verifier, VERIFIER_BYTES);
    int result = make(ae2, &keys, fault);
    OPENSSL_cleanse(&keys, sizeof keys);
    return result;
}

int ae2_open(struct ae2 **ae2, const char *passphrase, const unsigned char head[AE2_HEAD_BYTES],
             struct fault *fault)
{
    struct keys keys;
    if (derive(&keys, passphrase, head, fault))
        return -1;
    int result;
    if (CRYPTO_memcmp(keys.verifier, head + SALT_BYTES, VERIFIER_BYTES) != 0)
        result = fault_set(fault, "wrong_passphrase", "the passphrase does not open this bundle");
    else
        result = make(ae2, &keys, fault);
    OPENSSL_cleanse(&keys, sizeof keys);
    return result;
}

void ae2_free(struct ae2 *ae2)
{
    if (!ae2)
        return;
    EVP_CIPHER_CTX_free(ae2->aes);
    EVP_MAC_CTX_free(ae2->mac);
    free(ae2);
}

int ae2_rewind(struct ae2 *ae2, struct fault *fault)
{
    ae2->at = 0;
    return EVP_MAC_init(ae2->mac, NULL, 0, NULL) == 1 ? 0 : refused(fault, "HMAC");
}

/* The key stream from the piece that holds byte `at` on. `len` is a multiple of CIPHER_BYTES. */
static int make_stream(struct ae2 *ae2, unsigned char *stream, size_t len)
{
    uint64_t counter = ae2->at / CIPHER_BYTES;
    memset(stream, 0, len);
    for (size_t i = 0; i < len; i += CIPHER_BYTES) {
        counter++;
        for (unsigned byte = 0; byte < sizeof counter; byte++)
            stream[i + byte] = (unsigned char)(counter >> (8 * byte));
    }
    int made;
    return EVP_EncryptUpdate(ae2->aes, stream, &made, stream, (int)len) == 1 && (size_t)made == len ? 0 : -1;
}

static void xor_bytes(unsigned char *data, const unsigned char *stream, size_t len)
{
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= len; i += sizeof(uint64_t)) {
        uint64_t a, b;
        memcpy(&a, data + i, sizeof a);
        memcpy(&b, stream + i, sizeof b);
        a ^= b;
        memcpy(data + i, &a, sizeof a);
    }
    for (; i < len; i++)
        data[i] ^= stream[i];
}

int ae2_crypt(struct ae2 *ae2, void *data, size_t len, struct fault *fault)
{
    unsigned char stream[STREAM_BYTES];
    unsigned char *next = data;
    int result = 0;
    while (len > 0) {
        size_t skip = ae2->at % CIPHER_BYTES;
        size_t step = len < sizeof stream - skip ? len : sizeof stream - skip;
        size_t whole = (skip + step + CIPHER_BYTES - 1) / CIPHER_BYTES * CIPHER_BYTES;
        if (make_stream(ae2, stream, whole)) {
            result = refused(fault, "AES");
            break;
        }
        xor_bytes(next, stream + skip, step);
        ae2->at += step;
        next += step;
        len -= step;
    }
    OPENSSL_cleanse(stream, sizeof stream);
    return result;
}

int ae2_authenticate(struct ae2 *ae2, const void *data, size_t len, struct fault *fault)
{
    return EVP_MAC_update(ae2->mac, data, len) == 1 ? 0 : refused(fault, "HMAC");
}

int ae2_tag(struct ae2 *ae2, unsigned char tag[AE2_TAG_BYTES], struct fault *fault)
{
    unsigned char whole[EVP_MAX_MD_SIZE];
    size_t len;
    if (EVP_MAC_final(ae2->mac, whole, &len, sizeof whole) != 1 || len < AE2_TAG_BYTES)
        return refused(fault, "HMAC");
    memcpy(tag, whole, AE2_TAG_BYTES);
    return 0;
}
