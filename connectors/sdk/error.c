#include "error.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Makes any text one line of valid UTF-8: texts come from upstream as well, and may be cut in the middle of a
 * character. */
static void clean(char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t step = utf8_length(text, left);
        if (step == 0 || (step == 1 && ((unsigned char)*text < 0x20 || *text == 0x7f))) {
            *text = '?';
            step = 1;
        }
        text += step;
        left -= step;
    }
}

int dsar_error_set(struct dsar_error *error, const char *code, bool retryable, const char *format, ...)
{
    if (!error)
        return -1;
    *error = (struct dsar_error){.retryable = retryable};
    snprintf(error->code, sizeof error->code, "%s", code);
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(error->text, sizeof error->text, format, ap) < 0)
        error->text[0] = '\0';
    va_end(ap);
    clean(error->text);
    return -1;
}

int error_from_fault(struct dsar_error *error, const struct fault *fault)
{
    return dsar_error_set(error, fault->code, fault->retryable, "%s", fault->text);
}

int error_no_memory(struct dsar_error *error)
{
    return dsar_error_set(error, "no_memory", true, "no memory");
}
