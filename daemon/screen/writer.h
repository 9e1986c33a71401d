/* writer: bytes into memory of a fixed size. What does not fit is left out whole and `full` is set, once and
 * for all. */
#ifndef DSAR_SCREEN_WRITER_H
#define DSAR_SCREEN_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct writer {
    char *data;
    size_t len;
    size_t cap;
    bool full;
};

static inline void writer_put(struct writer *writer, const char *data, size_t len)
{
    if (len > writer->cap - writer->len) {
        writer->full = true;
        return;
    }
    memcpy(writer->data + writer->len, data, len);
    writer->len += len;
}

static inline void writer_put_char(struct writer *writer, char c)
{
    if (writer->len == writer->cap) {
        writer->full = true;
        return;
    }
    writer->data[writer->len++] = c;
}

#endif
