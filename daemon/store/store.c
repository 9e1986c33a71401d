#include "store/parts.h"

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

/* How much is written before the disk is set to work on it, so that the sync at the end finds little left to do. */
#define WRITE_AHEAD (16 << 20)

struct store_object {
    struct store *store;
    int dir; /* the request's folder */
    int fd;
    off_t written;
    off_t started; /* the disk was set to work up to here */
    char unfinished[HIDDEN_MAX_BYTES];
    char file[NAME_MAX_BYTES + 1];
    char shown[2 * NAME_MAX_BYTES + 2]; /* for texts */
};

bool store_name_valid(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return len > 0 && len <= NAME_MAX_BYTES && name[len] == '\0' && name[0] != '.';
}

int store_failed(struct fault *fault, int error_number, const char *shown, const char *what)
{
    fault_errno(fault, "store_failed", error_number, "store: %s %s", shown, what);
    if (fault)
        fault->retryable = true;
    return -1;
}

static int check_names(const char *request, const char *file, struct fault *fault)
{
    if (store_name_valid(request) && store_name_valid(file))
        return 0;
    return fault_set(fault, "internal",
                     "store: an object's name must be made of letters, digits, '.', '_' and '-'");
}

static int sync_folder(int dir, const char *shown, struct fault *fault)
{
    return fsync(dir) ? store_failed(fault, errno, shown, "is in a folder that cannot be synced") : 0;
}

/* The folder of a request; with `make` it is made when it is not there. *dir is -1 when it is not there. */
static int open_folder(struct store *store, const char *request, bool make, int *dir, struct fault *fault)
{
    *dir = -1;
    if (make && mkdirat(store->dir, request, 0700) && errno != EEXIST)
        return store_failed(fault, errno, request, "cannot be made");
    *dir = openat(store->dir, request, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*dir >= 0 || (errno == ENOENT && !make))
        return 0;
    return store_failed(fault, errno, request, "cannot be opened");
}

int store_hidden_name(char hidden[HIDDEN_MAX_BYTES], const char *prefix, const char *file,
                      struct fault *fault)
{
    unsigned char random[RANDOM_DIGITS / 2];
    char digits[RANDOM_DIGITS + 1];
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_set(fault, "internal", "no random numbers");
    hex_encode(random, sizeof random, digits);
    snprintf(hidden, HIDDEN_MAX_BYTES, "%s%s-%s", prefix, digits, file);
    return 0;
}

int store_each_name(int dir, int (*visit_cb)(const char *name, void *ctx), void *ctx, struct fault *fault)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (!stream) {
        store_failed(fault, errno, "a folder", "cannot be read");
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
        result = store_failed(fault, errno, "a folder", "cannot be read");
    closedir(stream);
    return result;
}

int store_open(struct store **store, const char *path, struct fault *fault)
{
    struct store *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for the store");
    new->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (new->dir < 0 || faccessat(new->dir, ".", W_OK | X_OK, AT_EACCESS)) {
        fault_errno(fault, "store_unusable", errno, "store %s: expected a folder that can be written", path);
        store_close(new);
        return -1;
    }
    *store = new;
    return 0;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    if (store->dir >= 0)
        close(store->dir);
    free(store);
}

