/* calls: the system calls that no connector needs, by name, for both layers of the filter (loose.h, strict.h). */
#ifndef DSAR_SANDBOX_CALLS_H
#define DSAR_SANDBOX_CALLS_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

/* Each list ends with NULL. */

/* An honest program does not even try them: they reach into other processes or the kernel, or out of the sandbox. */
extern const char *const calls_hostile[];

/* Others may, and can do without. */
extern const char *const calls_needless[];

/* Their arguments lie where a filter cannot look; programs fall back to older calls where a kernel lacks them. */
extern const char *const calls_opaque[];

/* Whether we are built with sanitizers, whose search for leaks traces its own process and whose memory is unlike any other:
 * then the filters leave them what they need. */
#ifdef DSAR_SANITIZED
#define CALLS_SANITIZED true
#else
#define CALLS_SANITIZED false
#endif

/* What is above it came after the lists were made (Linux 5.17), so nobody has judged it; the same on all machines. */
#define CALLS_NEWEST 450

/* Adds `action` for every call of a list that this machine has. 0, or libseccomp's negative error. */
int calls_add(scmp_filter_ctx filter, uint32_t action, const char *const *list)
    __attribute__((warn_unused_result));

/* What the kernel reads of an argument that is an int; the rest is the caller's whim. */
#define CALLS_INT_BITS 0xffffffffu

/* Adds `action` for a call whose argument (from 0), an int, has one of the values. 0, or libseccomp's negative error. */
int calls_add_values(scmp_filter_ctx filter, uint32_t action, int number, unsigned argument,
                     const unsigned *values, size_t n_values) __attribute__((warn_unused_result));

/* Adds `action` where TCP's fast open is asked for: it connects without connect(2), which Landlock does not see. */
int calls_add_fast_open(scmp_filter_ctx filter, uint32_t action) __attribute__((warn_unused_result));

#endif
