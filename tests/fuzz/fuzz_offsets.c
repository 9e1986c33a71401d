/* The first line is a commit's metadata, the bytes behind it what happens on the partition: deliveries with and without
 * gaps, staging, commits, aborts, restarts. A plain list of flags says what the map of offsets must answer. */
#include "outcome/offsets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE   1000
#define WINDOW 4096 /* offsets that the list knows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mirror {
    bool staged[WINDOW];
    bool done[WINDOW]; /* committed */
    bool gone[WINDOW]; /* known not to exist, but by a commit's text only between what is done */
    size_t next;       /* the first that was not delivered */
    size_t base;
};

struct world {
    struct offsets *offsets;
    struct mirror mirror;
};

static struct offsets *opened(int64_t base, const char *metadata, size_t len)
{
    struct offsets *offsets;
    struct fault fault;
    if (offsets_new(&offsets, base, metadata, len, &fault) == 0)
        return offsets;
    if (fault.retryable || strcmp(fault.code, "foreign_metadata") != 0)
        abort();
    return NULL;
}

/* What a commit now says: text of Kafka's length, empty just when nothing is done above the base. */
static void commit_text(const struct offsets *offsets, struct buf *text)
{
    struct fault fault;
    buf_init(text, 2 * OFFSETS_METADATA_MAX);
    if (offsets_metadata(offsets, text, &fault) || text->len > OFFSETS_METADATA_MAX ||
        (text->len && strlen(text->data) != text->len) || (text->len == 0) != (offsets_runs(offsets) == 0))
        abort();
}

static bool equal(const struct buf *text, const struct buf *other)
{
    return text->len == other->len && (text->len == 0 || memcmp(text->data, other->data, text->len) == 0);
}

/* Whatever text is taken is written again by who read it, and means the same to the next reader. */
static void check_text(const char *metadata, size_t len)
{
    struct offsets *offsets = opened(BASE, metadata, len);
    if (!offsets)
        return;
    struct buf text, again;
    commit_text(offsets, &text);
    struct offsets *other = opened(offsets_base(offsets), text.data, text.len);
    if (!other || offsets_base(other) != offsets_base(offsets))
        abort();
    commit_text(other, &again);
    if (!equal(&text, &again))
        abort();
    buf_wipe(&text);
    buf_wipe(&again);
    offsets_free(offsets);
    offsets_free(other);
}

/* --- what the list says --- */

static bool is_open(const struct mirror *mirror, size_t offset)
{
    return !mirror->done[offset] && !mirror->staged[offset] && !mirror->gone[offset];
}

static size_t mirror_base(const struct mirror *mirror)
{
    size_t i = mirror->base;
    while (i < WINDOW && !is_open(mirror, i))
        i++;
    return i;
}

/* Where what has ended ends, with nothing open between, when it begins at `start`; else `start`. */
static size_t end_of_ended(const struct mirror *mirror, size_t start)
{
    size_t end = start;
    if (mirror->gone[start])
        return start;
    for (size_t i = start; i < WINDOW && !is_open(mirror, i); i++)
        if (!mirror->gone[i])
            end = i + 1;
    return end;
}

/* The metadata of a commit, of any length. */
static void mirror_text(const struct mirror *mirror, struct buf *text)
{
    struct fault fault;
    size_t start = mirror_base(mirror);
    buf_init(text, (size_t)1 << 20);
    for (size_t i = start; i < WINDOW; i++) {
        const size_t end = end_of_ended(mirror, i);
        if (end == i)
            continue;
        if (buf_printf(text, &fault, "%s%zu+%zu", text->len ? "," : "dsard1:", i - start, end - i))
            abort();
        start = end;
        i = end - 1;
    }
}

/* What the reader of a commit's text knows no longer, or better. */
static void mirror_read(struct mirror *mirror)
{
    for (size_t i = mirror->base; i < WINDOW; i++) {
        const size_t end = end_of_ended(mirror, i);
        for (; i < end; i++) {
            mirror->done[i] = true;
            mirror->gone[i] = false;
        }
        if (i < WINDOW)
            mirror->gone[i] = false;
    }
}

