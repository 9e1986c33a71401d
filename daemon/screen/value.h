/* value: single strings and numbers, written as their class lets them leave. */
#ifndef DSAR_SCREEN_VALUE_H
#define DSAR_SCREEN_VALUE_H

#include "screen/classes.h"
#include "screen/screen.h"
#include "screen/tally.h"
#include "screen/writer.h"

#include <stdbool.h>
#include <stddef.h>

struct value_sink {
    const struct own_addresses *own;
    struct writer *out;
    struct tally *tally;
};

/* The inside of a string. */
struct piece {
    const char *text; /* its escapes resolved by text_decode */
    size_t len;
    bool escaped; /* it had escapes; otherwise the text needs none */
};

/* Writes the inside of a string with what the scanner finds masked. Whether it found anything. */
bool value_put_scanned(const struct value_sink *sink, const struct piece *piece);

/* Writes the inside of a string as it is. */
void value_put_plain(const struct value_sink *sink, const struct piece *piece);

/* Writes a whole string, number, or one of true, false and null, of a class that does not drop it. */
void value_put_string(const struct value_sink *sink, enum class_kind kind, const struct piece *piece);
void value_put_number(const struct value_sink *sink, enum class_kind kind, const char *text, size_t len);
void value_put_literal(const struct value_sink *sink, enum class_kind kind, const char *text);

#endif
