/* watchdog: ends the process when it does not manage to leave by itself: a client of Kafka whose close hangs must not keep a
 * worker from its restart. Nothing is lost by that: what was not committed comes again. Thread-safe. */
#ifndef DSAR_OUTCOME_WATCHDOG_H
#define DSAR_OUTCOME_WATCHDOG_H

#include "base/log.h"

#include <stdint.h>

struct watchdog;

/* After `ms` milliseconds the process ends with `status`. NULL without memory or threads: then there is none. */
struct watchdog *watchdog_start(int64_t ms, int status, struct log *log);

/* NULL is harmless. */
void watchdog_stop(struct watchdog *watchdog);

#endif
