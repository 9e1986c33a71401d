#include "ctl/unlock.h"

#include "base/buf.h"
#include "ctl/event_file.h"

#include <string.h>

static int read_passphrase(struct unlock *unlock, struct fault *fault)
{
    struct buf text;
    buf_init(&text, PASSPHRASE_MAX - 1);
    int result = buf_read_file(&text, unlock->passphrase_path, fault);
    if (result == 0) {
        size_t len = text.data ? strcspn(text.data, "\r\n") : 0;
        memcpy(unlock->passphrase, text.data ? text.data : "", len);
        unlock->passphrase[len] = '\0';
        if (len == 0)
            result = fault_set(fault, "file_unreadable", "%s: expected the passphrase on its first line",
                               unlock->passphrase_path);
    }
    buf_wipe(&text);
    return result;
}

int unlock_open(struct unlock *unlock, struct fault *fault)
{
    if (unlock->event_path) {
        unlock->event = event_file_load(unlock->event_path, fault);
        if (!unlock->event)
            return -1;
    }
    bool sealed = unlock->event && unlock->key_path;
    if (!sealed && !unlock->passphrase_path)
        return 0;
    unlock->passphrase = secret_alloc(PASSPHRASE_MAX, fault);
    if (!unlock->passphrase)
        return -1;
    return sealed ? event_file_passphrase(unlock->event, unlock->key_path, unlock->passphrase, fault)
                  : read_passphrase(unlock, fault);
}

void unlock_wipe(struct unlock *unlock)
{
    json_decref(unlock->event);
    secret_free(unlock->passphrase, PASSPHRASE_MAX);
    unlock->event = NULL;
    unlock->passphrase = NULL;
}
