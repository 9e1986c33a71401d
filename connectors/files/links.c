#include "links.h"

#include "../sdk/error.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST     256
#define SLOTS_MAX       131072
#define PATHS_BYTES_MAX ((size_t)8 << 20)

void links_init(struct links *links)
{
    *links = (struct links){.slots = NULL};
    buf_init(&links->paths, PATHS_BYTES_MAX);
}

void links_wipe(struct links *links)
{
    buf_wipe(&links->paths);
    free(links->slots);
    *links = (struct links){.slots = NULL};
}

/* The file's slot, or the free one where it would go. There is always a free one. */
static struct link *find(struct link *slots, size_t n_slots, dev_t device, ino_t inode)
{
    size_t at = (size_t)(inode * 0x9e3779b97f4a7c15u >> 32);
    for (;; at++) {
        struct link *link = &slots[at % n_slots];
        if (link->n_seen == 0 || (link->inode == inode && link->device == device))
            return link;
    }
}

static int grow(struct links *links, struct dsar_error *error)
{
    size_t n_slots = links->n_slots ? links->n_slots * 2 : SLOTS_FIRST;
    struct link *slots = calloc(n_slots, sizeof *slots);
    if (!slots)
        return error_no_memory(error);
    for (size_t i = 0; i < links->n_slots; i++) {
        const struct link *link = &links->slots[i];
        if (link->n_seen)
            *find(slots, n_slots, link->device, link->inode) = *link;
    }
    free(links->slots);
    links->slots = slots;
    links->n_slots = n_slots;
    return 0;
}

int links_see(struct links *links, const struct stat *stat, struct dsar_error *error)
{
    if (links->n_used * 2 >= links->n_slots && links->n_slots < SLOTS_MAX && grow(links, error))
        return -1;
    struct link *link = find(links->slots, links->n_slots, stat->st_dev, stat->st_ino);
    if (link->n_seen == 0) {
        if (links->n_used * 2 >= links->n_slots)
            return 0;
        *link = (struct link){.device = stat->st_dev, .inode = stat->st_ino};
        links->n_used++;
    }
    link->n_seen++;
    return 0;
}

static struct link *lookup(const struct links *links, const struct stat *stat)
{
    if (links->n_slots == 0)
        return NULL;
    struct link *link = find(links->slots, links->n_slots, stat->st_dev, stat->st_ino);
    return link->n_seen ? link : NULL;
}

uint64_t links_seen(const struct links *links, const struct stat *stat)
{
    const struct link *link = lookup(links, stat);
    return link ? link->n_seen : 0;
}

const char *links_path(const struct links *links, const struct stat *stat)
{
    const struct link *link = lookup(links, stat);
    return link && link->path ? links->paths.data + link->path - 1 : NULL;
}

void links_name(struct links *links, const struct stat *stat, const char *path)
{
    struct link *link = lookup(links, stat);
    size_t at = links->paths.len;
    if (link && buf_append(&links->paths, path, strlen(path) + 1, NULL) == 0)
        link->path = at + 1;
}
