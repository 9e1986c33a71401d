/* Any bytes as a log of each format: a line that is read is one in all its parts, and only its own address or user can make it
 * somebody's. */
#include "../../connectors/files/log_match.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "192.0.2.7"
#define USER    "alice"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static bool is_text(const struct log_text *text, const char *expected)
{
    return text->len == strlen(expected) && memcmp(text->data, expected, text->len) == 0;
}

/* The field stands at *at, between these marks; *at goes behind them. */
static void check_field(const char **at, const char *end, const char *before, const struct log_text *field,
                        const char *behind)
{
    size_t before_len = strlen(before), behind_len = strlen(behind);
    check((size_t)(end - *at) >= before_len + field->len + behind_len);
    check(memcmp(*at, before, before_len) == 0 && field->data == *at + before_len);
    check(memcmp(field->data + field->len, behind, behind_len) == 0);
    *at = field->data + field->len + behind_len;
}

/* The fields and what stands between them are the whole line. */
static void check_whole(const struct log_line *line, enum log_format format, const char *at, const char *end)
{
    if (format == LOG_VHOST_COMBINED)
        check_field(&at, end, "", &line->host, " ");
    check_field(&at, end, "", &line->address, " ");
    check_field(&at, end, "", &line->ident, " ");
    check_field(&at, end, "", &line->user, " ");
    check_field(&at, end, "[", &line->time, "] ");
    check_field(&at, end, "\"", &line->request, "\" ");
    check_field(&at, end, "", &line->status, " ");
    check_field(&at, end, "", &line->bytes, format == LOG_COMMON ? "" : " ");
    if (format != LOG_COMMON) {
        check_field(&at, end, "\"", &line->referer, "\" ");
        check_field(&at, end, "\"", &line->user_agent, "\"");
    }
    check(at == end);
    check(!memchr(line->address.data, ' ', line->address.len) && line->time.len == 26);
    check(line->status.len == 3 || is_text(&line->status, "-"));
}

static void check_match(const struct log_line *line)
{
    const struct dsar_identity items[] = {{"address", ADDRESS}, {"user", USER}};
    const struct dsar_identities identities = {.items = items, .n_items = 2};
    struct log_match by_address, by_user;
    struct dsar_error error;
    check(log_match_init(&by_address, false, "address", "text", &identities, &error) == 0);
    check(log_match_init(&by_user, true, "user", "text", &identities, &error) == 0);
    bool is_of_address = log_match_has(&by_address, line);
    if (!memchr(line->address.data, ':', line->address.len))
        check(is_of_address == is_text(&line->address, ADDRESS));
    check(log_match_has(&by_user, line) == (is_text(&line->user, USER) && !is_text(&line->status, "401")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum log_format formats[] = {LOG_COMMON, LOG_COMBINED, LOG_VHOST_COMBINED};
    const char *text = (const char *)data;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct log_line line;
        if (!log_line_read(&line, formats[i], text, size))
            continue;
        check_whole(&line, formats[i], text, text + size);
        check_match(&line);
    }
    return 0;
}
