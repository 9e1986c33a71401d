#include "check_parts.h"

#include "base/hex.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

/* Objects lie in folders of requests; no request is called this. */
#define FOLDER "check"

static int write_and_read(struct store *store, const char *file, const char *text, struct fault *fault)
{
    struct store_object *object;
    struct buf content;
    if (store_begin(store, FOLDER, file, &object, fault))
        return -1;
    if (store_write(object, text, strlen(text), fault)) {
        store_abort(object);
        return -1;
    }
    if (store_commit(object, fault))
        return -1;
    buf_init(&content, 4096);
    int result = store_read(store, FOLDER, file, &content, fault);
    if (!result && (content.len != strlen(text) || memcmp(content.data, text, content.len) != 0))
        result = fault_set(fault, "store_failed", "the store gives back other bytes than it was given");
    buf_wipe(&content);
    return store_remove(store, FOLDER, file, result ? NULL : fault) || result ? -1 : 0;
}

/* Named as a bundle without a receipt, which is swept should we die in between. */
static int try_store(struct store *store, struct fault *fault)
{
    unsigned char random[16];
    char name[2 * sizeof random + 1], file[sizeof name + 8];
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_set(fault, "internal", "no random numbers");
    hex_encode(random, sizeof random, name);
    snprintf(file, sizeof file, "%s.zip", name);
    return write_and_read(store, file, name, fault);
}

int check_store(struct exporter *exporter)
{
    struct fault fault;
    if (exporter_open(exporter, &fault) || try_store(exporter->store, &fault))
        return check_bad("store", &fault);
    check_good("store", exporter->config->store.path);
    return 0;
}
