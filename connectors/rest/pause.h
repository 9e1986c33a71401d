/* pause: waits without letting the conversation with dsard fall silent. */
#ifndef REST_PAUSE_H
#define REST_PAUSE_H

#include "http.h"

/* Waits `ms` milliseconds. Fails with "cancelled" or "source_timeout" when the work is to stop meanwhile. */
int pause_for(const struct http_wait *wait, int64_t ms, struct dsar_error *error)
    __attribute__((warn_unused_result));

#endif
