#include "screen/value.h"
#include "screen/scanner.h"
#include "screen/text.h"

#define CARD_DIGITS_KEPT 4

static void put(struct writer *out, const char *text)
{
    writer_put(out, text, strlen(text));
}

static void put_text(struct writer *out, const char *text, size_t len, bool escaped)
{
    if (escaped)
        text_encode(text, len, out);
    else
        writer_put(out, text, len);
}

void value_put_plain(const struct value_sink *sink, const struct piece *piece)
{
    put_text(sink->out, piece->text, piece->len, piece->escaped);
}

/* Not inlined: most text never comes here, and should not pay for the room that this takes on the stack. */
__attribute__((noinline)) static bool put_masked(const struct value_sink *sink, const struct piece *piece,
                                                 struct scan_hints hints)
{
    struct scan scan;
    struct mask mask;
    size_t done = 0;
    scanner_begin(&scan, sink->own, piece->text, piece->len, hints);
    while (scanner_next(&scan, &mask)) {
        put_text(sink->out, piece->text + done, mask.start - done, piece->escaped);
        writer_put(sink->out, mask.text, mask.text_len);
        tally_add(sink->tally, mask.reason, 1);
        done = mask.end;
    }
    put_text(sink->out, piece->text + done, piece->len - done, piece->escaped);
    return done > 0;
}

bool value_put_scanned(const struct value_sink *sink, const struct piece *piece)
{
    struct scan_hints hints = scanner_look(piece->text, piece->len);
    if (hints.address || hints.number)
        return put_masked(sink, piece, hints);
    value_put_plain(sink, piece);
    return false;
}

static size_t count_digits(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text_is_digit(text[i]);
    return n;
}

/* Writes a string with every digit but the last four as '*', whatever it is: a card number that nobody would
 * recognise is one too in a field of this class. */
static void put_card(const struct value_sink *sink, const struct piece *piece)
{
    size_t digits = count_digits(piece->text, piece->len);
    size_t done = 0;
    if (digits > CARD_DIGITS_KEPT)
        tally_add(sink->tally, "card", 1);
    for (size_t i = 0; i < piece->len && digits > CARD_DIGITS_KEPT; i++) {
        if (!text_is_digit(piece->text[i]))
            continue;
        put_text(sink->out, piece->text + done, i - done, piece->escaped);
        writer_put_char(sink->out, '*');
        done = i + 1;
        digits--;
    }
    put_text(sink->out, piece->text + done, piece->len - done, piece->escaped);
}

void value_put_string(const struct value_sink *sink, enum class_kind kind, const struct piece *piece)
{
    writer_put_char(sink->out, '"');
    if (kind == CLASS_FREE_TEXT) {
        value_put_scanned(sink, piece);
    } else if (kind == CLASS_CARD) {
        put_card(sink, piece);
    } else if (kind == CLASS_OWN) {
        value_put_plain(sink, piece);
    } else if (piece->len > 0) {
        put(sink->out, "***");
        tally_add(sink->tally, "third_party", 1);
    }
    writer_put_char(sink->out, '"');
}

/* Whether a card number stands in a number. */
static bool is_card(const struct value_sink *sink, const char *text, size_t len)
{
    struct scan scan;
    struct mask mask;
    scanner_begin(&scan, sink->own, text, len, (struct scan_hints){.number = true});
    return scanner_next(&scan, &mask);
}

void value_put_number(const struct value_sink *sink, enum class_kind kind, const char *text, size_t len)
{
    const struct piece piece = {.text = text, .len = len};
    if (kind == CLASS_THIRD_PARTY) {
        put(sink->out, "null");
        tally_add(sink->tally, "third_party", 1);
    } else if (kind == CLASS_OWN ||
               (kind == CLASS_FREE_TEXT && (len < NUMBER_LEN_MIN || !is_card(sink, text, len)))) {
        writer_put(sink->out, text, len);
    } else {
        value_put_string(sink, kind, &piece);
    }
}

void value_put_literal(const struct value_sink *sink, enum class_kind kind, const char *text)
{
    if (kind == CLASS_THIRD_PARTY && text[0] != 'n') {
        put(sink->out, "null");
        tally_add(sink->tally, "third_party", 1);
    } else {
        put(sink->out, text);
    }
}