/* --- what happens --- */

static void deliver(struct world *world, size_t offset)
{
    struct mirror *mirror = &world->mirror;
    struct fault fault;
    bool wanted;
    if (offset >= WINDOW)
        return;
    const bool expected = offset >= mirror->next && is_open(mirror, offset);
    if (offsets_delivered(world->offsets, BASE + (int64_t)offset, &wanted, &fault) || wanted != expected)
        abort();
    for (size_t i = mirror->next; i < offset; i++)
        mirror->gone[i] = !mirror->done[i];
    if (offset >= mirror->next)
        mirror->next = offset + 1;
}

/* Only what was delivered and is open is ever worked on. It may have to wait, but for want of room alone. */
static void stage(struct world *world, size_t offset)
{
    struct mirror *mirror = &world->mirror;
    if (offset >= mirror->next || !is_open(mirror, offset))
        return;
    mirror->staged[offset] = offsets_stage(world->offsets, BASE + (int64_t)offset);
    if (mirror->staged[offset])
        return;
    struct buf text;
    mirror->staged[offset] = true;
    mirror_text(mirror, &text);
    mirror->staged[offset] = false;
    if (text.len <= OFFSETS_METADATA_MAX)
        abort();
    buf_wipe(&text);
}

/* Of so many pairs the first waits and the second ends: what makes metadata long. */
static void end_every_second(struct world *world, size_t n_pairs)
{
    for (size_t i = 0; i < n_pairs; i++) {
        deliver(world, world->mirror.next);
        deliver(world, world->mirror.next);
        stage(world, world->mirror.next - 1);
    }
}

static void settle(struct world *world, bool committed)
{
    struct mirror *mirror = &world->mirror;
    offsets_settle(world->offsets, committed);
    for (size_t i = mirror->base; i < mirror->next; i++) {
        mirror->done[i] |= mirror->staged[i] && committed;
        mirror->staged[i] = false;
    }
    mirror->base = mirror_base(mirror);
    if (mirror->next < mirror->base)
        mirror->next = mirror->base;
}

/* The worker ends; what was committed last is read by the next one, who asks for everything from the base on again. */
static void restart(struct world *world)
{
    struct buf text;
    settle(world, true);
    commit_text(world->offsets, &text);
    struct offsets *next = opened(offsets_base(world->offsets), text.data, text.len);
    if (!next)
        abort();
    offsets_free(world->offsets);
    world->offsets = next;
    world->mirror.next = world->mirror.base;
    mirror_read(&world->mirror);
    buf_wipe(&text);
}

static void check(const struct world *world)
{
    struct buf text, expected;
    if (offsets_base(world->offsets) != BASE + (int64_t)mirror_base(&world->mirror))
        abort();
    commit_text(world->offsets, &text);
    mirror_text(&world->mirror, &expected);
    if (!equal(&text, &expected))
        abort();
    buf_wipe(&text);
    buf_wipe(&expected);
}

static void play(struct world *world, const uint8_t *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t value = steps[i] & 31;
        const struct mirror *mirror = &world->mirror;
        const int64_t base = offsets_base(world->offsets);
        switch (steps[i] >> 5) {
        case 0: deliver(world, mirror->next); break;
        case 1: deliver(world, mirror->next + value); break;
        case 2: deliver(world, mirror->next > value ? mirror->next - value : 0); break;
        case 3: stage(world, mirror->base + value); break;
        case 4: end_every_second(world, 4 * value); break;
        case 5: settle(world, true); break;
        case 6: settle(world, false); break;
        default: restart(world); break;
        }
        /* only an abort takes the base of a commit back */
        if (offsets_base(world->offsets) < base && steps[i] >> 5 != 6)
            abort();
        check(world);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    const size_t len = newline ? (size_t)(newline - data) : size;
    check_text((const char *)data, len);
    world = (struct world){.offsets = opened(BASE, NULL, 0)};
    if (!world.offsets)
        abort();
    if (newline)
        play(&world, newline + 1, size - len - 1);
    offsets_free(world.offsets);
    return 0;
}
