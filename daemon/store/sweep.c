#include "store/sweep.h"

#include "intake/syntax.h"
#include "store/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A bundle that is being judged is SWEPT, random digits, '-' and its name. */
#define SWEPT      ".swept-"
#define BUNDLE     ".zip"
#define RECEIPT    "receipt"
#define CLAIM_FILE "claim"

/* More than a record may have. */
#define RECEIPT_MAX_BYTES (2u << 20)

#define HEXADECIMAL    "0123456789abcdef"
#define ATTEMPT_DIGITS 32 /* that a bundle's name begins with */

struct sweep {
    int dir; /* the folder that is gone over */
    int64_t before_unix_s;
    const struct cancel *cancel;
    struct sweep_counts *counts;
};

static bool begins(const char *name, const char *prefix)
{
    return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* The object's name within the name of a hidden file; NULL when it is none of ours. */
static const char *object_of(const char *hidden, const char *prefix)
{
    if (!begins(hidden, prefix))
        return NULL;
    const char *random = hidden + strlen(prefix), *object = random + RANDOM_DIGITS + 1;
    bool ours = strspn(random, HEXADECIMAL) == RANDOM_DIGITS && object[-1] == '-' && store_name_valid(object);
    return ours ? object : NULL;
}

static bool is_bundle(const char *name)
{
    return strspn(name, HEXADECIMAL) == ATTEMPT_DIGITS && strcmp(name + ATTEMPT_DIGITS, BUNDLE) == 0;
}

/* --- is there a receipt --- */

static int is_receipt_in_the_making(const char *name, void *ctx)
{
    const char *object = object_of(name, UNFINISHED);
    (void)ctx;
    return object && strcmp(object, RECEIPT) == 0;
}

/* As many bytes as there are, at most. -1: errno. */
static ssize_t read_receipt(int dir, char *text, size_t size)
{
    int fd = openat(dir, RECEIPT, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = 1;
    size_t len = 0;
    if (fd < 0)
        return -1;
    while (n > 0 && len < size) {
        n = read(fd, text + len, size - len);
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return n < 0 ? -1 : (ssize_t)len;
}

/* Whether the receipt names the bundle. A bundle's name is random: where it stands in the text, it is meant. True as well
 * when that cannot be told. */
static bool is_in_receipt(int dir, const char *bundle)
{
    char *text = malloc(RECEIPT_MAX_BYTES);
    if (!text)
        return true;
    errno = 0;
    ssize_t len = read_receipt(dir, text, RECEIPT_MAX_BYTES);
    bool named = len < 0 ? errno != ENOENT
                         : len == RECEIPT_MAX_BYTES || memmem(text, (size_t)len, bundle, strlen(bundle));
    free(text);
    return named;
}

/* Whether the receipt names the bundle, or one in the making may. The one in the making is looked for first: it becomes the
 * other. */
static bool is_named(const struct sweep *sweep, const char *bundle)
{
    return store_each_name(sweep->dir, is_receipt_in_the_making, NULL, NULL) != 0 ||
           is_in_receipt(sweep->dir, bundle);
}

/* --- bundles --- */

/* Several may judge the same hidden bundle: each step happens once, whoever takes it. */
static void judge(struct sweep *sweep, const char *hidden, const char *bundle, bool old)
{
    if (is_named(sweep, bundle))
        sweep->counts->n_put_back += renameat(sweep->dir, hidden, sweep->dir, bundle) == 0;
    else if (old)
        sweep->counts->n_unnamed += unlinkat(sweep->dir, hidden, 0) == 0;
}

static void sweep_bundle(struct sweep *sweep, const char *bundle)
{
    char hidden[HIDDEN_MAX_BYTES];
    if (!is_named(sweep, bundle) && store_hidden_name(hidden, SWEPT, bundle, NULL) == 0 &&
        renameat(sweep->dir, bundle, sweep->dir, hidden) == 0)
        judge(sweep, hidden, bundle, true);
}

/* --- everything of ours: others may keep files beside them --- */

static int sweep_file(const char *name, void *ctx)
{
    struct sweep *sweep = ctx;
    struct stat st;
    if (cancel_raised(sweep->cancel))
        return 1;
    if (fstatat(sweep->dir, name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
        return 0;
    bool old = st.st_mtime < sweep->before_unix_s;
    const char *bundle = object_of(name, SWEPT);
    if (bundle && is_bundle(bundle))
        judge(sweep, name, bundle, old);
    else if (old && object_of(name, UNFINISHED))
        sweep->counts->n_unfinished += unlinkat(sweep->dir, name, 0) == 0;
    else if (old && strcmp(name, CLAIM_FILE) == 0)
        sweep->counts->n_claims += unlinkat(sweep->dir, name, 0) == 0;
    else if (old && is_bundle(name))
        sweep_bundle(sweep, name);
    return 0;
}

static int sweep_folder(const char *name, void *ctx)
{
    const struct sweep *sweep = ctx;
    struct sweep below = *sweep;
    if (!syntax_is_uuid_v4(name))
        return 0;
    below.dir = openat(sweep->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below.dir < 0)
        return 0;
    int result = store_each_name(below.dir, sweep_file, &below, NULL);
    close(below.dir);
    /* a folder that cannot be read is left for the next time */
    return result > 0;
}

/* What the file system takes for now, which need not be what this machine does. It is asked by way of the folder's own
 * times: a file for it could not be made when there is no room for one, and that is when a sweep is needed. */
static int now(int dir, int64_t *unix_s, struct fault *fault)
{
    struct stat st;
    if (futimens(dir, NULL) || fstat(dir, &st))
        return store_failed(fault, errno, "the folder", "does not tell the time");
    *unix_s = st.st_mtime;
    return 0;
}

int sweep_run(struct store *store, int64_t older_than_s, const struct cancel *cancel,
              struct sweep_counts *counts, struct fault *fault)
{
    struct sweep sweep = {.dir = store->dir, .cancel = cancel, .counts = counts};
    int64_t now_unix_s = 0;
    *counts = (struct sweep_counts){0};
    if (now(store->dir, &now_unix_s, fault))
        return -1;
    sweep.before_unix_s = now_unix_s - older_than_s;
    return store_each_name(store->dir, sweep_folder, &sweep, fault) < 0 ? -1 : 0;
}
