#include "config/problems.h"

#include <stdarg.h>
#include <string.h>

#define WORD_MAX 48

/* Writes at most `max` bytes, whole characters only, and nothing that a terminal would obey. */
static void put_clean(FILE *out, const char *text, size_t max)
{
    size_t len = strnlen(text, max + 1);
    bool cut = len > max;
    if (cut)
        for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;)
            len--;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        putc(c < 0x20 || c == 0x7f ? '?' : c, out);
    }
    if (cut)
        fputs("...", out);
}

static void put_place(FILE *out, const struct place *place)
{
    if (!place)
        return;
    put_place(out, place->up);
    if (place->key) {
        putc('.', out);
        put_clean(out, place->key, WORD_MAX);
    } else {
        fprintf(out, "[%zu]", place->index);
    }
}

static void put_line(const struct problems *problems, struct config_mark mark, const char *severity,
                     const struct place *place, const char *text)
{
    fprintf(problems->out, "%s:%u:%u: %s: ", problems->file, mark.line, mark.column, severity);
    if (place) {
        put_place(problems->out, place);
        fputs(": ", problems->out);
    }
    put_clean(problems->out, text, strlen(text));
    putc('\n', problems->out);
}

/* Counts one more error; false when it is not to be written any more. */
static bool count_error(struct problems *problems)
{
    problems->n_errors++;
    if (problems->n_errors == PROBLEMS_SHOWN_MAX + 1)
        fprintf(problems->out, "%s: error: more than %d errors; mend these first\n", problems->file,
                PROBLEMS_SHOWN_MAX);
    return problems->n_errors <= PROBLEMS_SHOWN_MAX;
}

void problem_error(struct problems *problems, struct config_mark mark, const struct place *place,
                   const char *format, ...)
{
    if (!count_error(problems))
        return;
    char text[1024];
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(text, sizeof text, format, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    put_line(problems, mark, "error", place, text);
}

void problem_warning(struct problems *problems, struct config_mark mark, const struct place *place,
                     const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(text, sizeof text, format, ap) < 0)
        text[0] = '\0';
    va_end(ap);
    put_line(problems, mark, "warning", place, text);
}

void problem_no_memory(struct problems *problems)
{
    if (count_error(problems))
        fprintf(problems->out, "%s: error: no memory to read it\n", problems->file);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b_len];
}

void suggestion_offer(struct suggestion *suggestion, const char *candidate)
{
    size_t word_len = strnlen(suggestion->word, WORD_MAX + 1), len = strnlen(candidate, WORD_MAX + 1);
    if (word_len > WORD_MAX || len > WORD_MAX)
        return;
    size_t distance = edit_distance(suggestion->word, word_len, candidate, len);
    size_t near = word_len < 4 ? 1 : least(word_len / 3 + 1, 3);
    if (distance <= near && (!suggestion->best || distance < suggestion->distance)) {
        suggestion->best = candidate;
        suggestion->distance = distance;
    }
}

const char *suggestion_text(const struct suggestion *suggestion, char text[SUGGESTION_TEXT_MAX])
{
    text[0] = '\0';
    if (suggestion->best)
        snprintf(text, SUGGESTION_TEXT_MAX, " (did you mean '%s'?)", suggestion->best);
    return text;
}
