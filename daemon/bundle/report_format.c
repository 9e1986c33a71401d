#include "bundle/report_format.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const thousands[REPORT_LANGS] = {",", "\u202f"};
static const char *const decimal_point[REPORT_LANGS] = {".", ","};
static const char *const units[][REPORT_LANGS] = {
    {"B", "o"}, {"kB", "ko"}, {"MB", "Mo"}, {"GB", "Go"}, {"TB", "To"}};
static const char *const first_day[REPORT_LANGS] = {"1", "1er"};
static const char *const before_time[REPORT_LANGS] = {",", " à"};

void report_number(enum report_lang lang, uint64_t n, char text[REPORT_FORMAT_MAX])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    size_t used = 0;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0) {
            memcpy(text + used, thousands[lang], strlen(thousands[lang]));
            used += strlen(thousands[lang]);
        }
        text[used++] = digits[i];
    }
    text[used] = '\0';
}

void report_count(enum report_lang lang, enum report_noun noun, uint64_t n, char text[REPORT_FORMAT_MAX])
{
    report_number(lang, n, text);
    size_t used = strlen(text);
    snprintf(text + used, REPORT_FORMAT_MAX - used, "\u00a0%s", report_noun(lang, noun, n));
}

void report_size(enum report_lang lang, uint64_t bytes, char text[REPORT_FORMAT_MAX])
{
    size_t unit = 0;
    uint64_t rest = 0;
    while (bytes >= 1000 && unit + 1 < sizeof units / sizeof *units) {
        rest = bytes % 1000;
        bytes /= 1000;
        unit++;
    }
    report_number(lang, bytes, text);
    size_t used = strlen(text);
    if (unit && bytes < 10)
        snprintf(text + used, REPORT_FORMAT_MAX - used, "%s%" PRIu64 "\u00a0%s", decimal_point[lang],
                 rest / 100, units[unit][lang]);
    else
        snprintf(text + used, REPORT_FORMAT_MAX - used, "\u00a0%s", units[unit][lang]);
}

void report_date(enum report_lang lang, int64_t unix_s, char text[REPORT_FORMAT_MAX])
{
    char time[CLOCK_TEXT_MAX]; /* 2026-11-23T08:00:00Z */
    clock_format(unix_s, time);
    unsigned month = (unsigned)(time[5] - '0') * 10 + (unsigned)(time[6] - '0');
    const char *day = strncmp(time + 8, "01", 2) == 0 ? first_day[lang]
                      : time[8] == '0'                ? time + 9
                                                      : time + 8;
    snprintf(text, REPORT_FORMAT_MAX, "%.*s\u00a0%s\u00a0%.4s%s %.5s\u00a0UTC", (int)strcspn(day, "T"), day,
             report_month(lang, month), time, before_time[lang], time + 11);
}
