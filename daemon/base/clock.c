#include "base/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_now_unix_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

int64_t clock_now_unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void clock_format(int64_t unix_s, char text[CLOCK_TEXT_MAX])
{
    const int64_t first = -62135596800, last = 253402300799;
    time_t t = (time_t)(unix_s < first ? first : unix_s > last ? last : unix_s);
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(text, CLOCK_TEXT_MAX, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1,
             tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* Reads exactly `digits` digits. */
static bool number(const char **at, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool sign(const char **at, char expected)
{
    if (**at != expected)
        return false;
    (*at)++;
    return true;
}

static bool offset(const char **at, int *seconds)
{
    if (**at == 'Z' || **at == 'z') {
        (*at)++;
        *seconds = 0;
        return true;
    }
    int direction = **at == '+' ? 1 : **at == '-' ? -1 : 0;
    int hours, minutes;
    if (direction)
        (*at)++;
    if (!direction || !number(at, 2, &hours) || !sign(at, ':') || !number(at, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *seconds = direction * (hours * 3600 + minutes * 60);
    return true;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool date_time(const char **at, struct tm *tm)
{
    int year, month;
    if (!number(at, 4, &year) || !sign(at, '-') || !number(at, 2, &month) || !sign(at, '-') ||
        !number(at, 2, &tm->tm_mday))
        return false;
    if (**at != 'T' && **at != 't')
        return false;
    (*at)++;
    if (!number(at, 2, &tm->tm_hour) || !sign(at, ':') || !number(at, 2, &tm->tm_min) || !sign(at, ':') ||
        !number(at, 2, &tm->tm_sec))
        return false;
    if (**at == '.') {
        (*at)++;
        if (!isdigit((unsigned char)**at))
            return false;
        while (isdigit((unsigned char)**at))
            (*at)++;
    }
    if (year < 1 || month < 1 || month > 12 || tm->tm_mday < 1 || tm->tm_mday > days_in(year, month))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    if (tm->tm_sec == 60)
        tm->tm_sec = 59;
    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59;
}

int clock_parse(const char *text, int64_t *unix_s, struct fault *fault)
{
    struct tm tm = {0};
    int east_s;
    const char *at = text;
    if (!date_time(&at, &tm) || !offset(&at, &east_s) || *at)
        return fault_set(fault, "bad_time", "expected a time as in 2026-11-23T08:00:00Z (RFC 3339)");
    *unix_s = (int64_t)timegm(&tm) - east_s;
    return 0;
}
