#include "bundle/entry_name.h"
#include "bundle/parts.h"

#include <stdlib.h>
#include <string.h>

static int start_sealing(struct entry *entry, const struct entry_filter *filter, struct fault *fault)
{
    const struct bundle *bundle = entry->section->bundle;
    const struct seal_options options = {
        .pool = bundle->pool,
        .strand = &entry->strand,
        .passphrase = bundle->passphrase,
        .filter = filter,
    };
    return seal_new(&entry->seal, &options, fault);
}

int entry_open(struct entry **entry, struct section *section, const char *name,
               const struct entry_filter *filter, struct fault *fault)
{
    if (!entry_name_valid(name))
        return fault_set(fault, "bad_name",
                         "an entry's name: expected a relative path of letters, digits, '.', '_' and '-', at "
                         "most %d bytes",
                         BUNDLE_ENTRY_NAME_MAX);
    size_t size = strlen(name) + 1;
    struct entry *made = calloc(1, sizeof *made + size);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for an entry");
    memcpy(made->name, name, size);
    made->info.name = made->name;
    made->section = section;
    strand_init(&made->strand, section->spool);
    if (section_add_name(section, made->name, fault))
        goto free_entry;
    if (start_sealing(made, filter, fault))
        goto remove_name;
    TAILQ_INSERT_TAIL(&section->entries, made, link);
    *entry = made;
    return 0;

remove_name:
    section_remove_name(section, made->name);
free_entry:
    strand_wipe(&made->strand);
    free(made);
    return -1;
}

static int check_open(const struct entry *entry, struct fault *fault)
{
    if (!entry->seal)
        return fault_set(fault, "internal", "%s: the entry has ended", entry->name);
    return seal_check(entry->seal, fault);
}

int entry_write(struct entry *entry, const void *data, size_t len, struct fault *fault)
{
    struct section *section = entry->section;
    struct seal_pool *pool = section->bundle->pool;
    if (check_open(entry, fault))
        return -1;
    if (len > seal_pool_block_bytes(pool))
        return fault_set(fault, "too_large", "%s: %zu bytes at once, more than a block's %zu", entry->name,
                         len, seal_pool_block_bytes(pool));
    if (len == 0)
        return 0;
    if (section->writing != entry || len > section->block->raw_cap - section->block->raw_bytes) {
        section_flush(section);
        section->block = seal_pool_acquire(pool);
        section->writing = entry;
    }
    struct block *block = section->block;
    memcpy(block->raw + block->raw_bytes, data, len);
    block->raw_bytes += len;
    return 0;
}

/* The block that is being filled becomes the last one, or an empty one does. */
static void submit_last(struct entry *entry)
{
    struct section *section = entry->section;
    if (section->writing != entry) {
        section_flush(section);
        section->block = seal_pool_acquire(section->bundle->pool);
    }
    seal_submit(entry->seal, section->block, true);
    section->block = NULL;
    section->writing = NULL;
}

int entry_end(struct entry *entry, struct fault *fault)
{
    if (check_open(entry, fault))
        return -1;
    if (seal_wants_last(entry->seal))
        submit_last(entry);
    else if (entry->section->writing == entry)
        section_flush(entry->section);
    if (seal_finish(entry->seal, &entry->info, fault))
        return -1;
    entry->info.sealed_bytes = entry->strand.bytes;
    seal_free(entry->seal);
    entry->seal = NULL;
    return 0;
}

void entry_drop(struct entry *entry)
{
    if (!entry)
        return;
    struct section *section = entry->section;
    if (section->writing == entry) {
        seal_pool_release(section->bundle->pool, section->block);
        section->block = NULL;
        section->writing = NULL;
    }
    seal_free(entry->seal);
    section_remove_name(section, entry->name);
    TAILQ_REMOVE(&section->entries, entry, link);
    strand_wipe(&entry->strand);
    free(entry);
}

const struct entry_info *entry_info(const struct entry *entry)
{
    return &entry->info;
}
