/* A store that is swept in tests, at another time, with what happens around a rename. */
#ifndef DSAR_TEST_SWEEP_H
#define DSAR_TEST_SWEEP_H

#include "outcome/receipt.h"
#include "store/sweep.h"
#include "test_records.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define ID        "2c0e5a1e-0000-4000-8000-000000000001"
#define OLD_S     90000
#define SWEEP_S   86400
#define N_STORERS 3
#define N_SWEEPS  2
#define N_ROUNDS  40
#define HIDDEN    "0123456789abcdef01234567-"

/* attempts */
#define A     "0123456789abcdef0123456789abcdea"
#define OLD   "0123456789abcdef0123456789abcde0"
#define YOUNG "0123456789abcdef0123456789abcde1"
#define NAMED "0123456789abcdef0123456789abcde2"

static const unsigned char sha256[32] = {0xab};
static const struct origin here = {"requests", 3, 7};

/* --- another clock, and what happens around a rename --- */

static int64_t clock_ahead_s; /* of this machine's clock */

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int (*real)(clockid_t, struct timespec *);
    *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    now->tv_sec += clock_ahead_s;
    return result;
}

/* What is opened with one of these flags fails so. */
static struct {
    int flags, error_number;
} refusal;

int openat(int dir, const char *path, int flags, ...)
{
    int (*real)(int, const char *, int, ...);
    va_list ap;
    *(void **)&real = dlsym(RTLD_NEXT, "openat");
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (!(flags & refusal.flags))
        return real(dir, path, flags, mode);
    errno = refusal.error_number;
    return -1;
}

/* Called once, around the rename that hides a bundle. */
static struct {
    void (*before)(const struct stage *stage);
    void (*after)(const struct stage *stage);
    const struct stage *stage;
} hiding;

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
    int (*real)(int, const char *, int, const char *);
    *(void **)&real = dlsym(RTLD_NEXT, "renameat");
    void (*before)(const struct stage *) = hiding.before, (*after)(const struct stage *) = hiding.after;
    if ((!before && !after) || strncmp(new, ".swept-", 7) != 0)
        return real(old_dir, old, new_dir, new);
    hiding.before = hiding.after = NULL;
    if (before)
        before(hiding.stage);
    int result = real(old_dir, old, new_dir, new);
    if (after)
        after(hiding.stage);
    return result;
}

/* --- steps --- */

static inline int begin(void **state)
{
    clock_ahead_s = 0;
    memset(&refusal, 0, sizeof refusal);
    memset(&hiding, 0, sizeof hiding);
    return open_stage(state);
}

static inline const char *place(const struct stage *stage, const char *file, char path[256])
{
    snprintf(path, 256, "%s/%s", stage->folder, file);
    return path;
}

static inline void make_old(const struct stage *stage, const char *file)
{
    char path[256];
    const struct timespec then = {.tv_sec = time(NULL) - OLD_S}, times[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, place(stage, file, path), times, 0), 0);
}

/* Makes a file below the store, however it is called. */
static inline void make_file(const struct stage *stage, const char *file, bool old)
{
    char path[256];
    int fd = open(place(stage, file, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    if (old)
        make_old(stage, file);
}

static inline void make_folder(const struct stage *stage, const char *name)
{
    char path[256];
    assert_int_equal(mkdir(place(stage, name, path), 0700), 0);
}

static inline bool there(const struct stage *stage, const char *file)
{
    char path[256];
    return access(place(stage, file, path), F_OK) == 0;
}

static inline struct sweep_counts sweep(const struct stage *stage)
{
    struct sweep_counts counts;
    struct cancel *cancel;
    struct fault fault;
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    if (sweep_run(stage->store, SWEEP_S, cancel, &counts, &fault))
        fail_msg("%s", fault.text);
    cancel_free(cancel);
    return counts;
}

static inline void expect_counts(const struct stage *stage, size_t n_unfinished, size_t n_unnamed,
                                 size_t n_claims, size_t n_put_back)
{
    struct sweep_counts counts = sweep(stage);
    assert_int_equal(counts.n_unfinished, n_unfinished);
    assert_int_equal(counts.n_unnamed, n_unnamed);
    assert_int_equal(counts.n_claims, n_claims);
    assert_int_equal(counts.n_put_back, n_put_back);
}

/* 0, or -1 with a fault. */
static inline int store_receipt(const struct stage *stage, const char *request, const char *bundle,
                                struct fault *fault)
{
    struct receipt *receipt;
    json_t *data = json_object();
    const struct receipt_facts facts = {.request = request,
                                        .body_sha256 = sha256,
                                        .origin = &here,
                                        .bundle = bundle,
                                        .type = EVENT_COMPLETED,
                                        .event_data = data};
    int result = receipt_take(&receipt, &facts, &stage->records, fault);
    json_decref(data);
    receipt_free(receipt);
    return result;
}

/* Begins the record that names a bundle, or NULL for none, as a receipt does. */
static inline struct store_object *begin_record(const struct stage *stage, const char *bundle)
{
    struct fault fault;
    struct store_object *object;
    json_t *json = json_pack("{s:i,s:s?}", "receipt", 1, "bundle", bundle);
    assert_int_equal(record_write(&stage->records, ID, "receipt", "receipt", json, &object, &fault), 0);
    json_decref(json);
    return object;
}

/* A whole one, whether or not there is a bundle. */
static inline void put_receipt(const struct stage *stage, const char *bundle)
{
    struct fault fault;
    assert_int_equal(store_commit(begin_record(stage, bundle), &fault), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, close_stage)

#endif
