/* The first line is a commit's metadata, the bytes behind it what happens on the partition: deliveries with and without
 * gaps, staging, commits, aborts, restarts. A plain list of flags says what the map of offsets must answer. */
#include "outcome/offsets.h"

#include <stdlib.h>
#include <string.h>

#define BASE   1000
#define WINDOW 4096 /* offsets that the list knows */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mirror {
    bool staged[WINDOW];
    bool done[WINDOW]; /* committed, or known not to exist */
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
    if (fault.retryable ||
        (strcmp(fault.code, "foreign_metadata") != 0 && strcmp(fault.code, "too_large") != 0))
        abort();
    return NULL;
}

/* What a commit now would say; false when the metadata would be too long. */
static bool commit_text(const struct offsets *offsets, struct buf *text)
{
    struct fault fault;
    if (offsets_metadata(offsets, text, &fault)) {
        if (strcmp(fault.code, "too_large") != 0)
            abort();
        return false;
    }
    /* it is text of Kafka's length, and empty just when nothing is done above the base */
    if (text->len > OFFSETS_METADATA_MAX || (text->len && strlen(text->data) != text->len) ||
        (text->len == 0) != (offsets_runs(offsets) == 0))
        abort();
    return true;
}

/* Runs of so many offsets are a unit test's business: each costs megabytes, and the fuzzer its time. */
static bool takes_megabytes(const char *text, size_t len)
{
    size_t digits = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] >= '0' && text[i] <= '9')
            digits++;
        else if (digits >= 6 && digits <= 8)
            return true;
        else
            digits = 0;
    }
    return false;
}

/* Whatever text is taken must be written again by who read it, and mean the same to the next reader. */
static void check_text(const char *metadata, size_t len)
{
    struct offsets *offsets = opened(BASE, metadata, len);
    if (!offsets)
        return;
    struct buf text, again;
    buf_init(&text, 2 * OFFSETS_METADATA_MAX);
    buf_init(&again, 2 * OFFSETS_METADATA_MAX);
    if (commit_text(offsets, &text)) {
        struct offsets *other = opened(offsets_base(offsets), text.data, text.len);
        if (!other || offsets_base(other) != offsets_base(offsets) ||
            offsets_runs(other) != offsets_runs(offsets) || !commit_text(other, &again) ||
            again.len != text.len || (text.len && memcmp(again.data, text.data, text.len) != 0))
            abort();
        offsets_free(other);
    }
    buf_wipe(&text);
    buf_wipe(&again);
    offsets_free(offsets);
}

static size_t mirror_base(const struct mirror *mirror)
{
    size_t i = mirror->base;
    while (i < WINDOW && (mirror->done[i] || mirror->staged[i]))
        i++;
    return i;
}

static void deliver(struct world *world, size_t offset)
{
    struct mirror *mirror = &world->mirror;
    struct fault fault;
    bool wanted;
    if (offset >= WINDOW)
        return;
    const bool expected = offset >= mirror->next && !mirror->done[offset] && !mirror->staged[offset];
    if (offsets_delivered(world->offsets, BASE + (int64_t)offset, &wanted, &fault) || wanted != expected)
        abort();
    for (size_t i = mirror->next; i < offset; i++)
        mirror->done[i] = true;
    if (offset >= mirror->next)
        mirror->next = offset + 1;
}

static void stage(struct world *world, size_t offset)
{
    struct mirror *mirror = &world->mirror;
    /* only what was delivered and is open is ever worked on */
    if (offset >= mirror->next || mirror->done[offset])
        return;
    mirror->staged[offset] = true;
    offsets_stage(world->offsets, BASE + (int64_t)offset);
}

static void settle(struct world *world, bool committed)
{
    struct mirror *mirror = &world->mirror;
    offsets_settle(world->offsets, committed);
    for (size_t i = mirror->base; i < mirror->next; i++) {
        mirror->done[i] |= mirror->staged[i] && committed;
        mirror->staged[i] = false;
    }
    if (!committed)
        return;
    mirror->base = mirror_base(mirror);
    if (mirror->next < mirror->base)
        mirror->next = mirror->base;
}

/* The worker ends; what was committed last is read by the next one. */
static void restart(struct world *world)
{
    struct mirror *mirror = &world->mirror;
    struct buf text;
    buf_init(&text, 2 * OFFSETS_METADATA_MAX);
    settle(world, true);
    if (commit_text(world->offsets, &text)) {
        struct offsets *next = opened(offsets_base(world->offsets), text.data, text.len);
        if (!next)
            abort();
        offsets_free(world->offsets);
        world->offsets = next;
        /* it asks for everything from the base on again */
        mirror->next = mirror->base;
    }
    buf_wipe(&text);
}

static void check(const struct world *world)
{
    const struct mirror *mirror = &world->mirror;
    if (offsets_base(world->offsets) != BASE + (int64_t)mirror_base(mirror))
        abort();
}

static void play(struct world *world, const uint8_t *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t value = steps[i] & 31;
        const int64_t base = offsets_base(world->offsets);
        switch (steps[i] >> 5) {
        case 0: deliver(world, world->mirror.next); break;
        case 1: deliver(world, world->mirror.next + value); break;
        case 2: deliver(world, world->mirror.next > value ? world->mirror.next - value : 0); break;
        case 3: stage(world, world->mirror.base + value); break;
        case 4: stage(world, world->mirror.next > value ? world->mirror.next - 1 - value : 0); break;
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
    const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
    const size_t len = newline ? (size_t)(newline - data) : size;
    if (!takes_megabytes((const char *)data, len))
        check_text((const char *)data, len);
    static struct world world;
    world = (struct world){.offsets = opened(BASE, NULL, 0)};
    if (!world.offsets)
        abort();
    if (newline)
        play(&world, newline + 1, size - len - 1);
    offsets_free(world.offsets);
    return 0;
}
