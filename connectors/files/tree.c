#include "tree.h"

#include "../sdk/error.h"
#include "links.h"
#include "walk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <string.h>
#include <unistd.h>

struct tree {
    const struct root *root;
    struct dsar_session *session;
    struct tar *tar; /* NULL: what would go in is withheld */
    struct body *body;
    struct tally *tally;
    struct links links; /* files with several names */
    uid_t owner;
    uint64_t n_entries;
    bool is_second; /* the files with several names are dealt with, now that all names are known */
};

static bool is_folder(int parent, const char *name)
{
    struct stat stat;
    return fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(stat.st_mode);
}

bool tree_is_maildir(int fd)
{
    return is_folder(fd, "cur") && is_folder(fd, "new");
}

static bool is_left_out(const struct tree *tree, const struct walk_entry *entry)
{
    return tree->root->kind == ROOT_MAILDIR && strcmp(entry->name, "tmp") == 0 &&
           tree_is_maildir(entry->folder);
}

static int put_folder(const struct tree *tree, const struct walk_entry *entry, struct dsar_error *error)
{
    tree->tally->n[TALLY_FOLDERS]++;
    const struct tar_entry made = {.path = entry->path, .stat = &entry->stat};
    return tree->tar ? tar_begin(tree->tar, &made, error) : 0;
}

static int put_symlink(const struct tree *tree, const struct walk_entry *entry, struct dsar_error *error)
{
    char target[PATH_MAX];
    ssize_t len = readlinkat(entry->folder, entry->name, target, sizeof target - 1);
    if (len < 0) {
        tally_miss(tree->tally, errno == EINVAL ? ELOOP : errno);
        return 0;
    }
    target[len] = '\0';
    const struct tar_entry made = {.path = entry->path, .stat = &entry->stat, .link = target};
    tree->tally->n[TALLY_SYMLINKS]++;
    int result = tar_begin(tree->tar, &made, error);
    OPENSSL_cleanse(target, sizeof target);
    return result;
}

/* Writes the file that `body` has open. */
static int put_body(struct tree *tree, const struct walk_entry *entry, struct dsar_error *error)
{
    struct tally *tally = tree->tally;
    struct body *body = tree->body;
    const struct tar_entry made = {
        .path = entry->path, .stat = &body->stat, .runs = body->runs, .n_runs = body->n_runs};
    if ((uint64_t)body->n_data_bytes > tree->root->bytes_max - tally->n[TALLY_BYTES]) {
        tally->n[TALLY_TOO_LARGE]++;
        return 0;
    }
    if (tar_begin(tree->tar, &made, error) || body_write(body, tree->session, tree->tar, tally, error))
        return -1;
    tally->n[TALLY_FILES]++;
    tally->n[TALLY_BYTES] += (uint64_t)body->n_data_bytes;
    tally->n[TALLY_SPARSE_FILES] += body->n_runs > 0;
    if (body->stat.st_nlink > 1)
        links_name(&tree->links, &body->stat, entry->path);
    return 0;
}

/* Whether a file with several names may go in; it may be seen only once the first walk is over. */
static bool is_link_kept(const struct tree *tree, const struct stat *stat)
{
    return stat->st_nlink == 1 || tree->root->is_any_link_kept ||
           (stat->st_uid == tree->owner && links_seen(&tree->links, stat) == stat->st_nlink);
}

static int put_content(struct tree *tree, const struct walk_entry *entry, struct dsar_error *error)
{
    if (!body_open(tree->body, entry->folder, entry->name, &entry->stat, tree->tally))
        return 0;
    int result = 0;
    if (is_link_kept(tree, &tree->body->stat))
        result = put_body(tree, entry, error);
    else
        tree->tally->n[TALLY_LINKED_ELSEWHERE]++;
    body_close(tree->body);
    return result;
}

