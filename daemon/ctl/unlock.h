/* unlock: how open and verify come to a bundle's passphrase: from the event with the recipient's key, or from
 * a file. */
#ifndef DSAR_CTL_UNLOCK_H
#define DSAR_CTL_UNLOCK_H

#include "base/fault.h"

#include <jansson.h>

struct unlock {
    const char *event_path;      /* may be NULL */
    const char *key_path;        /* the recipient's private key; may be NULL */
    const char *passphrase_path; /* may be NULL */
    json_t *event;               /* loaded when event_path is given */
    char *passphrase;            /* secret memory; NULL when there is no way to it */
};

/* Loads the event and finds the passphrase, if there is a way. */
int unlock_open(struct unlock *unlock, struct fault *fault) __attribute__((warn_unused_result));
void unlock_wipe(struct unlock *unlock);

#endif
