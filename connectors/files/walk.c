#include "walk.h"

#include "../sdk/error.h"
#include "base/buf.h"
#include "beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES_MAX ((size_t)64 * 1024)

struct walk {
    const struct walk_options *options;
    struct buf path; /* of the present entry */
    unsigned depth;
    bool is_over;
};

static int walk_folder(struct walk *walk, int fd, struct dsar_error *error);

/* Whether this descriptor is what was looked at before it was opened. */
static bool is_same(int fd, const struct stat *seen)
{
    struct stat now;
    return fstat(fd, &now) == 0 && now.st_dev == seen->st_dev && now.st_ino == seen->st_ino;
}

static int out_of_descriptors(struct dsar_error *error)
{
    return dsar_error_set(error, "no_descriptor", true, "no descriptor for one more folder");
}

static int go_into(struct walk *walk, const struct walk_entry *entry, struct dsar_error *error)
{
    struct tally *tally = walk->options->tally;
    if (walk->depth == walk->options->depth_max) {
        tally->n[TALLY_TOO_DEEP]++;
        return 0;
    }
    int fd = beneath_folder(entry->folder, entry->name, false);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return out_of_descriptors(error);
    if (fd < 0) {
        tally_miss(tally, errno);
        return 0;
    }
    if (!is_same(fd, &entry->stat)) {
        tally->n[TALLY_CHANGED]++;
        close(fd);
        return 0;
    }
    walk->depth++;
    int result = walk_folder(walk, fd, error);
    walk->depth--;
    return result;
}

static int see(struct walk *walk, int folder, const char *name, struct dsar_error *error)
{
    enum walk_turn turn = WALK_ON;
    struct walk_entry entry = {.folder = folder, .name = name, .path = walk->path.data};
    if (fstatat(folder, name, &entry.stat, AT_SYMLINK_NOFOLLOW)) {
        tally_miss(walk->options->tally, errno);
        return 0;
    }
    if (walk->options->visit(walk->options->ctx, &entry, &turn, error))
        return -1;
    walk->is_over = turn == WALK_STOP;
    return S_ISDIR(entry.stat.st_mode) && turn == WALK_ON ? go_into(walk, &entry, error) : 0;
}

/* Sees one entry under its path, and takes its name off the path again. */
static int step(struct walk *walk, int folder, const char *name, struct dsar_error *error)
{
    struct fault fault;
    size_t len = walk->path.len;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return 0;
    if ((len && buf_append(&walk->path, "/", 1, &fault)) || buf_append_text(&walk->path, name, &fault))
        return error_from_fault(error, &fault);
    int result = see(walk, folder, name, error);
    walk->path.len = len;
    return result;
}

/* Takes `fd` over. */
static int walk_folder(struct walk *walk, int fd, struct dsar_error *error)
{
    DIR *folder = fdopendir(fd);
    if (!folder) {
        close(fd);
        return error_no_memory(error);
    }
    int result = 0;
    while (!result && !walk->is_over) {
        errno = 0;
        const struct dirent *item = readdir(folder);
        if (!item && errno)
            tally_miss(walk->options->tally, errno);
        if (!item)
            break;
        result = step(walk, fd, item->d_name, error);
    }
    closedir(folder);
    return result;
}

int walk_run(const struct walk_options *options, struct dsar_error *error)
{
    struct walk walk = {.options = options};
    int fd = beneath_folder(options->root, ".", false);
    if (fd < 0)
        return out_of_descriptors(error);
    buf_init(&walk.path, PATH_BYTES_MAX);
    int result = walk_folder(&walk, fd, error);
    buf_wipe(&walk.path);
    return result;
}
