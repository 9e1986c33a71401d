/* exposition: figures as text for Prometheus (text format 0.0.4). Not thread-safe. */
#ifndef DSAR_OPS_EXPOSITION_H
#define DSAR_OPS_EXPOSITION_H

#include "base/buf.h"

#include <stdbool.h>

#define EXPOSITION_MAX_BYTES (1024 * 1024)

enum exposition_type { EXPOSITION_COUNTER, EXPOSITION_GAUGE };

/* What a figure is; its name by Prometheus' conventions ("dsard_transactions_total"). */
struct exposition_family {
    const char *name;
    enum exposition_type type;
    const char *help;  /* one line */
    const char *label; /* the name of its label; NULL: it has none */
};

struct exposition {
    struct buf text;
    bool failed; /* no memory: the text is not whole */
};

void exposition_init(struct exposition *exposition);
void exposition_wipe(struct exposition *exposition);

/* Begins a family: what is added next belongs to it. */
void exposition_begin(struct exposition *exposition, const struct exposition_family *family);

/* Adds a figure; `value_of_label` is NULL for a family without one. */
void exposition_add(struct exposition *exposition, const struct exposition_family *family,
                    const char *value_of_label, double value);

#endif
