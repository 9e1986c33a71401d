#include "outcome/offsets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE "dsard1:"
#define RUN_MAX   INT64_C(1000000000000000) /* the longest run that a commit tells of */

enum state { OPEN, STAGED, DONE, GONE };

/* Offsets from the end of the run before (the base for the first) up to `end`. Neighbours have different states. */
struct run {
    int64_t end;
    enum state state;
};

struct offsets {
    int64_t base; /* everything below is done */
    int64_t next; /* the first that was not delivered yet: never above the end of the last run */
    struct run *runs;
    size_t n_runs;
    size_t cap;
};

static int64_t top(const struct offsets *offsets)
{
    return offsets->n_runs ? offsets->runs[offsets->n_runs - 1].end : offsets->base;
}

/* Room for two more runs, which is what any change may need. */
static int make_room(struct offsets *offsets, struct fault *fault)
{
    if (offsets->n_runs + 2 <= offsets->cap)
        return 0;
    size_t cap = offsets->cap ? offsets->cap * 2 : 16;
    struct run *runs = realloc(offsets->runs, cap * sizeof *runs);
    if (!runs) {
        fault_retry(fault, "no_memory", "no memory for a partition's offsets");
        return -1;
    }
    offsets->runs = runs;
    offsets->cap = cap;
    return 0;
}

/* The run that begins at `offset`, splitting the one that it lies in; n_runs when it is the end of all. Needs room. */
static size_t split(struct offsets *offsets, int64_t offset)
{
    size_t i = 0;
    int64_t start = offsets->base;
    while (i < offsets->n_runs && offsets->runs[i].end <= offset)
        start = offsets->runs[i++].end;
    if (i == offsets->n_runs || start == offset)
        return i;
    memmove(&offsets->runs[i + 1], &offsets->runs[i], (offsets->n_runs - i) * sizeof *offsets->runs);
    offsets->runs[i].end = offset;
    offsets->n_runs++;
    return i + 1;
}

static bool is_ended(enum state state)
{
    return state == STAGED || state == DONE;
}

/* Makes one run of neighbours of the same state, and takes what is done or gone at the bottom into the base. */
static void join(struct offsets *offsets)
{
    size_t n = 0;
    for (size_t i = 0; i < offsets->n_runs; i++) {
        struct run run = offsets->runs[i];
        if (n == 0 && (run.state == DONE || run.state == GONE))
            offsets->base = run.end;
        else if (n && offsets->runs[n - 1].state == run.state)
            offsets->runs[n - 1].end = run.end;
        else
            offsets->runs[n++] = run;
    }
    offsets->n_runs = n;
    if (offsets->next < offsets->base)
        offsets->next = offsets->base;
}

/* Adds a run at the end of all. Needs room. */
static void append(struct offsets *offsets, int64_t end, enum state state)
{
    if (end > top(offsets))
        offsets->runs[offsets->n_runs++] = (struct run){end, state};
}

/* Gives the offsets of [start, end), which lie within the runs, that are in one state another. Needs room. */
static void change(struct offsets *offsets, int64_t start, int64_t end, enum state from, enum state to)
{
    size_t first = split(offsets, start), last = split(offsets, end);
    for (size_t i = first; i < last; i++)
        if (offsets->runs[i].state == from)
            offsets->runs[i].state = to;
}

static bool read_number(const char **at, const char *end, int64_t *value)
{
    *value = 0;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        *value = *value * 10 + (**at - '0');
        if (*value > RUN_MAX)
            return false;
    }
    return *at > start;
}

/* "OPEN+DONE": the lengths of two runs. */
static bool read_runs(const char **at, const char *end, int64_t *open, int64_t *done)
{
    return read_number(at, end, open) && *at < end && *(*at)++ == '+' && read_number(at, end, done) &&
           *open && *done;
}

/* "dsard1:OPEN+DONE,OPEN+DONE", from the base on. */
static int read_metadata(struct offsets *offsets, const char *text, size_t len, struct fault *fault)
{
    const char *at = text, *end = text + len;
    size_t signature_len = strlen(SIGNATURE);
    bool ours =
        len > signature_len && len <= OFFSETS_METADATA_MAX && memcmp(text, SIGNATURE, signature_len) == 0;
    at += ours ? signature_len : 0;
    while (ours) {
        int64_t open, done;
        if (!read_runs(&at, end, &open, &done) || top(offsets) > INT64_MAX - 2 * RUN_MAX)
            break;
        if (make_room(offsets, fault))
            return -1;
        append(offsets, top(offsets) + open, OPEN);
        append(offsets, top(offsets) + done, DONE);
        if (at == end)
            return 0;
        ours = *at++ == ',';
    }
    return fault_set(
        fault, "foreign_metadata",
        "the commit's metadata was not written by this program: use a consumer group of its own");
}

