/* cond: condition variables whose deadlines are by the clock of clock_now_ms, which is never set. */
#ifndef DSAR_BASE_COND_H
#define DSAR_BASE_COND_H

#include <pthread.h>
#include <stdint.h>

void cond_init(pthread_cond_t *cond);

/* As pthread_cond_timedwait, until clock_now_ms() is `until_ms`. May return before. */
void cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until_ms);

#endif
