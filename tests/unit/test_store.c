#include "store/store.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

/* --- a file system that fails --- */

/* Which call fails, counted from 1; 0: none. */
static struct {
    int fsync_fails;
    int rename_error;     /* of renameat2 */
    int old_rename_error; /* of renameat */
    bool link_answer_lost;
    int n_fsyncs;
} disk;

int fsync(int fd)
{
    if (++disk.n_fsyncs == disk.fsync_fails) {
        errno = EIO;
        return -1;
    }
    int (*real)(int);
    *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}

int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
    if (disk.rename_error) {
        errno = disk.rename_error;
        return -1;
    }
    int (*real)(int, const char *, int, const char *, unsigned);
    *(void **)&real = dlsym(RTLD_NEXT, "renameat2");
    return real(old_dir, old, new_dir, new, flags);
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
    if (disk.old_rename_error) {
        errno = disk.old_rename_error;
        return -1;
    }
    return renameat2(old_dir, old, new_dir, new, 0);
}

int linkat(int old_dir, const char *old, int new_dir, const char *new, int flags)
{
    int (*real)(int, const char *, int, const char *, int);
    *(void **)&real = dlsym(RTLD_NEXT, "linkat");
    int result = real(old_dir, old, new_dir, new, flags);
    if (result || !disk.link_answer_lost)
        return result;
    errno = EEXIST;
    return -1;
}

