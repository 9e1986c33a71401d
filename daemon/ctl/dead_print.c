#include "base/clock.h"
#include "ctl/ctl.h"
#include "ctl/dead.h"
#include "ctl/dead_letters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *or_dash(const char *text)
{
    return *text ? text : "-";
}

/* NULL when the letter does not say. */
static const char *time_of(const struct dead_facts *facts, char text[CLOCK_TEXT_MAX])
{
    if (facts->time_unix_s == 0)
        return NULL;
    clock_format(facts->time_unix_s, text);
    return text;
}

/* --- list --- */

static void print_line(const struct dead_facts *facts)
{
    char text[CLOCK_TEXT_MAX];
    const char *time = time_of(facts, text);
    printf("%" PRId32 "/%" PRId64 " %s %s %s/%" PRId32 "/%" PRId64 " %s %" PRId64 " ", facts->place.partition,
           facts->place.offset, time ? time : "-", or_dash(facts->code), or_dash(facts->topic),
           facts->partition, facts->offset, or_dash(facts->request), facts->bytes);
    if (facts->state != DEAD_OPEN)
        printf("[%s] ", dead_state_name(facts->state));
    puts(facts->text);
}

static int print_json(const struct dead_facts *facts, struct fault *fault)
{
    char place[48], text[CLOCK_TEXT_MAX];
    snprintf(place, sizeof place, "%" PRId32 "/%" PRId64, facts->place.partition, facts->place.offset);
    json_t *json =
        json_pack("{s:s,s:s,s:s?,s:s,s:s,s:s,s:I,s:I,s:s?,s:I,s:b}", "letter", place, "state",
                  dead_state_name(facts->state), "time", time_of(facts, text), "code", facts->code, "text",
                  facts->text, "topic", facts->topic, "partition", (json_int_t)facts->partition, "offset",
                  (json_int_t)facts->offset, "request", *facts->request ? facts->request : NULL, "bytes",
                  (json_int_t)facts->bytes, "kept", (int)facts->kept);
    int result = json && json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n') == '\n'
                     ? 0
                     : fault_retry(fault, "no_memory", "letter %s cannot be printed", place);
    json_decref(json);
    return result;
}

static int list_letter(void *ctx, const struct dead_facts *facts, const rd_kafka_message_t *letter,
                       struct fault *fault)
{
    struct dead_options *options = ctx;
    (void)letter;
    if (!dead_selected(&options->selection, facts) || (facts->state != DEAD_OPEN && !options->settled))
        return 0;
    if (options->json)
        return print_json(facts, fault);
    print_line(facts);
    return 0;
}

int dead_list(struct dead_options *options, struct fault *fault)
{
    return dead_letters_read(&options->kafka, options->topic, list_letter, options, fault);
}

/* --- show --- */

static void print_headers(const rd_kafka_message_t *letter)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t len;
    if (rd_kafka_message_headers(letter, &headers))
        return;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        fputs("  ", stdout);
        ctl_print_text(name, strlen(name));
        fputs(": ", stdout);
        ctl_print_text(value, len);
        putchar('\n');
    }
}

static void print_key(const struct dead_facts *facts, const rd_kafka_message_t *letter, bool whole)
{
    fputs("key: ", stdout);
    if (!letter->key)
        fputs(facts->kept ? "none" : "not kept", stdout);
    else if (whole || *facts->request)
        ctl_print_text(letter->key, letter->key_len);
    else
        printf("%zu bytes, no request's id", letter->key_len);
    putchar('\n');
}

static void print_lines(const char *text, size_t len)
{
    for (size_t line; len; text += line, len -= line) {
        const char *end = memchr(text, '\n', len);
        line = end ? (size_t)(end - text) + 1 : len;
        ctl_print_text(text, end ? line - 1 : line);
        putchar('\n');
    }
}

static void print_value(const struct dead_facts *facts, const rd_kafka_message_t *letter, bool whole)
{
    if (!facts->kept)
        printf("value: %" PRId64 " bytes, not kept\n", facts->bytes);
    else if (!letter->payload)
        puts("value: none");
    else
        printf("value: %zu bytes%s\n", letter->len, whole ? ":" : "");
    if (whole && letter->payload)
        print_lines(letter->payload, letter->len);
}

static int show_letter(void *ctx, const struct dead_facts *facts, const rd_kafka_message_t *letter,
                       struct fault *fault)
{
    struct dead_options *options = ctx;
    (void)fault;
    if (!dead_selected(&options->selection, facts))
        return 0;
    printf("letter: %" PRId32 "/%" PRId64 "\nstate: %s\n", facts->place.partition, facts->place.offset,
           dead_state_name(facts->state));
    print_key(facts, letter, options->value);
    puts("headers:");
    print_headers(letter);
    print_value(facts, letter, options->value);
    putchar('\n');
    return 0;
}

int dead_show(struct dead_options *options, struct fault *fault)
{
    return dead_letters_read(&options->kafka, options->topic, show_letter, options, fault);
}
