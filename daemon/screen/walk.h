/* walk: one way through records, that writes what of them may leave. */
#ifndef DSAR_SCREEN_WALK_H
#define DSAR_SCREEN_WALK_H

#include "base/fault.h"
#include "screen/screen.h"
#include "screen/tally.h"
#include "screen/writer.h"

#include <stddef.h>
#include <stdint.h>

/* The most bytes of one call. */
#define WALK_LEN_MAX ((size_t)64 * 1024 * 1024)

struct walk_options {
    const struct classes *classes;
    const struct own_addresses *own;
    uint64_t seed; /* secret, for the hashes of keys */
};

/* What screen_records does, for bytes known to be UTF-8. Adds to `out` and `tally`, whether it succeeds or
 * not. */
int walk_records(const struct walk_options *options, const char *data, size_t len, struct writer *out,
                 struct tally *tally, struct fault *fault) __attribute__((warn_unused_result));

#endif
