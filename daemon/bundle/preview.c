#include "bundle/preview.h"

#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct preview {
    struct preview_budget *budget;
    char *data; /* secret memory of PREVIEW_BYTES_MAX: the records, one behind the other */
    bool full;
    size_t n_records;
    uint32_t ends[PREVIEW_RECORDS_MAX];
};

void preview_budget_init(struct preview_budget *budget, size_t bytes)
{
    atomic_init(&budget->left_bytes, bytes);
}

static bool budget_take(struct preview_budget *budget, size_t bytes)
{
    size_t left = atomic_load_explicit(&budget->left_bytes, memory_order_relaxed);
    do {
        if (bytes > left)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->left_bytes, &left, left - bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

int preview_new(struct preview **preview, struct preview_budget *budget, struct fault *fault)
{
    struct preview *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a preview");
    made->budget = budget;
    made->data = secret_alloc(PREVIEW_BYTES_MAX, fault);
    if (!made->data) {
        free(made);
        return -1;
    }
    *preview = made;
    return 0;
}

static size_t bytes_kept(const struct preview *preview)
{
    return preview->n_records ? preview->ends[preview->n_records - 1] : 0;
}

void preview_free(struct preview *preview)
{
    if (!preview)
        return;
    atomic_fetch_add_explicit(&preview->budget->left_bytes, bytes_kept(preview), memory_order_relaxed);
    secret_free(preview->data, PREVIEW_BYTES_MAX);
    free(preview);
}

static void keep(struct preview *preview, const char *record, size_t len)
{
    size_t used = bytes_kept(preview);
    if (preview->n_records == PREVIEW_RECORDS_MAX || len > PREVIEW_BYTES_MAX - used ||
        !budget_take(preview->budget, len)) {
        preview->full = true;
        return;
    }
    memcpy(preview->data + used, record, len);
    preview->ends[preview->n_records++] = (uint32_t)(used + len);
}

void preview_seen(void *ctx, const char *data, size_t len)
{
    struct preview *preview = ctx;
    const char *end = data + len;
    while (data < end && !preview->full) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        const char *line_end = newline ? newline : end;
        size_t line_len = (size_t)(line_end - data);
        const char *first = memchr(data, '{', line_len), *last = memrchr(data, '}', line_len);
        if (first && last && first < last)
            keep(preview, first, (size_t)(last - first) + 1);
        data = newline ? newline + 1 : end;
    }
}

size_t preview_n_records(const struct preview *preview)
{
    return preview->n_records;
}

void preview_record(const struct preview *preview, size_t i, const char **record, size_t *len)
{
    size_t start = i ? preview->ends[i - 1] : 0;
    *record = preview->data + start;
    *len = preview->ends[i] - start;
}
