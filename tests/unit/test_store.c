#include "store/store.h"

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
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int setup(void **state)
{
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

static void an_object_is_never_overwritten(void **state)
{
    struct fault fault;
    struct store *store;
    struct store_object *object;
    assert_int_equal(store_open(&store, folder, &fault), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_begin(store, "request-1", "a.receipt", &object, &fault), 0);
        assert_int_equal(store_write(object, i ? "second" : "first", i ? 6 : 5, &fault), 0);
        assert_int_equal(store_commit(object, &fault), i ? -1 : 0);
    }
    assert_string_equal(fault.code, "store_failed");
    struct buf content;
    buf_init(&content, 100);
    assert_int_equal(store_read(store, "request-1", "a.receipt", &content, &fault), 0);
    assert_string_equal(content.data, "first");
    buf_wipe(&content);
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

static void old_leftovers_are_swept_and_young_ones_are_not(void **state)
{
    struct fault fault;
    struct store *store;
    char old[256], young[256];
    snprintf(old, sizeof old, "%s/request-1", folder);
    assert_int_equal(mkdir(old, 0700), 0);
    snprintf(old, sizeof old, "%s/request-1/.unfinished-old", folder);
    snprintf(young, sizeof young, "%s/request-1/.unfinished-young", folder);
    close(open(old, O_CREAT | O_WRONLY, 0600));
    close(open(young, O_CREAT | O_WRONLY, 0600));
    struct timespec then[2] = {{.tv_sec = time(NULL) - 90000}, {.tv_sec = time(NULL) - 90000}};
    assert_int_equal(utimensat(AT_FDCWD, old, then, 0), 0);
    assert_int_equal(store_open(&store, folder, &fault), 0);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(young, F_OK), 0);
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
        cmocka_unit_test_setup_teardown(an_object_is_never_overwritten, setup, teardown),
        cmocka_unit_test_setup_teardown(an_aborted_object_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(names_cannot_leave_the_store, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_is_a_fault_that_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(old_leftovers_are_swept_and_young_ones_are_not, setup, teardown),
        cmocka_unit_test(a_store_that_is_no_folder_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
