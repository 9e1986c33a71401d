#include "pause.h"

#include "base/clock.h"

#include <time.h>

/* How soon a cancellation is noticed. */
#define STEP_MS 100

int pause_for(const struct http_wait *wait, int64_t ms, struct dsar_error *error)
{
    int64_t until_ms = clock_now_ms() + ms;
    for (int64_t left_ms = ms; left_ms > 0; left_ms = until_ms - clock_now_ms()) {
        long step_ms = left_ms < STEP_MS ? (long)left_ms : STEP_MS;
        if (dsar_progress(wait->session, wait->done, wait->total, error))
            return -1;
        nanosleep(&(struct timespec){.tv_nsec = step_ms * 1000000L}, NULL);
    }
    return 0;
}
