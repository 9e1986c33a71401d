/* entry_name: which paths an archive may hold. Thread-safe. */
#ifndef DSAR_BUNDLE_ENTRY_NAME_H
#define DSAR_BUNDLE_ENTRY_NAME_H

#include <stdbool.h>

/* Whether `name` is a relative path of [A-Za-z0-9._-] segments, none of them "." or "..", of at most
 * BUNDLE_ENTRY_NAME_MAX bytes: safe to make as a file below any folder, and to print. */
bool entry_name_valid(const char *name);

#endif
