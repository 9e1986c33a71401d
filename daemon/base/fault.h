/* fault: what went wrong, said once, for a person and for a program.
 *
 * Functions that can fail return 0 or -1 and take a `struct fault *` as their last parameter. The caller owns
 * it; the callee fills it only when it returns -1. `text` is one line that names the thing, the place, what
 * was expected and what to do. It never holds personal data or secrets, so it may be logged, published and
 * shown as it is.
 */
#ifndef DSAR_BASE_FAULT_H
#define DSAR_BASE_FAULT_H

#include <stdarg.h>
#include <stdbool.h>

#define FAULT_CODE_MAX 65
#define FAULT_TEXT_MAX 400

struct fault {
    char code[FAULT_CODE_MAX]; /* stable, for programs: "source_unreachable" */
    bool retryable;            /* the same call may succeed later, with nothing changed by hand */
    char text[FAULT_TEXT_MAX]; /* one line, no trailing newline */
};

/* Fills `fault` and returns -1, so that a caller can write `return fault_set(f, "code", "...");`.
 * `fault` may be NULL. The text is cut, never overflowed, and control characters become '?'. */
int fault_set(struct fault *fault, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* As fault_set, and marks the fault as retryable. */
int fault_retry(struct fault *fault, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

/* As fault_set for a failed system call: adds ": " and the text of `error_number`. ENOSPC, EDQUOT, EFBIG,
 * EROFS, EIO, ENOMEM, EMFILE, ENFILE, EAGAIN and EINTR are retryable. */
int fault_errno(struct fault *fault, const char *code, int error_number, const char *format, ...)
    __attribute__((format(printf, 4, 5), cold));

/* Puts "PREFIX: " before the text of a fault that is already set. Returns -1. */
int fault_prefix(struct fault *fault, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* Whether the fault has this code. */
bool fault_is(const struct fault *fault, const char *code);

#endif
