/* What the tests of sealed identities share: private keys of the workers as they lie in a file. */
#ifndef TEST_IDENTITY_KEYS_H
#define TEST_IDENTITY_KEYS_H

#include "base/jwk.h"
#include "intake/identity_keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static inline json_t *a_seal_key(void)
{
    struct fault fault;
    json_t *key;
    assert_int_equal(jwk_generate(&key, JWK_SEAL, &fault), 0);
    return key;
}

static inline json_t *public_part(const json_t *key)
{
    struct fault fault;
    json_t *public_key;
    assert_int_equal(jwk_strip(&public_key, key, &fault), 0);
    return public_key;
}

/* Loads what `file`, which is given up, says as JSON. */
static inline struct identity_keys *load_identity_keys(json_t *file)
{
    struct fault fault;
    struct identity_keys *keys;
    char path[64], *text = json_dumps(file, 0);
    int fd = memfd_create("identity-keys", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0600), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(identity_keys_load(&keys, path, &fault), 0);
    close(fd);
    free(text);
    json_decref(file);
    return keys;
}

#endif
