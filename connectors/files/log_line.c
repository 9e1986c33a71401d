#include "log_line.h"

#include <string.h>

#define TIME_LEN 26 /* 10/Oct/2000:13:55:36 -0700 */

struct cursor {
    const char *at;
    const char *end;
};

static bool is_printable(char c)
{
    return (unsigned char)c > 0x20 && c != 0x7f;
}

static bool skip(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end || *cursor->at != c)
        return false;
    cursor->at++;
    return true;
}

/* A word without spaces or quotes, and the space behind it. */
static bool take_word(struct cursor *cursor, struct log_text *word)
{
    word->data = cursor->at;
    while (cursor->at < cursor->end && is_printable(*cursor->at) && *cursor->at != '"')
        cursor->at++;
    word->len = (size_t)(cursor->at - word->data);
    return word->len > 0 && skip(cursor, ' ');
}

static bool take_quoted(struct cursor *cursor, struct log_text *text)
{
    if (!skip(cursor, '"'))
        return false;
    text->data = cursor->at;
    for (; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++) {
        if (*cursor->at == '\\' && ++cursor->at == cursor->end)
            return false;
        if (!is_printable(*cursor->at) && *cursor->at != ' ')
            return false;
    }
    text->len = (size_t)(cursor->at - text->data);
    return skip(cursor, '"');
}

/* Digits, as many as `min` to `max`, or one "-". */
static bool take_number(struct cursor *cursor, size_t min, size_t max, struct log_text *number)
{
    number->data = cursor->at;
    number->len = 1;
    if (skip(cursor, '-'))
        return true;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9')
        cursor->at++;
    number->len = (size_t)(cursor->at - number->data);
    return number->len >= min && number->len <= max;
}

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* Whether TIME_LEN bytes are a time. */
static bool is_time(const char *text)
{
    static const char shape[] = "00/Aaa/0000:00:00:00 +0000";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (size_t i = 0; i < TIME_LEN; i++) {
        bool fits = text[i] == shape[i];
        if (shape[i] == '0')
            fits = text[i] >= '0' && text[i] <= '9';
        else if (shape[i] == '+')
            fits = text[i] == '+' || text[i] == '-';
        else if (shape[i] == 'A' || shape[i] == 'a')
            fits = true;
        if (!fits)
            return false;
    }
    bool is_month = false;
    for (size_t i = 0; i < strlen(months) && !is_month; i += 3)
        is_month = memcmp(text + 3, months + i, 3) == 0;
    return is_month && two_digits(text) >= 1 && two_digits(text) <= 31 && two_digits(text + 12) <= 23 &&
           two_digits(text + 15) <= 59 && two_digits(text + 18) <= 60;
}

/* Whether ` [TIME] "` stands here. A visitor cannot write that into the name of a user: servers escape quotes there. */
static bool is_time_here(const char *at, const char *end)
{
    return end - at >= TIME_LEN + 5 && at[0] == ' ' && at[1] == '[' && is_time(at + 2) &&
           memcmp(at + 2 + TIME_LEN, "] \"", 3) == 0;
}

/* The user, and the time behind it with the space that follows. */
static bool take_user_and_time(struct cursor *cursor, struct log_line *line)
{
    line->user.data = cursor->at;
    while (cursor->at < cursor->end && !is_time_here(cursor->at, cursor->end)) {
        if (!is_printable(*cursor->at) && *cursor->at != ' ')
            return false;
        cursor->at++;
    }
    line->user.len = (size_t)(cursor->at - line->user.data);
    bool is_empty = line->user.len == 2 && memcmp(line->user.data, "\"\"", 2) == 0;
    if (cursor->at == cursor->end || line->user.len == 0 ||
        (!is_empty && memchr(line->user.data, '"', line->user.len)))
        return false;
    line->time = (struct log_text){.data = cursor->at + 2, .len = TIME_LEN};
    cursor->at += TIME_LEN + 4;
    return true;
}

bool log_line_read(struct log_line *line, enum log_format format, const char *text, size_t len)
{
    struct cursor cursor = {.at = text, .end = text + len};
    *line = (struct log_line){.host = {.data = NULL}};
    if (format == LOG_VHOST_COMBINED && !take_word(&cursor, &line->host))
        return false;
    if (!take_word(&cursor, &line->address) || !take_word(&cursor, &line->ident) ||
        !take_user_and_time(&cursor, line) || !take_quoted(&cursor, &line->request) || !skip(&cursor, ' ') ||
        !take_number(&cursor, 3, 3, &line->status) || !skip(&cursor, ' ') ||
        !take_number(&cursor, 1, 18, &line->bytes))
        return false;
    if (format == LOG_COMMON)
        return cursor.at == cursor.end;
    return skip(&cursor, ' ') && take_quoted(&cursor, &line->referer) && skip(&cursor, ' ') &&
           take_quoted(&cursor, &line->user_agent) && cursor.at == cursor.end;
}
