/* spool: an unlinked file for sealed bytes, and strands: the runs of it that belong to one entry.
 *
 * Strands of one spool may grow at the same time on several threads, each strand on one thread at a time. A
 * strand reserves ahead as it grows, so that however strands are interleaved, the number of runs stays small.
 */
#ifndef DSAR_BUNDLE_SPOOL_H
#define DSAR_BUNDLE_SPOOL_H

#include "base/fault.h"

#include <stddef.h>
#include <stdint.h>

struct spool;

/* A new file in `dir`, mode 0600, without a name. Fails with "spool_failed". */
int spool_open(struct spool **spool, const char *dir, struct fault *fault)
    __attribute__((warn_unused_result));

/* The file is gone with this. NULL is harmless. */
void spool_close(struct spool *spool);

struct spool_run {
    uint64_t offset;
    uint64_t bytes;
};

struct strand {
    struct spool *spool;
    struct spool_run
        *runs; /* in the strand's order; the last one may still grow into what is reserved behind it */
    size_t n_runs;
    size_t cap_runs;
    uint64_t reserved_bytes;
    uint64_t bytes; /* all runs together */
};

/* An empty strand. `spool` outlives it. */
void strand_init(struct strand *strand, struct spool *spool);
void strand_wipe(struct strand *strand);

/* Adds bytes. Fails with "spool_failed", retryable: the disk may have room again. The strand is of no use
 * afterwards. */
int strand_append(struct strand *strand, const void *data, size_t len, struct fault *fault)
    __attribute__((warn_unused_result));

/* A place in a strand; {0} is its beginning. */
struct strand_cursor {
    size_t run;
    uint64_t offset; /* within the run */
};

/* Reads at most `len` bytes from `cursor` on and moves it. *got is 0 at the end only. Fails with
 * "spool_failed". */
int strand_read(const struct strand *strand, struct strand_cursor *cursor, void *data, size_t len,
                size_t *got, struct fault *fault) __attribute__((warn_unused_result));

#endif
