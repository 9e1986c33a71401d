/* A store in a folder of its own, and keyrings of keys that are made for the test. */
#ifndef DSAR_TEST_RECORDS_H
#define DSAR_TEST_RECORDS_H

#include "base/jwk.h"
#include "outcome/record.h"

#include <dlfcn.h>
#include <errno.h>
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

static bool disk_fails; /* nothing can be made durable */

int fsync(int fd)
{
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    if (!disk_fails)
        return real(fd);
    errno = EIO;
    return -1;
}

struct stage {
    char folder[64]; /* the store's */
    char keys[64];   /* where files of keys lie */
    struct store *store;
    struct keyring *keyring; /* of the key "ours" */
    struct records records;
};

static inline const char *path_of(const struct stage *stage, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", stage->keys, name);
    return path;
}

static inline void write_json(const struct stage *stage, const char *name, const json_t *json)
{
    char path[128];
    assert_int_equal(json_dump_file(json, path_of(stage, name, path), 0), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* Makes a key, writes it to the file `name`; a new reference. */
static inline json_t *make_key(const struct stage *stage, const char *name)
{
    struct fault fault;
    json_t *key;
    assert_int_equal(jwk_generate(&key, JWK_SIGN, &fault), 0);
    write_json(stage, name, key);
    return key;
}

/* Writes the public parts of both, the second unless it is NULL, to the file `name`. */
static inline void write_set(const struct stage *stage, const char *name, const json_t *key,
                             const json_t *second)
{
    struct fault fault;
    json_t *public_key, *keys = json_array(), *set = json_pack("{s:o}", "keys", keys);
    for (const json_t *each = key; each; each = each == second ? NULL : second) {
        assert_int_equal(jwk_strip(&public_key, each, &fault), 0);
        json_array_append_new(keys, public_key);
    }
    write_json(stage, name, set);
    json_decref(set);
}

/* `retired` may be NULL. */
static inline struct keyring *load_ring(const struct stage *stage, const char *name, const char *retired)
{
    char key_path[128], retired_path[128];
    struct keyring *keyring;
    struct fault fault;
    if (keyring_load(&keyring, path_of(stage, name, key_path),
                     retired ? path_of(stage, retired, retired_path) : NULL, &fault))
        fail_msg("%s", fault.text);
    return keyring;
}

/* A ring of one new key. */
static inline struct keyring *new_ring(const struct stage *stage, const char *name)
{
    json_decref(make_key(stage, name));
    return load_ring(stage, name, NULL);
}

/* Stores an object of these bytes in the place of what is there. */
static inline void put_object(const struct stage *stage, const char *request, const char *file,
                              const void *bytes, size_t len)
{
    struct store_object *object;
    struct fault fault;
    assert_int_equal(store_begin(stage->store, request, file, &object, &fault), 0);
    assert_int_equal(store_write(object, bytes, len, &fault), 0);
    assert_int_equal(store_commit_over(object, &fault), 0);
}

static inline bool has_object(const struct stage *stage, const char *request, const char *file)
{
    struct fault fault;
    bool exists;
    assert_int_equal(store_exists(stage->store, request, file, &exists, &fault), 0);
    return exists;
}

static inline int open_stage(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    if (!stage)
        return -1;
    *state = stage;
    disk_fails = false;
    snprintf(stage->folder, sizeof stage->folder, "/tmp/dsard-store-XXXXXX");
    snprintf(stage->keys, sizeof stage->keys, "/tmp/dsard-keys-XXXXXX");
    if (!mkdtemp(stage->folder) || !mkdtemp(stage->keys) || store_open(&stage->store, stage->folder, &fault))
        return -1;
    stage->keyring = new_ring(stage, "ours");
    stage->records = (struct records){.store = stage->store, .keyring = stage->keyring};
    return 0;
}

static inline int close_stage(void **state)
{
    struct stage *stage = *state;
    char command[160];
    keyring_free(stage->keyring);
    store_close(stage->store);
    snprintf(command, sizeof command, "rm -rf %s %s", stage->folder, stage->keys);
    free(stage);
    return system(command); /* NOLINT(cert-env33-c): a test's own folders */
}

#endif
