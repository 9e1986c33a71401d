/* iterable: jansson's iteration over objects changes nothing, but wants a pointer that is not const. */
#ifndef DSAR_SDK_ITERABLE_H
#define DSAR_SDK_ITERABLE_H

#include <jansson.h>
#include <stdint.h>

static inline json_t *iterable(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}

#endif