static int setup(void **state)
{
    memset(&disk, 0, sizeof disk);
    snprintf(folder, sizeof folder, "/tmp/dsar-store-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a test's own folder */
}

static int count(const char *file, void *ctx)
{
    (*(int *)ctx)++;
    return 0;
}

static int objects(struct store *store)
{
    struct fault fault;
    int n = 0;
    assert_int_equal(store_each(store, "request-1", count, &n, &fault), 0);
    return n;
}

/* How many files the folder of the request has, hidden ones too. */
static int files(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/request-1", folder);
    DIR *stream = opendir(path);
    assert_non_null(stream);
    int n = 0;
    while (readdir(stream))
        n++;
    closedir(stream);
    return n - 2;
}

static struct store_object *begin(struct store *store, const char *text)
{
    struct fault fault;
    struct store_object *object;
    assert_int_equal(store_begin(store, "request-1", "a.receipt", &object, &fault), 0);
    assert_int_equal(store_write(object, text, strlen(text), &fault), 0);
    return object;
}

static void expect_content(struct store *store, const char *text)
{
    struct fault fault;
    struct buf content;
    buf_init(&content, 100);
    assert_int_equal(store_read(store, "request-1", "a.receipt", &content, &fault), 0);
    assert_string_equal(content.data, text);
    buf_wipe(&content);
}

static void an_object_appears_only_when_committed(void **state)
{
    struct fault fault;
    struct store *store;
    struct store_object *object;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    assert_int_equal(store_begin(store, "request-1", "a.zip", &object, &fault), 0);
    assert_int_equal(store_write(object, "hello", 5, &fault), 0);
    assert_int_equal(objects(store), 0);
    assert_int_equal(store_commit(object, &fault), 0);
    assert_int_equal(objects(store), 1);

    struct buf content;
    buf_init(&content, 100);
    assert_int_equal(store_read(store, "request-1", "a.zip", &content, &fault), 0);
    assert_string_equal(content.data, "hello");
    buf_wipe(&content);

    char path[256];
    struct stat st;
    snprintf(path, sizeof path, "%s/request-1/a.zip", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/request-1", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);

    assert_int_equal(store_remove(store, "request-1", "a.zip", &fault), 0);
    assert_int_equal(store_remove(store, "request-1", "a.zip", &fault), 0);
    assert_int_equal(objects(store), 0);
    assert_int_equal(store_read(store, "request-1", "a.zip", &content, &fault), -1);
    assert_string_equal(fault.code, "not_found");
    store_close(store);
}

static void expect_exists(struct store *store, const char *file, bool expected)
{
    struct fault fault;
    bool exists;
    assert_int_equal(store_exists(store, "request-1", file, &exists, &fault), 0);
    assert_int_equal(exists, expected);
}

static void it_is_known_what_there_is(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    expect_exists(store, "a.receipt", false);
    struct store_object *object = begin(store, "first");
    expect_exists(store, "a.receipt", false);
    assert_int_equal(store_commit(object, &fault), 0);
    expect_exists(store, "a.receipt", true);
    expect_exists(store, "b.receipt", false);
    store_close(store);
}

static void expect_no_overwriting(int rename_error)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    disk.rename_error = rename_error;
    assert_int_equal(store_commit(begin(store, "first"), &fault), 0);
    assert_int_equal(store_commit(begin(store, "second"), &fault), -1);
    assert_string_equal(fault.code, "exists");
    assert_false(fault.retryable);
    expect_content(store, "first");
    assert_int_equal(files(), 1);
    store_close(store);
}

static void an_object_is_never_overwritten(void **state)
{
    expect_no_overwriting(0);
}

static void nor_where_a_rename_always_replaces(void **state)
{
    expect_no_overwriting(EINVAL);
}

static void a_lost_answer_does_not_make_ours_anothers(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    disk.rename_error = EINVAL;
    disk.link_answer_lost = true;
    assert_int_equal(store_commit(begin(store, "first"), &fault), 0);
    expect_content(store, "first");
    assert_int_equal(files(), 1);
    store_close(store);
}

static void what_is_to_be_replaced_is_replaced(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    assert_int_equal(store_commit_over(begin(store, "first"), &fault), 0);
    expect_content(store, "first");
    assert_int_equal(store_commit_over(begin(store, "second"), &fault), 0);
    expect_content(store, "second");
    disk.old_rename_error = EIO;
    assert_int_equal(store_commit_over(begin(store, "third"), &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    expect_content(store, "second");
    assert_int_equal(files(), 1);
    store_close(store);
}

static void a_commit_that_fails_leaves_nothing(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    /* the file itself, then the folder that the request's folder lies in, then the rename */
    for (int at = 1; at <= 3; at++) {
        struct store_object *object = begin(store, "first");
        disk.n_fsyncs = 0;
        disk.fsync_fails = at <= 2 ? at : 0;
        disk.rename_error = at == 3 ? EIO : 0;
        assert_int_equal(store_commit(object, &fault), -1);
        assert_string_equal(fault.code, "store_failed");
        assert_true(fault.retryable);
        assert_int_equal(disk.n_fsyncs, at <= 2 ? at : 2);
        assert_int_equal(files(), 0);
    }
    store_close(store);
}

static void what_is_seen_but_could_not_be_synced_is_no_success(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    struct store_object *object = begin(store, "first");
    disk.n_fsyncs = 0;
    disk.fsync_fails = 3;
    assert_int_equal(store_commit(object, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
    expect_content(store, "first");
    /* whoever finds it makes it durable, or learns that it is not: both folders are synced */
    for (int at = 1; at <= 2; at++) {
        disk.n_fsyncs = 0;
        disk.fsync_fails = at;
        assert_int_equal(store_sync(store, "request-1", &fault), -1);
        assert_string_equal(fault.code, "store_failed");
    }
    disk.n_fsyncs = disk.fsync_fails = 0;
    assert_int_equal(store_sync(store, "request-1", &fault), 0);
    assert_int_equal(disk.n_fsyncs, 2);
    assert_int_equal(store_sync(store, "request-2", &fault), 0);
    store_close(store);
}

static void an_aborted_object_leaves_nothing(void **state)
{
    struct fault fault;
    struct store *store;
    struct store_object *object;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    assert_int_equal(store_begin(store, "request-1", "a.zip", &object, &fault), 0);
    assert_int_equal(store_write(object, "hello", 5, &fault), 0);
    store_abort(object);
    char path[256];
    snprintf(path, sizeof path, "%s/request-1", folder);
    assert_int_equal(rmdir(path), 0); /* only an empty folder can be removed */
    store_close(store);
}

static void names_cannot_leave_the_store(void **state)
{
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", ".hidden", "a b", "a\n", "\xc3\xa9"};
    struct fault fault;
    struct store *store;
    struct store_object *object;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(store_begin(store, bad[i], "x", &object, &fault), -1);
        assert_int_equal(store_begin(store, "x", bad[i], &object, &fault), -1);
        assert_int_equal(store_remove(store, "x", bad[i], &fault), -1);
    }
    store_close(store);
}

static void a_full_disk_is_a_fault_that_passes(void **state)
{
    struct fault fault;
    struct store *store;
    struct store_object *object;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    assert_int_equal(store_begin(store, "request-1", "a.zip", &object, &fault), 0);
    struct rlimit old, small = {4, 4};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int result = store_write(object, "more than fits", 14, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(result, -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
    store_abort(object);
    assert_int_equal(objects(store), 0);
    store_close(store);
}

static void a_store_that_is_no_folder_is_refused(void **state)
{
    struct fault fault;
    struct store *store;
    assert_int_equal(store_open(&store, "/dev/null", &fault), -1);
    assert_string_equal(fault.code, "store_unusable");
    assert_int_equal(store_open(&store, "/nonexistent", &fault), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_object_appears_only_when_committed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_known_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(an_object_is_never_overwritten, setup, teardown),
        cmocka_unit_test_setup_teardown(nor_where_a_rename_always_replaces, setup, teardown),
        cmocka_unit_test_setup_teardown(a_lost_answer_does_not_make_ours_anothers, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_to_be_replaced_is_replaced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_commit_that_fails_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_seen_but_could_not_be_synced_is_no_success, setup, teardown),
        cmocka_unit_test_setup_teardown(an_aborted_object_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(names_cannot_leave_the_store, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_a_fault_that_passes, setup, teardown),
        cmocka_unit_test(a_store_that_is_no_folder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
