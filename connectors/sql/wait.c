#include "wait.h"

#include "base/clock.h"

#include <poll.h>

/* Often enough for a cancel, seldom enough to cost nothing. */
#define LOOK_EVERY_MS 100

static int look(struct sql_watch *watch, int64_t now_ms, struct dsar_error *error)
{
    if (now_ms - watch->looked_ms < LOOK_EVERY_MS)
        return 0;
    watch->looked_ms = now_ms;
    return watch->look(watch->ctx, error);
}

int wait_ready(int fd, short events, int64_t until_ms, struct sql_watch *watch, short *ready,
               struct dsar_error *error)
{
    struct pollfd waiting = {.fd = fd, .events = events};
    for (;;) {
        int64_t now_ms = clock_now_ms();
        int64_t left_ms = until_ms > now_ms ? until_ms - now_ms : 0;
        if (look(watch, now_ms, error))
            return -1;
        /* an interrupted or failed poll waits once more: the watch ends it */
        int n_ready = poll(&waiting, 1, left_ms < LOOK_EVERY_MS ? (int)left_ms : LOOK_EVERY_MS);
        *ready = n_ready > 0 ? waiting.revents : 0;
        if (*ready || left_ms == 0)
            return 0;
    }
}
