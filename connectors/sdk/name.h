/* name: names of connectors, collections, settings, identity kinds and reason codes: [a-z][a-z0-9_.-]*, at
 * most DSAR_NAME_MAX bytes. */
#ifndef DSAR_SDK_NAME_H
#define DSAR_SDK_NAME_H

#include <stdbool.h>

/* Whether `name` is one. NULL is none. */
bool name_is_valid(const char *name);

#endif
