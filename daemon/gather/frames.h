/* frames: reads and writes the messages of the connector protocol (include/dsar/PROTOCOL.md) over a child's
 * pipes.
 *
 * Every wait ends at the deadline, at the keep-alive limit or when the request is cancelled. One thread at a
 * time.
 */
#ifndef DSAR_GATHER_FRAMES_H
#define DSAR_GATHER_FRAMES_H

#include "base/buf.h"
#include "base/cancel.h"
#include "base/log.h"
#include "gather/child.h"

#include <jansson.h>
#include <stdint.h>

#define FRAMES_WORDS_MAX 512

struct frames {
    struct child *child;         /* borrowed */
    const struct cancel *cancel; /* borrowed */
    struct log *log;       /* borrowed; what the connector says on standard error goes here at level debug */
    char *words;           /* borrowed, FRAMES_WORDS_MAX bytes: takes what it said there last; may be NULL */
    const char *source;    /* borrowed; for texts */
    int64_t deadline_ms;   /* on clock_now_ms; set by the caller before each question */
    int64_t keep_alive_ms; /* the longest wait for a whole message */
    int64_t since_ms;      /* when the silence began: at the end of the last whole message, or later */
    struct buf input;      /* read from the child */
    size_t taken;          /* how much of the input has been used */
    struct buf payload;    /* of the last message that had one; at most DSAR_PAYLOAD_MAX bytes */
};

/* The caller sets the borrowed members and limits before. */
void frames_init(struct frames *frames);
void frames_wipe(struct frames *frames);

/* Writes one message. `message` is borrowed. Fails with "source_crashed", "source_timeout" or "cancelled". */
int frames_write(struct frames *frames, const json_t *message, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads the next message into *message (a new reference: an object with a text member `type`, which *type points to) and
 * what follows it into frames->payload. Fails with:
 * "source_crashed"   the process left in the middle of the conversation
 * "source_protocol"  what came is not a message (too long, not JSON, a payload too large)
 * "source_silent"    no whole message came for keep_alive_ms: half of one is no sign of life
 * "source_timeout"   the deadline is over
 * "cancelled"        the request was cancelled */
int frames_read(struct frames *frames, json_t **message, const char **type, struct fault *fault)
    __attribute__((warn_unused_result));

/* Reads once what the connector says on standard error, which is open. */
void frames_drain_log(struct frames *frames);

#endif
