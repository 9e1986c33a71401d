#include "screen/ledger.h"

#include <stdlib.h>
#include <string.h>

struct line {
    char *collection;
    char *reason;
    uint64_t count;
};

struct ledger {
    struct line *lines; /* sorted by collection and reason */
    size_t n_lines;
    size_t cap;
};

struct ledger *ledger_new(void)
{
    return calloc(1, sizeof(struct ledger));
}

void ledger_free(struct ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < ledger->n_lines; i++) {
        free(ledger->lines[i].collection);
        free(ledger->lines[i].reason);
    }
    free(ledger->lines);
    free(ledger);
}

static int compare(const struct line *line, const char *collection, const char *reason)
{
    int order = strcmp(line->collection, collection);
    return order ? order : strcmp(line->reason, reason);
}

/* The place of the first line that does not stand before the one asked for. */
static size_t place_of(const struct ledger *ledger, const char *collection, const char *reason)
{
    size_t low = 0, high = ledger->n_lines;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&ledger->lines[middle], collection, reason) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_room(struct ledger *ledger, struct fault *fault)
{
    if (ledger->n_lines < ledger->cap)
        return 0;
    size_t cap = ledger->cap ? 2 * ledger->cap : 16;
    struct line *lines = reallocarray(ledger->lines, cap, sizeof *lines);
    if (!lines)
        return fault_retry(fault, "no_memory", "no memory for the ledger of what was withheld");
    ledger->lines = lines;
    ledger->cap = cap;
    return 0;
}

static int insert(struct ledger *ledger, size_t place, const char *collection, const char *reason,
                  struct fault *fault)
{
    if (make_room(ledger, fault))
        return -1;
    const struct line line = {.collection = strdup(collection), .reason = strdup(reason)};
    if (!line.collection || !line.reason) {
        free(line.collection);
        free(line.reason);
        return fault_retry(fault, "no_memory", "no memory for the ledger of what was withheld");
    }
    memmove(ledger->lines + place + 1, ledger->lines + place, (ledger->n_lines - place) * sizeof line);
    ledger->lines[place] = line;
    ledger->n_lines++;
    return 0;
}

int ledger_add(struct ledger *ledger, const char *collection, const char *reason, uint64_t count,
               struct fault *fault)
{
    if (count == 0)
        return 0;
    size_t place = place_of(ledger, collection, reason);
    bool there = place < ledger->n_lines && compare(&ledger->lines[place], collection, reason) == 0;
    if (!there && insert(ledger, place, collection, reason, fault))
        return -1;
    uint64_t *sum = &ledger->lines[place].count;
    /* JSON integers end at INT64_MAX here */
    *sum = count > INT64_MAX - *sum ? INT64_MAX : *sum + count;
    return 0;
}

size_t ledger_size(const struct ledger *ledger)
{
    return ledger->n_lines;
}

int ledger_merge(struct ledger *ledger, const struct ledger *from, struct fault *fault)
{
    for (size_t i = 0; i < from->n_lines; i++)
        if (ledger_add(ledger, from->lines[i].collection, from->lines[i].reason, from->lines[i].count, fault))
            return -1;
    return 0;
}

json_t *ledger_json(const struct ledger *ledger)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < ledger->n_lines; i++) {
        const struct line *line = &ledger->lines[i];
        json_t *entry = json_pack("{s:s, s:I, s:s}", "collection", line->collection, "count",
                                  (json_int_t)line->count, "reason", line->reason);
        if (!entry || json_array_append_new(list, entry)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
