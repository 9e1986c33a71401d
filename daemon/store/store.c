#include "store/store.h"

#include "base/clock.h"
#include "base/hex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_BYTES   128
#define UNFINISHED       ".unfinished-"
#define UNFINISHED_MAX_S 86400

struct store {
    char *path;
    int dir;
};

/* How much is written before the disk is set to work on it, so that the sync at the end finds little left to do. */
#define WRITE_AHEAD (16 << 20)

struct store_object {
    int dir; /* the request's folder */
    int fd;
    off_t written;
    off_t started; /* the disk was set to work up to here */
    char unfinished[64];
    char file[NAME_MAX_BYTES + 1];
    char shown[2 * NAME_MAX_BYTES + 2]; /* for texts */
};

static bool name_valid(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '.';
}

/* Whatever keeps the store from its work may be mended while we try again. */
static int failed(struct fault *fault, int error_number, const char *shown, const char *what)
{
    fault_errno(fault, "store_failed", error_number, "store: %s %s", shown, what);
    if (fault)
        fault->retryable = true;
    return -1;
}

static int check_names(const char *request, const char *file, struct fault *fault)
{
    if (name_valid(request) && name_valid(file))
        return 0;
    return fault_set(fault, "internal",
                     "store: an object's name must be made of letters, digits, '.', '_' and '-'");
}

static int sync_folder(int dir, const char *shown, struct fault *fault)
{
    return fsync(dir) ? failed(fault, errno, shown, "is in a folder that cannot be synced") : 0;
}

/* The folder of a request; with `make` it is made, durably, when it is not there. *dir is -1 when it is not
 * there. */
static int open_folder(struct store *store, const char *request, bool make, int *dir, struct fault *fault)
{
    *dir = -1;
    if (make && mkdirat(store->dir, request, 0700) && errno != EEXIST)
        return failed(fault, errno, request, "cannot be made");
    /* also when it was there: whoever made it may have died before it was durable */
    if (make && sync_folder(store->dir, request, fault))
        return -1;
    *dir = openat(store->dir, request, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir >= 0 || (errno == ENOENT && !make))
        return 0;
    return failed(fault, errno, request, "cannot be opened");
}

