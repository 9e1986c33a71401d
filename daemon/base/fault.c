#include "base/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A cut may have left the beginning of a UTF-8 character, and then the text could stand in no JSON. */
static void drop_broken_end(char *text)
{
    size_t len = strlen(text), n_behind = 0;
    while (n_behind < len && n_behind < 3 && ((unsigned char)text[len - 1 - n_behind] & 0xc0) == 0x80)
        n_behind++;
    if (n_behind == len)
        return;
    char *first = &text[len - 1 - n_behind];
    unsigned char lead = (unsigned char)*first;
    size_t wanted = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    if (n_behind < wanted)
        *first = '\0';
}

static void clean(char *text)
{
    drop_broken_end(text);
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

static int set(struct fault *fault, const char *code, bool retryable, const char *format, va_list ap)
{
    if (!fault)
        return -1;
    snprintf(fault->code, sizeof fault->code, "%s", code);
    fault->retryable = retryable;
    if (vsnprintf(fault->text, sizeof fault->text, format, ap) < 0)
        fault->text[0] = '\0';
    clean(fault->text);
    return -1;
}

int fault_set(struct fault *fault, const char *code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    set(fault, code, false, format, ap);
    va_end(ap);
    return -1;
}

int fault_retry(struct fault *fault, const char *code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    set(fault, code, true, format, ap);
    va_end(ap);
    return -1;
}

static bool passes_with_time(int error_number)
{
    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EROFS:
    case EIO:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EAGAIN:
    case EINTR: return true;
    default: return false;
    }
}

int fault_errno(struct fault *fault, const char *code, int error_number, const char *format, ...)
{
    if (!fault)
        return -1;
    va_list ap;
    va_start(ap, format);
    set(fault, code, passes_with_time(error_number), format, ap);
    va_end(ap);
    size_t used = strlen(fault->text);
    char reason[128];
    snprintf(fault->text + used, sizeof fault->text - used, ": %s",
             strerror_r(error_number, reason, sizeof reason));
    return -1;
}

int fault_prefix(struct fault *fault, const char *format, ...)
{
    if (!fault)
        return -1;
    char prefix[FAULT_TEXT_MAX];
    va_list ap;
    va_start(ap, format);
    if (vsnprintf(prefix, sizeof prefix, format, ap) < 0)
        prefix[0] = '\0';
    va_end(ap);
    clean(prefix);
    char joined[2 * FAULT_TEXT_MAX + 2];
    snprintf(joined, sizeof joined, "%s: %s", prefix, fault->text);
    memcpy(fault->text, joined, sizeof fault->text - 1);
    fault->text[sizeof fault->text - 1] = '\0';
    clean(fault->text);
    return -1;
}

bool fault_is(const struct fault *fault, const char *code)
{
    return strcmp(fault->code, code) == 0;
}
