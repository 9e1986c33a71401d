/* offsets: which messages of one partition are done, and what may be committed.
 *
 * Requests end out of order. An offset is committed only with everything below it done; what is done above
 * that base rides along as text in the commit's metadata, so that a restart does not do it again. Offsets
 * have gaps (transaction markers, compaction, retention): what the consumer skips holds up nothing, and the text tells
 * of it only between offsets that are done, so that gaps never lengthen it. Memory grows with the number of runs of
 * equal state, not with the span. Not thread-safe.
 */
#ifndef DSAR_OUTCOME_OFFSETS_H
#define DSAR_OUTCOME_OFFSETS_H

#include "base/buf.h"
#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kafka's default limit is 4096 bytes (offset.metadata.max.bytes). */
#define OFFSETS_METADATA_MAX 4096

struct offsets;

/* From what is committed: `base` is the next offset to be read; `metadata` (may be NULL, need not end with
 * NUL) is what offsets_metadata once wrote. Metadata that is not ours is refused with "foreign_metadata". */
int offsets_new(struct offsets **offsets, int64_t base, const char *metadata, size_t metadata_len,
                struct fault *fault) __attribute__((warn_unused_result));
void offsets_free(struct offsets *offsets);

/* Tells that the consumer delivered `offset`: everything between the last one delivered and this one does not
 * exist. *wanted is false when it lies below the base, was delivered before, or is done. */
int offsets_delivered(struct offsets *offsets, int64_t offset, bool *wanted, struct fault *fault)
    __attribute__((warn_unused_result));

/* Marks a delivered offset as part of the transaction in the making. False when a commit could then not tell of all
 * that is done (or for want of memory): it has to wait for others to end. */
bool offsets_stage(struct offsets *offsets, int64_t offset);

/* The transaction is committed (true) or aborted (false): what was staged is done, or open again. */
void offsets_settle(struct offsets *offsets, bool committed);

/* What a commit of the staged offsets says: the first offset that is not done. */
int64_t offsets_base(const struct offsets *offsets);

/* And the text of what is done above it, at most OFFSETS_METADATA_MAX bytes; empty when nothing is. */
int offsets_metadata(const struct offsets *offsets, struct buf *text, struct fault *fault)
    __attribute__((warn_unused_result));

/* How many separate runs of done offsets lie above the base: what decides the metadata's length. */
size_t offsets_runs(const struct offsets *offsets);

/* Whether the offset is done, in a commit that is as it was read by offsets_new. */
bool offsets_done(const struct offsets *offsets, int64_t offset);

#endif
