/* clock: the time, in the units that the rest of the program speaks of. Thread-safe. */
#ifndef DSAR_BASE_CLOCK_H
#define DSAR_BASE_CLOCK_H

#include "base/fault.h"

#include <stdint.h>

#define CLOCK_TEXT_MAX 32

/* Milliseconds since an arbitrary start; never goes back. For deadlines. */
int64_t clock_now_ms(void);

/* Seconds since 1970-01-01T00:00:00Z. For what is written down. */
int64_t clock_now_unix_s(void);

/* The same in milliseconds. */
int64_t clock_now_unix_ms(void);

/* "2026-11-23T08:00:00Z" (RFC 3339, UTC). `unix_s` from year 1 to 9999; beyond it the nearest of these. */
void clock_format(int64_t unix_s, char text[CLOCK_TEXT_MAX]);

/* Reads RFC 3339 with 'Z' or an offset; fractions of a second are read and dropped, leap seconds count as
 * :59. Fails with code "bad_time". */
int clock_parse(const char *text, int64_t *unix_s, struct fault *fault) __attribute__((warn_unused_result));

#endif