int offsets_new(struct offsets **offsets, int64_t base, const char *metadata, size_t metadata_len,
                struct fault *fault)
{
    struct offsets *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for a partition's offsets");
    new->base = new->next = base;
    if (metadata && metadata_len && read_metadata(new, metadata, metadata_len, fault)) {
        offsets_free(new);
        return -1;
    }
    *offsets = new;
    return 0;
}

void offsets_free(struct offsets *offsets)
{
    if (!offsets)
        return;
    free(offsets->runs);
    free(offsets);
}

static enum state state_of(const struct offsets *offsets, int64_t offset)
{
    for (size_t i = 0; offset >= offsets->base && i < offsets->n_runs; i++)
        if (offset < offsets->runs[i].end)
            return offsets->runs[i].state;
    return offset < offsets->base ? DONE : OPEN;
}

int offsets_delivered(struct offsets *offsets, int64_t offset, bool *wanted, struct fault *fault)
{
    *wanted = false;
    if (offset < offsets->next)
        return 0;
    if (make_room(offsets, fault))
        return -1;
    int64_t known = top(offsets);
    change(offsets, offsets->next, offset < known ? offset : known, OPEN, GONE);
    join(offsets);
    if (make_room(offsets, fault))
        return -1;
    append(offsets, offset, GONE);
    append(offsets, offset + 1, OPEN);
    join(offsets);
    /* what lies behind it may be known to be done, and the base have moved past it */
    offsets->next = offset + 1 > offsets->base ? offset + 1 : offsets->base;
    *wanted = state_of(offsets, offset) == OPEN;
    return 0;
}

/* Finds the next pair at *at, where *start begins: offsets before any that has ended, then from the first to the last
 * that have, with none open between them. What is gone is told of only there, where it shortens the text: with every
 * gap told, the text could outgrow its limit without anything having ended. False when there is no other. */
static bool next_pair(const struct offsets *offsets, size_t *at, int64_t *start, int64_t *open, int64_t *done)
{
    int64_t from = *start, middle = from;
    size_t i = *at;
    while (i < offsets->n_runs && !is_ended(offsets->runs[i].state))
        middle = offsets->runs[i++].end;
    *start = middle;
    for (; i < offsets->n_runs && offsets->runs[i].state != OPEN; i++)
        if (is_ended(offsets->runs[i].state)) {
            *start = offsets->runs[i].end;
            *at = i + 1;
        }
    *open = middle - from;
    *done = *start - middle;
    return *done > 0;
}

/* Where the pairs begin: at the first offset that is open. */
static size_t first_open(const struct offsets *offsets, int64_t *start)
{
    size_t i = 0;
    *start = offsets->base;
    while (i < offsets->n_runs && offsets->runs[i].state != OPEN)
        *start = offsets->runs[i++].end;
    return i;
}

static size_t metadata_len(const struct offsets *offsets)
{
    int64_t start, open, done;
    size_t len = 0;
    for (size_t at = first_open(offsets, &start); next_pair(offsets, &at, &start, &open, &done);)
        len += (size_t)snprintf(NULL, 0, "%s%" PRId64 "+%" PRId64, len ? "," : SIGNATURE, open, done);
    return len;
}

bool offsets_stage(struct offsets *offsets, int64_t offset)
{
    if (make_room(offsets, NULL) || offset >= top(offsets) || state_of(offsets, offset) != OPEN)
        return false;
    change(offsets, offset, offset + 1, OPEN, STAGED);
    bool fits = metadata_len(offsets) <= OFFSETS_METADATA_MAX;
    if (!fits)
        change(offsets, offset, offset + 1, STAGED, OPEN);
    join(offsets);
    return fits;
}

int64_t offsets_base(const struct offsets *offsets)
{
    int64_t start;
    first_open(offsets, &start);
    return start;
}

void offsets_settle(struct offsets *offsets, bool committed)
{
    for (size_t i = 0; i < offsets->n_runs; i++)
        if (offsets->runs[i].state == STAGED)
            offsets->runs[i].state = committed ? DONE : OPEN;
    join(offsets);
}

int offsets_metadata(const struct offsets *offsets, struct buf *text, struct fault *fault)
{
    int64_t start, open, done;
    buf_clear(text);
    for (size_t at = first_open(offsets, &start); next_pair(offsets, &at, &start, &open, &done);)
        if (buf_printf(text, fault, "%s%" PRId64 "+%" PRId64, text->len ? "," : SIGNATURE, open, done))
            return -1;
    return 0;
}

size_t offsets_runs(const struct offsets *offsets)
{
    int64_t start, open, done;
    size_t n = 0;
    for (size_t at = first_open(offsets, &start); next_pair(offsets, &at, &start, &open, &done);)
        n++;
    return n;
}

bool offsets_done(const struct offsets *offsets, int64_t offset)
{
    return state_of(offsets, offset) == DONE;
}
