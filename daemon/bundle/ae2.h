/* ae2: WinZip's AE-2 encryption of one zip entry (https://www.winzip.com/en/support/aes-encryption/),
 * AES-256.
 *
 * An entry's sealed bytes are head ‖ ciphertext ‖ tag. Keys come from the passphrase and the head's fresh
 * salt by PBKDF2-HMAC-SHA1 (RFC 8018, 1000 iterations), which takes more than a millisecond. The cipher is
 * AES in counter mode with a little-endian counter from 1; the tag is HMAC-SHA1 over the ciphertext, cut to
 * 10 bytes. One thread at a time.
 */
#ifndef DSAR_BUNDLE_AE2_H
#define DSAR_BUNDLE_AE2_H

#include "base/fault.h"

#include <stddef.h>

#define AE2_HEAD_BYTES 18 /* salt (16), passphrase verifier (2) */
#define AE2_TAG_BYTES  10

struct ae2;

/* Begins a new entry under a salt of its own and fills `head`. Fails with "crypto_failed". */
int ae2_new(struct ae2 **ae2, const char *passphrase, unsigned char head[AE2_HEAD_BYTES], struct fault *fault)
    __attribute__((warn_unused_result));

/* Begins to read an entry that starts with `head`. Fails with "wrong_passphrase" when the verifier differs;
 * one wrong passphrase in 65,536 is noticed by the tag only. */
int ae2_open(struct ae2 **ae2, const char *passphrase, const unsigned char head[AE2_HEAD_BYTES],
             struct fault *fault) __attribute__((warn_unused_result));

/* Wipes the keys. NULL is harmless. */
void ae2_free(struct ae2 *ae2);

/* Goes back to the entry's first byte, for a second reading under the same keys. */
int ae2_rewind(struct ae2 *ae2, struct fault *fault) __attribute__((warn_unused_result));

/* Encrypts the entry's next bytes in place, or decrypts them: it is the same. */
int ae2_crypt(struct ae2 *ae2, void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* Takes the entry's next ciphertext into the tag. */
int ae2_authenticate(struct ae2 *ae2, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* The tag over all that was authenticated. Afterwards only ae2_rewind and ae2_free are allowed. */
int ae2_tag(struct ae2 *ae2, unsigned char tag[AE2_TAG_BYTES], struct fault *fault)
    __attribute__((warn_unused_result));

#endif
