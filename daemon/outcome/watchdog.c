#include "outcome/watchdog.h"

#include "base/cancel.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct watchdog {
    struct cancel *stopped;
    struct log *log;
    int64_t ms;
    int status;
    pthread_t thread;
};

static void *watch(void *arg)
{
    struct watchdog *watchdog = arg;
    if (cancel_wait(watchdog->stopped, watchdog->ms))
        return NULL;
    log_line(watchdog->log, LOG_LEVEL_ERROR, NULL, "leaving takes too long: the process is ended");
    _exit(watchdog->status);
}

struct watchdog *watchdog_start(int64_t ms, int status, struct log *log)
{
    struct fault fault;
    struct watchdog *watchdog = calloc(1, sizeof *watchdog);
    if (!watchdog)
        return NULL;
    *watchdog = (struct watchdog){.log = log, .ms = ms, .status = status};
    if (cancel_new(&watchdog->stopped, &fault) == 0) {
        if (pthread_create(&watchdog->thread, NULL, watch, watchdog) == 0)
            return watchdog;
        cancel_free(watchdog->stopped);
    }
    free(watchdog);
    return NULL;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog)
        return;
    cancel_raise(watchdog->stopped);
    pthread_join(watchdog->thread, NULL);
    cancel_free(watchdog->stopped);
    free(watchdog);
}
