/* profile_case: any bytes as a profile of one engine: refused with its place, or a hello that the daemon takes. */
#ifndef DSAR_FUZZ_PROFILE_CASE_H
#define DSAR_FUZZ_PROFILE_CASE_H

#include <dsar/connector.h>

struct profile_case {
    struct dsar_connector engine; /* its hello, configure and leave */
    const char *settings;         /* JSON objects: what the operator gives it */
    const char *secrets;
    void (*look)(const void *state); /* at an engine that has taken its profile; NULL for nothing more */
};

/* Aborts when it is otherwise, or when an error tells a secret. */
void profile_case_run(const struct profile_case *profile_case, const void *data, size_t size);

#endif