static int each_name(int dir, int (*visit_cb)(const char *name, void *ctx), void *ctx, struct fault *fault)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        failed(fault, errno, "a folder", "cannot be read");
        if (copy >= 0)
            close(copy);
        return -1;
    }
    int result = 0;
    const struct dirent *entry;
    while (result == 0 && (errno = 0, entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            result = visit_cb(entry->d_name, ctx);
    if (result == 0 && errno)
        result = failed(fault, errno, "a folder", "cannot be read");
    closedir(stream);
    return result;
}

struct sweep {
    int dir;
    int64_t before_unix_s;
};

static int sweep_unfinished(const char *name, void *ctx)
{
    const struct sweep *sweep = ctx;
    struct stat st;
    if (strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0 &&
        fstatat(sweep->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_mtime < sweep->before_unix_s)
        unlinkat(sweep->dir, name, 0);
    return 0;
}

static int sweep_folder(const char *name, void *ctx)
{
    const struct sweep *sweep = ctx;
    if (!name_valid(name))
        return 0;
    struct sweep below = {.before_unix_s = sweep->before_unix_s};
    below.dir = openat(sweep->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below.dir < 0)
        return 0;
    /* what cannot be swept now is swept at the next start */
    (void)each_name(below.dir, sweep_unfinished, &below, NULL);
    close(below.dir);
    return 0;
}

int store_open(struct store **store, const char *path, struct fault *fault)
{
    struct store *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the store");
    new->dir = -1;
    new->path = strdup(path);
    if (!new->path) {
        fault_retry(fault, "no_memory", "no memory for the store");
        goto failed;
    }
    new->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (new->dir < 0 || faccessat(new->dir, ".", W_OK | X_OK, AT_EACCESS)) {
        fault_errno(fault, "store_unusable", errno, "store %s: expected a folder that can be written", path);
        goto failed;
    }
    struct sweep sweep = {.dir = new->dir, .before_unix_s = clock_now_unix_s() - UNFINISHED_MAX_S};
    if (each_name(new->dir, sweep_folder, &sweep, fault))
        goto failed;
    *store = new;
    return 0;
failed:
    store_close(new);
    return -1;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->dir >= 0)
        close(store->dir);
    free(store->path);
    free(store);
}

int store_begin(struct store *store, const char *request, const char *file, struct store_object **object,
                struct fault *fault)
{
    unsigned char random[12];
    if (check_names(request, file, fault))
        return -1;
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_set(fault, "internal", "no random numbers");
    struct store_object *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for an object of the store");
    new->dir = new->fd = -1;
    snprintf(new->file, sizeof new->file, "%s", file);
    snprintf(new->shown, sizeof new->shown, "%s/%s", request, file);
    char name[2 * sizeof random + 1];
    hex_encode(random, sizeof random, name);
    snprintf(new->unfinished, sizeof new->unfinished, UNFINISHED "%s", name);
    if (open_folder(store, request, true, &new->dir, fault))
        goto failed;
    new->fd = openat(new->dir, new->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (new->fd < 0) {
        failed(fault, errno, new->shown, "cannot be made");
        goto failed;
    }
    *object = new;
    return 0;
failed:
    store_abort(new);
    return -1;
}

int store_write(struct store_object *object, const void *data, size_t len, struct fault *fault)
{
    const char *at = data;
    while (len) {
        ssize_t n = write(object->fd, at, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed(fault, n ? errno : ENOSPC, object->shown, "cannot be written");
        at += n;
        len -= (size_t)n;
        object->written += n;
    }
    if (object->written - object->started >= WRITE_AHEAD) {
        /* only a hint: what goes wrong is told by fsync */
        sync_file_range(object->fd, object->started, object->written - object->started,
                        SYNC_FILE_RANGE_WRITE);
        object->started = object->written;
    }
    return 0;
}

/* Puts the object in its place, where none may be. Not every shared file system can rename without replacing.
 */
static int put_in_place(const struct store_object *object)
{
    if (renameat2(object->dir, object->unfinished, object->dir, object->file, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(object->dir, object->unfinished, object->dir, object->file, 0))
        return -1;
    return unlinkat(object->dir, object->unfinished, 0);
}

int store_commit(struct store_object *object, struct fault *fault)
{
    int result = -1;
    int fd = object->fd;
    object->fd = -1;
    if (fsync(fd)) {
        failed(fault, errno, object->shown, "cannot be synced");
        close(fd);
    } else if (close(fd)) {
        failed(fault, errno, object->shown, "cannot be closed");
    } else if (put_in_place(object)) {
        failed(fault, errno, object->shown, "cannot be put in its place");
    } else {
        object->unfinished[0] = '\0';
        result = sync_folder(object->dir, object->shown, fault);
    }
    store_abort(object);
    return result;
}

void store_abort(struct store_object *object)
{
    if (!object)
        return;
    if (object->fd >= 0)
        close(object->fd);
    if (object->dir >= 0) {
        if (object->unfinished[0])
            unlinkat(object->dir, object->unfinished, 0);
        close(object->dir);
    }
    free(object);
}

static int read_object(int dir, const char *request, const char *file, struct buf *content,
                       struct fault *fault)
{
    char shown[2 * NAME_MAX_BYTES + 2];
    snprintf(shown, sizeof shown, "%s/%s", request, file);
    int fd = dir < 0 ? -1 : openat(dir, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && (dir < 0 || errno == ENOENT))
        return fault_set(fault, "not_found", "store: there is no %s", shown);
    struct stat st;
    int result;
    if (fd < 0 || fstat(fd, &st))
        result = failed(fault, errno, shown, "cannot be read");
    else if (!S_ISREG(st.st_mode))
        result = failed(fault, EINVAL, shown, "is no file");
    else if (st.st_size > 0 && (uintmax_t)st.st_size > content->max - content->len)
        result = fault_set(fault, "too_large", "store: %s is larger than %zu bytes", shown, content->max);
    else if ((result = buf_read_fd(content, fd, shown, fault)) != 0)
        result = failed(fault, EIO, shown, "cannot be read");
    if (fd >= 0)
        close(fd);
    return result;
}

int store_read(struct store *store, const char *request, const char *file, struct buf *content,
               struct fault *fault)
{
    int dir;
    if (check_names(request, file, fault) || open_folder(store, request, false, &dir, fault))
        return -1;
    int result = read_object(dir, request, file, content, fault);
    if (dir >= 0)
        close(dir);
    return result;
}

int store_sync(struct store *store, const char *request, struct fault *fault)
{
    int dir;
    if (check_names(request, "x", fault) || open_folder(store, request, true, &dir, fault))
        return -1;
    int result = sync_folder(dir, request, fault);
    close(dir);
    return result;
}

struct visible {
    int (*visit_cb)(const char *file, void *ctx);
    void *ctx;
};

static int visit_visible(const char *name, void *ctx)
{
    const struct visible *visible = ctx;
    return name_valid(name) ? visible->visit_cb(name, visible->ctx) : 0;
}

int store_each(struct store *store, const char *request, int (*visit_cb)(const char *file, void *ctx),
               void *ctx, struct fault *fault)
{
    int dir;
    if (check_names(request, "x", fault) || open_folder(store, request, false, &dir, fault))
        return -1;
    if (dir < 0)
        return 0;
    struct visible visible = {visit_cb, ctx};
    int result = each_name(dir, visit_visible, &visible, fault);
    close(dir);
    return result;
}

int store_remove(struct store *store, const char *request, const char *file, struct fault *fault)
{
    int dir;
    if (check_names(request, file, fault) || open_folder(store, request, false, &dir, fault))
        return -1;
    if (dir < 0)
        return 0;
    int result = 0;
    if (unlinkat(dir, file, 0) && errno != ENOENT)
        result = failed(fault, errno, file, "cannot be removed");
    else
        result = sync_folder(dir, file, fault);
    close(dir);
    return result;
}
