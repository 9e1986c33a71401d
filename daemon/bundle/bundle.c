#include "bundle/bundle.h"

#include "base/secret.h"
#include "bundle/archive.h"
#include "bundle/parts.h"

#include <stdlib.h>
#include <string.h>

static int copy_passphrase(struct bundle *bundle, const char *passphrase, struct fault *fault)
{
    size_t size = strlen(passphrase) + 1;
    bundle->passphrase = secret_alloc(size, fault);
    if (!bundle->passphrase)
        return -1;
    memcpy(bundle->passphrase, passphrase, size);
    bundle->passphrase_size = size;
    return 0;
}

int bundle_open(struct bundle **bundle, const struct bundle_options *options, struct fault *fault)
{
    struct bundle *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a bundle");
    made->pool = options->pool;
    made->entries_max = options->entries_max;
    TAILQ_INIT(&made->sections);
    pthread_mutex_init(&made->lock, NULL);
    made->spool_dir = strdup(options->spool_dir);
    if (!made->spool_dir) {
        bundle_free(made);
        return fault_retry(fault, "no_memory", "no memory for a bundle");
    }
    if (copy_passphrase(made, options->passphrase, fault)) {
        bundle_free(made);
        return -1;
    }
    *bundle = made;
    return 0;
}

void bundle_free(struct bundle *bundle)
{
    if (!bundle)
        return;
    struct section *section;
    while ((section = TAILQ_FIRST(&bundle->sections)))
        section_drop(section); /* NOLINT(clang-analyzer-unix.Malloc): which takes it out of the list */
    secret_free(bundle->passphrase, bundle->passphrase_size);
    free(bundle->spool_dir);
    pthread_mutex_destroy(&bundle->lock);
    free(bundle);
}

int bundle_section(struct bundle *bundle, struct section **section, struct fault *fault)
{
    struct section *made = calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for a section");
    made->bundle = bundle;
    TAILQ_INIT(&made->entries);
    if (spool_open(&made->spool, bundle->spool_dir, fault)) {
        free(made);
        return -1;
    }
    pthread_mutex_lock(&bundle->lock);
    TAILQ_INSERT_TAIL(&bundle->sections, made, link);
    pthread_mutex_unlock(&bundle->lock);
    *section = made;
    return 0;
}

void section_flush(struct section *section)
{
    if (section->block)
        seal_submit(section->writing->seal, section->block, false);
    section->block = NULL;
    section->writing = NULL;
}

void section_drop(struct section *section)
{
    if (!section)
        return;
    struct bundle *bundle = section->bundle;
    struct entry *entry;
    while ((entry = TAILQ_FIRST(&section->entries)))
        entry_drop(entry);
    pthread_mutex_lock(&bundle->lock);
    TAILQ_REMOVE(&bundle->sections, section, link);
    pthread_mutex_unlock(&bundle->lock);
    spool_close(section->spool);
    free(section);
}

void bundle_make_room(struct bundle *bundle, size_t n)
{
    pthread_mutex_lock(&bundle->lock);
    bundle->entries_max += n;
    pthread_mutex_unlock(&bundle->lock);
}

int section_add_name(struct section *section, const char *name, struct fault *fault)
{
    struct bundle *bundle = section->bundle;
    pthread_mutex_lock(&bundle->lock);
    int result =
        bundle->n_entries < bundle->entries_max
            ? name_set_add(&section->names, name, fault)
            : fault_set(fault, "too_many_entries", "a bundle holds at most %zu entries", bundle->entries_max);
    bundle->n_entries += result == 0;
    pthread_mutex_unlock(&bundle->lock);
    return result;
}

void section_remove_name(struct section *section, const char *name)
{
    struct bundle *bundle = section->bundle;
    pthread_mutex_lock(&bundle->lock);
    name_set_remove(&section->names, name);
    bundle->n_entries--;
    pthread_mutex_unlock(&bundle->lock);
}

/* Calls `visit_cb` for each entry, ended or not. */
static int each_entry(const struct bundle *bundle, int (*visit_cb)(const struct entry *entry, void *ctx),
                      void *ctx)
{
    struct section *section;
    struct entry *entry;
    TAILQ_FOREACH (section, &bundle->sections, link)
        TAILQ_FOREACH (entry, &section->entries, link) {
            int result = visit_cb(entry, ctx);
            if (result)
                return result;
        }
    return 0;
}

struct info_visitor {
    int (*visit_cb)(const struct entry_info *info, void *ctx);
    void *ctx;
};

static int visit_info(const struct entry *entry, void *ctx)
{
    const struct info_visitor *visitor = ctx;
    return entry->seal ? 0 : visitor->visit_cb(&entry->info, visitor->ctx);
}

int bundle_each_entry(const struct bundle *bundle, int (*visit_cb)(const struct entry_info *info, void *ctx),
                      void *ctx)
{
    struct info_visitor visitor = {.visit_cb = visit_cb, .ctx = ctx};
    return each_entry(bundle, visit_info, &visitor);
}

struct members {
    struct archive_member *next;
    struct fault *fault;
};

static int add_member(const struct entry *entry, void *ctx)
{
    struct members *members = ctx;
    if (entry->seal)
        return fault_set(members->fault, "internal", "%s: the entry has not ended", entry->name);
    *members->next++ =
        (struct archive_member){.name = entry->name, .bytes = entry->info.bytes, .sealed = &entry->strand};
    return 0;
}

int bundle_write(struct bundle *bundle, int64_t mtime_unix_s, const struct archive_sink *sink,
                 struct archive_info *info, struct fault *fault)
{
    if (bundle->written)
        return fault_set(fault, "internal", "the bundle has been written already");
    if (bundle->n_entries == 0)
        return fault_set(fault, "internal", "the bundle has no entries");
    struct archive_member *members = calloc(bundle->n_entries, sizeof *members);
    if (!members)
        return fault_retry(fault, "no_memory", "no memory for an archive of %zu entries", bundle->n_entries);
    struct members filling = {.next = members, .fault = fault};
    const struct archive_content content = {
        .members = members,
        .n_members = bundle->n_entries,
        .mtime_unix_s = mtime_unix_s,
    };
    int result = each_entry(bundle, add_member, &filling);
    if (result == 0) {
        bundle->written = true;
        result = archive_write(&content, sink, info, fault);
    }
    free(members);
    return result;
}