static int put_file(struct tree *tree, const struct walk_entry *entry, struct dsar_error *error)
{
    if (!tree->tar) {
        tree->tally->n[TALLY_MIXED]++;
        return 0;
    }
    if (entry->stat.st_nlink == 1)
        return put_content(tree, entry, error);
    bool is_decided = tree->is_second || tree->root->is_any_link_kept;
    if (!tree->is_second && links_see(&tree->links, &entry->stat, error))
        return -1;
    if (!is_decided) {
        /* one that there is no room to remember cannot be known to be the person's alone */
        tree->tally->n[TALLY_LINKED_ELSEWHERE] += links_seen(&tree->links, &entry->stat) == 0;
        return 0;
    }
    const char *first = links_path(&tree->links, &entry->stat);
    if (!first)
        return put_content(tree, entry, error);
    const struct tar_entry made = {.path = entry->path, .stat = &entry->stat, .link = first};
    tree->tally->n[TALLY_HARD_LINKS]++;
    return tar_begin(tree->tar, &made, error);
}

static int put(struct tree *tree, const struct walk_entry *entry, enum walk_turn *turn,
               struct dsar_error *error)
{
    switch (entry->stat.st_mode & S_IFMT) {
    case S_IFREG: return put_file(tree, entry, error);
    case S_IFLNK:
        if (tree->tar)
            return put_symlink(tree, entry, error);
        tree->tally->n[TALLY_SYMLINKS]++;
        return 0;
    case S_IFDIR:
        if (!is_left_out(tree, entry))
            return put_folder(tree, entry, error);
        *turn = WALK_PAST;
        return 0;
    default: tree->tally->n[TALLY_SPECIAL]++; return 0;
    }
}

static int see_first(void *ctx, const struct walk_entry *entry, enum walk_turn *turn,
                     struct dsar_error *error)
{
    struct tree *tree = ctx;
    if (dsar_progress(tree->session, tree->n_entries, 0, error))
        return -1;
    if (tree->n_entries == tree->root->entries_max) {
        tree->tally->n[TALLY_TOO_MANY] = 1;
        *turn = WALK_STOP;
        return 0;
    }
    tree->n_entries++;
    return put(tree, entry, turn, error);
}

static int see_second(void *ctx, const struct walk_entry *entry, enum walk_turn *turn,
                      struct dsar_error *error)
{
    struct tree *tree = ctx;
    if (dsar_progress(tree->session, tree->n_entries, 0, error))
        return -1;
    if (S_ISDIR(entry->stat.st_mode) && is_left_out(tree, entry))
        *turn = WALK_PAST;
    if (!S_ISREG(entry->stat.st_mode) || links_seen(&tree->links, &entry->stat) == 0)
        return 0;
    return put_file(tree, entry, error);
}

static int walk(struct tree *tree, int fd, struct dsar_error *error)
{
    struct tally known = {.n = {0}}; /* what the first walk has counted already */
    struct walk_options options = {.root = fd,
                                   .depth_max = tree->root->depth_max,
                                   .visit = see_first,
                                   .ctx = tree,
                                   .tally = tree->tally};
    if (walk_run(&options, error))
        return -1;
    if (tree->links.n_used == 0 || tree->root->is_any_link_kept)
        return 0;
    tree->is_second = true;
    options.visit = see_second;
    options.tally = &known;
    return walk_run(&options, error);
}

static int run(struct tree *tree, int fd, struct dsar_error *error)
{
    struct stat stat;
    if (fstat(fd, &stat))
        return dsar_error_set(error, "source_error", true, "a folder that was opened cannot be looked at");
    tree->owner = stat.st_uid;
    links_init(&tree->links);
    int result = walk(tree, fd, error);
    links_wipe(&tree->links);
    return result;
}

int tree_send(const struct root *root, int fd, struct dsar_session *session, const char *id, const char *name,
              struct body *body, struct tally *tally, struct dsar_error *error)
{
    struct tree tree = {.root = root, .session = session, .body = body, .tally = tally};
    if (tar_open(&tree.tar, session, id, name, error))
        return -1;
    int result = run(&tree, fd, error);
    if (!result)
        result = tar_close(tree.tar, error);
    tar_free(tree.tar);
    return result;
}

int tree_withhold(const struct root *root, int fd, struct dsar_session *session, struct tally *tally,
                  struct dsar_error *error)
{
    struct tree tree = {.root = root, .session = session, .tally = tally};
    return run(&tree, fd, error);
}
