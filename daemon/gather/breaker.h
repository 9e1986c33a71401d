/* breaker: leaves a source alone that fails again and again, whichever request asks.
 *
 * Closed, every try is let through. So many failures one after another open it: then none is, until its time is over and
 * one try decides (half-open). If that fails too it opens again for twice as long, up to ten times the configured time. A
 * try that has not decided within that time does not hold up the next.
 *
 * Thread-safe. Times are those of clock_now_ms, the caller's.
 */
#ifndef DSAR_GATHER_BREAKER_H
#define DSAR_GATHER_BREAKER_H

#include "base/log.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* "closed", "open", "half_open". */
const char *breaker_state_name(enum breaker_state state);

struct breaker {
    const char *source;   /* borrowed; for the log */
    unsigned failures;    /* that open it; 0: it stays closed */
    int64_t first_ms;     /* how long it is open for the first time */
    pthread_mutex_t lock; /* over what follows */
    enum breaker_state state;
    unsigned n_failed; /* one after another, while closed */
    int64_t open_ms;   /* how long it is open this time */
    int64_t until_ms;  /* when the next try is let through, while it is not closed */
};

void breaker_init(struct breaker *breaker, const char *source, unsigned failures, unsigned open_s);
void breaker_destroy(struct breaker *breaker);

/* Half-open from when the next try is the one that decides. */
enum breaker_state breaker_state(struct breaker *breaker, int64_t now_ms);

enum breaker_admission {
    BREAKER_REFUSED,  /* the source is not to be asked */
    BREAKER_ADMITTED, /* it is */
    BREAKER_TRIAL,    /* it is, and this try decides */
};

/* Whether a try may be made now. What is not refused is to be settled. */
enum breaker_admission breaker_admit(struct breaker *breaker, int64_t now_ms);

/* Whether breaker_admit would refuse. */
bool breaker_refuses(struct breaker *breaker, int64_t now_ms);

enum breaker_verdict {
    BREAKER_ANSWERED,  /* the source is there, whatever it said: closes */
    BREAKER_FAILED,    /* it is not */
    BREAKER_UNDECIDED, /* nothing was learned of it: the try was cancelled, or ended for a reason of our own */
};

/* How a try came out that was let through. Writes a line when this opens or closes. */
void breaker_settle(struct breaker *breaker, enum breaker_admission admission, enum breaker_verdict verdict,
                    int64_t now_ms, struct log *log);

#endif
