#include "outcome/offsets.h"

#include <stdlib.h>
#include <string.h>

#define SIGNATURE "dsard1:"

/* more than this between the base and the newest delivery would be memory without bound */
#define SPAN_MAX (1 << 24)

enum state { OPEN, STAGED, DONE };

struct offsets {
    int64_t base; /* everything below is done and committed */
    int64_t next; /* the first that was not delivered yet */
    size_t cap;
    size_t known;         /* how many states are set: offsets [base, base + known) */
    unsigned char *state; /* of base + i */
};

static int grow(struct offsets *offsets, size_t need, struct fault *fault)
{
    if (need > SPAN_MAX)
        return fault_set(fault, "too_large", "a commit would span more than %d offsets", SPAN_MAX);
    if (need <= offsets->cap)
        return 0;
    size_t cap = offsets->cap ? offsets->cap : 256;
    while (cap < need)
        cap *= 2;
    unsigned char *state = realloc(offsets->state, cap);
    if (!state)
        return fault_retry(fault, "no_memory", "no memory for %zu offsets", cap);
    offsets->state = state;
    offsets->cap = cap;
    return 0;
}

/* Gives every offset below `end` a state: those that had none get `state`. */
static int extend(struct offsets *offsets, int64_t end, enum state state, struct fault *fault)
{
    size_t need = end > offsets->base ? (size_t)(end - offsets->base) : 0;
    if (need <= offsets->known)
        return 0;
    if (grow(offsets, need, fault))
        return -1;
    memset(offsets->state + offsets->known, (int)state, need - offsets->known);
    offsets->known = need;
    return 0;
}

static bool read_number(const char **at, const char *end, int64_t *value)
{
    *value = 0;
    const char *start = *at;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        *value = *value * 10 + (**at - '0');
        if (*value > SPAN_MAX)
            return false;
    }
    return *at > start;
}

/* "dsard1:OPEN+DONE,OPEN+DONE": run lengths from the base on. */
static int read_metadata(struct offsets *offsets, const char *text, size_t len, struct fault *fault)
{
    const char *at = text, *end = text + len;
    size_t signature_len = strlen(SIGNATURE);
    if (len < signature_len || memcmp(text, SIGNATURE, signature_len) != 0)
        goto foreign;
    at += signature_len;
    int64_t position = offsets->base;
    for (;;) {
        int64_t open, done;
        if (!read_number(&at, end, &open) || at == end || *at++ != '+' || !read_number(&at, end, &done) ||
            open == 0 || done == 0)
            goto foreign;
        if (extend(offsets, position + open, OPEN, fault) ||
            extend(offsets, position + open + done, DONE, fault))
            return -1;
        position += open + done;
        if (at == end)
            return 0;
        if (*at++ != ',')
            goto foreign;
    }
foreign:
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
    free(offsets->state);
    free(offsets);
}

int offsets_delivered(struct offsets *offsets, int64_t offset, bool *wanted, struct fault *fault)
{
    *wanted = false;
    if (offset < offsets->next)
        return 0;
    /* nothing is pending, so there is nothing to remember of a gap, however wide (retention leaves wide ones)
     */
    if (offsets->known == 0)
        offsets->base = offsets->next = offset;
    if (extend(offsets, offset, DONE, fault) || extend(offsets, offset + 1, OPEN, fault))
        return -1;
    for (int64_t skipped = offsets->next; skipped < offset; skipped++)
        offsets->state[skipped - offsets->base] = DONE;
    offsets->next = offset + 1;
    *wanted = offsets->state[offset - offsets->base] == OPEN;
    return 0;
}

void offsets_stage(struct offsets *offsets, int64_t offset)
{
    if (offset >= offsets->base && (size_t)(offset - offsets->base) < offsets->known)
        offsets->state[offset - offsets->base] = STAGED;
}

int64_t offsets_base(const struct offsets *offsets)
{
    size_t i = 0;
    while (i < offsets->known && offsets->state[i] != OPEN)
        i++;
    return offsets->base + (int64_t)i;
}

void offsets_settle(struct offsets *offsets, bool committed)
{
    for (size_t i = 0; i < offsets->known; i++)
        if (offsets->state[i] == STAGED)
            offsets->state[i] = committed ? DONE : OPEN;
    if (!committed)
        return;
    size_t done = (size_t)(offsets_base(offsets) - offsets->base);
    if (done == 0)
        return;
    memmove(offsets->state, offsets->state + done, offsets->known - done);
    offsets->known -= done;
    offsets->base += (int64_t)done;
    if (offsets->next < offsets->base)
        offsets->next = offsets->base;
}

/* Finds the next run at *at: *open offsets that are open, then *done that are done. False when nothing is
 * done there. */
static bool next_run(const struct offsets *offsets, size_t *at, size_t *open, size_t *done)
{
    size_t i = *at;
    while (i < offsets->known && offsets->state[i] == OPEN)
        i++;
    *open = i - *at;
    size_t start = i;
    while (i < offsets->known && offsets->state[i] != OPEN)
        i++;
    *done = i - start;
    *at = i;
    return *done > 0;
}

int offsets_metadata(const struct offsets *offsets, struct buf *text, struct fault *fault)
{
    buf_clear(text);
    size_t at = (size_t)(offsets_base(offsets) - offsets->base), open, done;
    while (next_run(offsets, &at, &open, &done)) {
        if (buf_printf(text, fault, "%s%zu+%zu", text->len ? "," : SIGNATURE, open, done))
            return -1;
        if (text->len > OFFSETS_METADATA_MAX)
            return fault_set(fault, "too_large", "the commit's metadata would be longer than %d bytes",
                             OFFSETS_METADATA_MAX);
    }
    return 0;
}

size_t offsets_runs(const struct offsets *offsets)
{
    size_t at = (size_t)(offsets_base(offsets) - offsets->base), open, done, n = 0;
    while (next_run(offsets, &at, &open, &done))
        n++;
    return n;
}