int store_begin(struct store *store, const char *request, const char *file, struct store_object **object,
                struct fault *fault)
{
    if (check_names(request, file, fault))
        return -1;
    struct store_object *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for an object of the store");
    new->store = store;
    new->dir = new->fd = -1;
    snprintf(new->file, sizeof new->file, "%s", file);
    snprintf(new->shown, sizeof new->shown, "%s/%s", request, file);
    if (store_hidden_name(new->unfinished, UNFINISHED, file, fault) ||
        open_folder(store, request, true, &new->dir, fault))
        goto failed;
    new->fd = openat(new->dir, new->unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (new->fd < 0) {
        store_failed(fault, errno, new->shown, "cannot be made");
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
            return store_failed(fault, n ? errno : ENOSPC, object->shown, "cannot be written");
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

/* Whether a second name was given to the object although the answer was that it could not be: a network file system asks
 * again when an answer is lost, and then finds its own work. */
static bool was_linked(const struct store_object *object)
{
    struct stat st;
    return errno == EEXIST && fstatat(object->dir, object->unfinished, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_nlink == 2;
}

/* Puts the object in its place, where none may be. Not every shared file system can rename without replacing. */
static int put_in_place(const struct store_object *object)
{
    if (renameat2(object->dir, object->unfinished, object->dir, object->file, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(object->dir, object->unfinished, object->dir, object->file, 0) && !was_linked(object))
        return -1;
    /* a second name that stays is a leftover as any other */
    unlinkat(object->dir, object->unfinished, 0);
    return 0;
}

static int close_file(struct store_object *object, struct fault *fault)
{
    int fd = object->fd;
    object->fd = -1;
    return close(fd) ? store_failed(fault, errno, object->shown, "cannot be closed") : 0;
}

/* Makes the bytes durable, and the folder that they are to be seen in: whoever made it may have died before it was. */
static int sync_unseen(struct store_object *object, struct fault *fault)
{
    if (fsync(object->fd))
        return store_failed(fault, errno, object->shown, "cannot be synced");
    if (close_file(object, fault))
        return -1;
    return sync_folder(object->store->dir, object->shown, fault);
}

static int show(struct store_object *object, struct fault *fault)
{
    if (put_in_place(object) == 0) {
        object->unfinished[0] = '\0';
        return sync_folder(object->dir, object->shown, fault);
    }
    if (errno == EEXIST)
        return fault_set(fault, "exists", "store: there is a %s already", object->shown);
    return store_failed(fault, errno, object->shown, "cannot be put in its place");
}

int store_commit(struct store_object *object, struct fault *fault)
{
    int result = sync_unseen(object, fault);
    if (result == 0)
        result = show(object, fault);
    store_abort(object);
    return result;
}

int store_commit_over(struct store_object *object, struct fault *fault)
{
    int result = close_file(object, fault);
    if (result == 0 && renameat(object->dir, object->unfinished, object->dir, object->file))
        result = store_failed(fault, errno, object->shown, "cannot be put in its place");
    if (result == 0)
        object->unfinished[0] = '\0';
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
        result = store_failed(fault, errno, shown, "cannot be read");
    else if (!S_ISREG(st.st_mode))
        result = store_failed(fault, EINVAL, shown, "is no file");
    else if (st.st_size > 0 && (uintmax_t)st.st_size > content->max - content->len)
        result = fault_set(fault, "too_large", "store: %s is larger than %zu bytes", shown, content->max);
    else if ((result = buf_read_fd(content, fd, shown, fault)) != 0)
        result = store_failed(fault, EIO, shown, "cannot be read");
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
    if (check_names(request, "x", fault) || open_folder(store, request, false, &dir, fault))
        return -1;
    if (dir < 0)
        return 0;
    int result = sync_folder(store->dir, request, fault) || sync_folder(dir, request, fault) ? -1 : 0;
    close(dir);
    return result;
}

int store_exists(struct store *store, const char *request, const char *file, bool *exists,
                 struct fault *fault)
{
    int dir, result = 0;
    *exists = false;
    if (check_names(request, file, fault) || open_folder(store, request, false, &dir, fault))
        return -1;
    if (dir < 0)
        return 0;
    if (faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        *exists = true;
    else if (errno != ENOENT)
        result = store_failed(fault, errno, file, "cannot be looked for");
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
    return store_name_valid(name) ? visible->visit_cb(name, visible->ctx) : 0;
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
    int result = store_each_name(dir, visit_visible, &visible, fault);
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
        result = store_failed(fault, errno, file, "cannot be removed");
    else
        result = sync_folder(dir, file, fault);
    close(dir);
    return result;
}
