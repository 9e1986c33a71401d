/* wait: waits for a database server and looks, meanwhile, whether the work is still wanted. */
#ifndef DSAR_SQL_WAIT_H
#define DSAR_SQL_WAIT_H

#include "driver.h"

/* Until `fd` is ready for one of `events` (as for poll), or `until_ms` on the clock of clock_now_ms has come:
 * then *ready is 0. -1 when the watch wants the work stopped. */
int wait_ready(int fd, short events, int64_t until_ms, struct sql_watch *watch, short *ready,
               struct dsar_error *error) __attribute__((warn_unused_result));

#endif
