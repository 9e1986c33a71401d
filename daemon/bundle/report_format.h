/* report_format: numbers, sizes and dates as people write them in each language. Thread-safe. */
#ifndef DSAR_BUNDLE_REPORT_FORMAT_H
#define DSAR_BUNDLE_REPORT_FORMAT_H

#include "bundle/report_text.h"

#define REPORT_FORMAT_MAX 96

/* "12,345" or "12 345" (with U+202F). */
void report_number(enum report_lang lang, uint64_t n, char text[REPORT_FORMAT_MAX]);

/* "1 record", "2 records". */
void report_count(enum report_lang lang, enum report_noun noun, uint64_t n, char text[REPORT_FORMAT_MAX]);

/* "1.2 MB" or "1,2 Mo": decimal units. */
void report_size(enum report_lang lang, uint64_t bytes, char text[REPORT_FORMAT_MAX]);

/* "23 November 2026, 08:00 UTC". */
void report_date(enum report_lang lang, int64_t unix_s, char text[REPORT_FORMAT_MAX]);

#endif
