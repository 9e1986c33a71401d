/* parts: what bundle, section and entry are made of. For this room only. */
#ifndef DSAR_BUNDLE_PARTS_H
#define DSAR_BUNDLE_PARTS_H

#include "bundle/block.h"
#include "bundle/bundle.h"
#include "bundle/name_set.h"
#include "bundle/seal.h"
#include "bundle/spool.h"

#include <pthread.h>
#include <sys/queue.h>

struct entry {
    TAILQ_ENTRY(entry) link;
    struct section *section;
    struct strand strand;
    struct seal *seal; /* NULL once the entry has ended */
    struct entry_info info;
    char name[];
};

struct section {
    TAILQ_ENTRY(section) link;
    TAILQ_HEAD(, entry) entries;
    struct name_set names;
    struct bundle *bundle;
    struct spool *spool;
    struct entry *writing; /* the entry of `block`; NULL without one */
    struct block *block;   /* partly filled */
};

struct bundle {
    struct seal_pool *pool;
    char *spool_dir;
    char *passphrase; /* secret memory */
    size_t passphrase_size;
    size_t entries_max;
    bool written;

    pthread_mutex_t lock; /* over what follows */
    TAILQ_HEAD(, section) sections;
    size_t n_entries; /* of all sections */
};

/* Borrows an entry's name. Fails with "duplicate_name" or "too_many_entries". */
int section_add_name(struct section *section, const char *name, struct fault *fault)
    __attribute__((warn_unused_result));
void section_remove_name(struct section *section, const char *name);

/* Hands over the block in the making, if there is one. */
void section_flush(struct section *section);

#endif
