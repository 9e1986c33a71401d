#include "bundle/bundle.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#define CHARACTERS     26
#define GROUP          5
#define GROUPS_OF_FIVE 4
#define BITS_OF_EACH   0x1f

int bundle_passphrase(char passphrase[BUNDLE_PASSPHRASE_LEN], struct fault *fault)
{
    static const char crockford[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    unsigned char random[CHARACTERS];
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_retry(fault, "crypto_failed", "OpenSSL has no random bytes for a passphrase");
    char *next = passphrase;
    for (unsigned i = 0; i < CHARACTERS; i++) {
        if (i > 0 && i % GROUP == 0 && i / GROUP <= GROUPS_OF_FIVE)
            *next++ = '-';
        *next++ = crockford[random[i] & BITS_OF_EACH];
    }
    *next = '\0';
    OPENSSL_cleanse(random, sizeof random);
    return 0;
}
