/* version: the versions of products, as they write them: "8.13.1-release.1", "3.3.10". */
#ifndef DSAR_SDK_VERSION_H
#define DSAR_SDK_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/* The longest that is taken for one, in bytes. */
#define VERSION_MAX 64

/* Whether `text` looks like a version, which begins with a digit, so that nothing else is shown in its place. */
bool version_is_valid(const char *text, size_t len);

/* Whether `version` is `least` or a later one, by their leading numbers between dots: "3.10" is later than "3.9", and "3" as
 * "3.0". Both are valid. */
bool version_is_at_least(const char *version, const char *least);

#endif
