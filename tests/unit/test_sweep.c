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

static int begin(void **state)
{
    clock_ahead_s = 0;
    memset(&refusal, 0, sizeof refusal);
    memset(&hiding, 0, sizeof hiding);
    return open_stage(state);
}

static const char *place(const struct stage *stage, const char *file, char path[256])
{
    snprintf(path, 256, "%s/%s", stage->folder, file);
    return path;
}

static void make_old(const struct stage *stage, const char *file)
{
    char path[256];
    const struct timespec then = {.tv_sec = time(NULL) - OLD_S}, times[2] = {then, then};
    assert_int_equal(utimensat(AT_FDCWD, place(stage, file, path), times, 0), 0);
}

/* Makes a file below the store, however it is called. */
static void make_file(const struct stage *stage, const char *file, bool old)
{
    char path[256];
    int fd = open(place(stage, file, path), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    if (old)
        make_old(stage, file);
}

static void make_folder(const struct stage *stage, const char *name)
{
    char path[256];
    assert_int_equal(mkdir(place(stage, name, path), 0700), 0);
}

static bool there(const struct stage *stage, const char *file)
{
    char path[256];
    return access(place(stage, file, path), F_OK) == 0;
}

static struct sweep_counts sweep(const struct stage *stage)
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

static void expect_counts(const struct stage *stage, size_t n_unfinished, size_t n_unnamed, size_t n_claims,
                          size_t n_put_back)
{
    struct sweep_counts counts = sweep(stage);
    assert_int_equal(counts.n_unfinished, n_unfinished);
    assert_int_equal(counts.n_unnamed, n_unnamed);
    assert_int_equal(counts.n_claims, n_claims);
    assert_int_equal(counts.n_put_back, n_put_back);
}

/* 0, or -1 with a fault. */
static int store_receipt(const struct stage *stage, const char *request, const char *bundle,
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
static struct store_object *begin_record(const struct stage *stage, const char *bundle)
{
    struct fault fault;
    struct store_object *object;
    json_t *json = json_pack("{s:i,s:s?}", "receipt", 1, "bundle", bundle);
    assert_int_equal(record_write(&stage->records, ID, "receipt", "receipt", json, &object, &fault), 0);
    json_decref(json);
    return object;
}

/* A whole one, whether or not there is a bundle. */
static void put_receipt(const struct stage *stage, const char *bundle)
{
    struct fault fault;
    assert_int_equal(store_commit(begin_record(stage, bundle), &fault), 0);
}

/* --- what is swept --- */

static void what_was_never_finished_goes_when_it_is_old(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/.unfinished-" HIDDEN A ".zip", true);
    make_file(stage, ID "/.unfinished-" HIDDEN "claim", false);
    expect_counts(stage, 1, 0, 0, 0);
    assert_false(there(stage, ID "/.unfinished-" HIDDEN A ".zip"));
    assert_true(there(stage, ID "/.unfinished-" HIDDEN "claim"));
}

static void a_bundle_goes_when_it_is_old_and_no_receipt_names_it(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" OLD ".zip", true);
    make_file(stage, ID "/" YOUNG ".zip", false);
    make_file(stage, ID "/" NAMED ".zip", true);
    put_receipt(stage, NAMED ".zip");
    expect_counts(stage, 0, 1, 0, 0);
    assert_false(there(stage, ID "/" OLD ".zip"));
    assert_true(there(stage, ID "/" YOUNG ".zip"));
    assert_true(there(stage, ID "/" NAMED ".zip"));
    expect_counts(stage, 0, 0, 0, 0);
}

static void a_claim_goes_when_it_is_old(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/claim", false);
    expect_counts(stage, 0, 0, 0, 0);
    make_old(stage, ID "/claim");
    expect_counts(stage, 0, 0, 1, 0);
    assert_false(there(stage, ID "/claim"));
}

static void expect_untouched(const struct stage *stage, const char *const files[], size_t n_files)
{
    for (size_t i = 0; i < n_files; i++)
        make_file(stage, files[i], true);
    expect_counts(stage, 0, 0, 0, 0);
    for (size_t i = 0; i < n_files; i++)
        if (!there(stage, files[i]))
            fail_msg("%s is gone", files[i]);
}

#define EXPECT_UNTOUCHED(stage, files) expect_untouched(stage, files, sizeof files / sizeof *files)

static void nothing_else_of_a_request_goes(void **state)
{
    static const char *const files[] = {
        ID "/receipt",
        ID "/accepted",
        ID "/withdrawal-ab",
        ID "/" A ".outcome.json",
    };
    make_folder(*state, ID);
    EXPECT_UNTOUCHED(*state, files);
}

static void what_others_keep_beside_it_stays(void **state)
{
    static const char *const files[] = {
        ID "/backup.zip",
        ID "/" A A ".zip",
        ID "/0" A ".zip",
        ID "/0123456789ABCDEF0123456789ABCDEF.zip",
        ID "/0123456789abcdef0123456789abcde.zip",
        ID "/" A ".zip.txt",
        ID "/" A ".ZIP",
        ID "/" A,
        ID "/claim.txt",
        ID "/Claim",
        ID "/.other",
        ID "/.unfinished-" A ".zip",
        ID "/.unfinished-0123456789ABCDEF01234567-" A ".zip",
        ID "/.unfinished-0123456789abcdef0123456-" A ".zip",
        ID "/.unfinished-" HIDDEN,
        ID "/.unfinished-" HIDDEN ".hidden",
        ID "/.unfinished-",
        ID "/.unfinished-work in progress",
        ID "/.swept-" HIDDEN "backup.zip",
        ID "/.swept-yard-" A ".zip",
    };
    make_folder(*state, ID);
    EXPECT_UNTOUCHED(*state, files);
}

static void what_is_not_in_the_folder_of_a_request_stays(void **state)
{
    static const char *const folders[] = {
        "backups", "2c0e5a1e-0000-1000-8000-000000000001", "2C0E5A1E-0000-4000-8000-000000000001",
        ID "0",    "2c0e5a1e000040008000000000000001",     ".hidden",
    };
    static const char *const names[] = {A ".zip", "claim", ".unfinished-" HIDDEN A ".zip",
                                        ".swept-" HIDDEN A ".zip"};
    const struct stage *stage = *state;
    EXPECT_UNTOUCHED(stage, names);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char paths[sizeof names / sizeof *names][256];
        const char *files[sizeof names / sizeof *names];
        make_folder(stage, folders[i]);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            snprintf(paths[k], sizeof paths[k], "%s/%s", folders[i], names[k]);
            files[k] = paths[k];
        }
        EXPECT_UNTOUCHED(stage, files);
    }
}

/* Where it links to is not ours. */
static void links_are_not_followed(void **state)
{
    static const char *const files[] = {"elsewhere/" A ".zip", "elsewhere/claim"};
    const struct stage *stage = *state;
    char path[256];
    make_folder(stage, "elsewhere");
    assert_int_equal(symlink("elsewhere", place(stage, ID, path)), 0);
    EXPECT_UNTOUCHED(stage, files);
}

static void it_needs_no_room_of_its_own(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" OLD ".zip", true);
    refusal.flags = O_CREAT;
    refusal.error_number = ENOSPC;
    expect_counts(stage, 0, 1, 0, 0);
}

static void how_old_it_is_the_file_system_says(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" YOUNG ".zip", false);
    make_file(stage, ID "/" OLD ".zip", true);
    clock_ahead_s = 10 * OLD_S;
    expect_counts(stage, 0, 1, 0, 0);
    assert_true(there(stage, ID "/" YOUNG ".zip"));
    make_old(stage, ID "/" YOUNG ".zip");
    clock_ahead_s = -10 * OLD_S;
    expect_counts(stage, 0, 1, 0, 0);
}

static void it_can_be_stopped(void **state)
{
    const struct stage *stage = *state;
    struct sweep_counts counts;
    struct cancel *cancel;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" OLD ".zip", true);
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    cancel_raise(cancel);
    assert_int_equal(sweep_run(stage->store, SWEEP_S, cancel, &counts, &fault), 0);
    assert_true(there(stage, ID "/" OLD ".zip"));
    cancel_free(cancel);
}

static void a_store_that_cannot_be_read_is_a_fault(void **state)
{
    const struct stage *stage = *state;
    struct sweep_counts counts;
    struct cancel *cancel;
    struct fault fault;
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    refusal.flags = O_DIRECTORY;
    refusal.error_number = EMFILE;
    assert_int_equal(sweep_run(stage->store, SWEEP_S, cancel, &counts, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
    cancel_free(cancel);
}

/* --- sweeps and receipts --- */

static void what_a_sweep_that_died_has_hidden_is_judged_again(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    put_receipt(stage, NAMED ".zip");
    make_file(stage, ID "/.swept-" HIDDEN NAMED ".zip", true);
    make_file(stage, ID "/.swept-" HIDDEN OLD ".zip", true);
    make_file(stage, ID "/.swept-" HIDDEN YOUNG ".zip", false);
    expect_counts(stage, 0, 1, 0, 1);
    assert_true(there(stage, ID "/" NAMED ".zip"));
    assert_false(there(stage, ID "/.swept-" HIDDEN NAMED ".zip"));
    assert_false(there(stage, ID "/.swept-" HIDDEN OLD ".zip"));
    assert_true(there(stage, ID "/.swept-" HIDDEN YOUNG ".zip"));
}

static void one_that_cannot_be_read_keeps_every_bundle(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" OLD ".zip", true);
    make_folder(stage, ID "/receipt");
    expect_counts(stage, 0, 0, 0, 0);
    assert_true(there(stage, ID "/" OLD ".zip"));
}

static void that_of_another_attempt_or_of_none_keeps_no_bundle(void **state)
{
    static const char *const named[] = {NAMED ".zip", NULL};
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        put_receipt(stage, named[i]);
        make_file(stage, ID "/" OLD ".zip", true);
        expect_counts(stage, 0, 1, 0, 0);
        assert_int_equal(store_remove(stage->store, ID, "receipt", &fault), 0);
    }
}

static struct store_object *begun;

static void begin_receipt(const struct stage *stage)
{
    begun = begin_record(stage, A ".zip");
}

static void store_whole_receipt(const struct stage *stage)
{
    struct fault fault;
    assert_int_equal(store_receipt(stage, ID, A ".zip", &fault), 0);
}

static void fail_to_store_receipt(const struct stage *stage)
{
    struct fault fault;
    assert_int_equal(store_receipt(stage, ID, A ".zip", &fault), -1);
    assert_string_equal(fault.code, "bundle_gone");
}

static void a_receipt_in_the_making_keeps_its_bundle(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    begin_receipt(stage);
    expect_counts(stage, 0, 0, 0, 0);
    assert_int_equal(store_commit(begun, &fault), 0);
    expect_counts(stage, 0, 0, 0, 0);
    assert_true(there(stage, ID "/" A ".zip"));
}

static void one_that_was_swept_itself_cannot_be_committed(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    begin_receipt(stage);
    struct sweep_counts counts;
    struct cancel *cancel;
    assert_int_equal(cancel_new(&cancel, &fault), 0);
    /* whatever was written up to now is old */
    for (int i = 0; i < 2; i++)
        assert_int_equal(sweep_run(stage->store, -2, cancel, &counts, &fault), 0);
    cancel_free(cancel);
    assert_false(there(stage, ID "/" A ".zip"));
    assert_int_equal(store_commit(begun, &fault), -1);
    assert_string_equal(fault.code, "store_failed");
    assert_true(fault.retryable);
    assert_false(there(stage, ID "/receipt"));
}

static void a_receipt_begun_while_its_bundle_is_hidden_brings_it_back(void **state)
{
    const struct stage *stage = *state;
    struct fault fault;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.after = begin_receipt;
    expect_counts(stage, 0, 0, 0, 1);
    assert_true(there(stage, ID "/" A ".zip"));
    assert_int_equal(store_commit(begun, &fault), 0);
}

static void a_receipt_stored_before_its_bundle_is_hidden_brings_it_back(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.before = store_whole_receipt;
    expect_counts(stage, 0, 0, 0, 1);
    assert_true(there(stage, ID "/" A ".zip"));
    assert_true(there(stage, ID "/receipt"));
}

static void no_receipt_is_stored_of_a_hidden_bundle(void **state)
{
    const struct stage *stage = *state;
    make_folder(stage, ID);
    make_file(stage, ID "/" A ".zip", true);
    hiding.stage = stage;
    hiding.after = fail_to_store_receipt;
    expect_counts(stage, 0, 1, 0, 0);
    assert_false(there(stage, ID "/" A ".zip"));
    assert_false(there(stage, ID "/receipt"));
}

struct storer {
    const struct stage *stage;
    int number;
    bool stored[N_ROUNDS];
    bool wrong;
};

/* Each round is about a request of its own. */
static void name_request(char request[40], int storer, int round)
{
    snprintf(request, 40, "2c0e5a1e-0000-4000-8000-%06x%06x", (unsigned)storer, (unsigned)round);
}

static void *store_late(void *arg)
{
    struct storer *storer = arg;
    struct fault fault;
    for (int i = 0; i < N_ROUNDS; i++) {
        char request[40], bundle[96];
        name_request(request, storer->number, i);
        snprintf(bundle, sizeof bundle, "%s/" A ".zip", request);
        make_folder(storer->stage, request);
        make_file(storer->stage, bundle, true);
        storer->stored[i] = store_receipt(storer->stage, request, A ".zip", &fault) == 0;
        if (!storer->stored[i] && strcmp(fault.code, "bundle_gone") != 0)
            storer->wrong = true;
    }
    return NULL;
}

struct sweeper {
    const struct stage *stage;
    atomic_bool *done;
    struct sweep_counts sum;
};

static void *sweep_on(void *arg)
{
    struct sweeper *sweeper = arg;
    while (!atomic_load(sweeper->done)) {
        struct sweep_counts counts = sweep(sweeper->stage);
        sweeper->sum.n_unnamed += counts.n_unnamed;
        sweeper->sum.n_put_back += counts.n_put_back;
    }
    return NULL;
}

static void there_is_never_a_receipt_without_its_bundle(void **state)
{
    const struct stage *stage = *state;
    struct storer storers[N_STORERS] = {0};
    struct sweeper sweepers[N_SWEEPS] = {0};
    pthread_t storing[N_STORERS], sweeping[N_SWEEPS];
    atomic_bool done;
    atomic_init(&done, false);
    for (int i = 0; i < N_SWEEPS; i++) {
        sweepers[i] = (struct sweeper){.stage = stage, .done = &done};
        assert_int_equal(pthread_create(&sweeping[i], NULL, sweep_on, &sweepers[i]), 0);
    }
    for (int i = 0; i < N_STORERS; i++) {
        storers[i].stage = stage;
        storers[i].number = i;
        assert_int_equal(pthread_create(&storing[i], NULL, store_late, &storers[i]), 0);
    }
    for (int i = 0; i < N_STORERS; i++)
        pthread_join(storing[i], NULL);
    atomic_store(&done, true);
    for (int i = 0; i < N_SWEEPS; i++)
        pthread_join(sweeping[i], NULL);
    size_t n_stored = 0, n_unnamed = sweep(stage).n_unnamed;
    for (int i = 0; i < N_SWEEPS; i++)
        n_unnamed += sweepers[i].sum.n_unnamed;
    for (int i = 0; i < N_STORERS; i++) {
        assert_false(storers[i].wrong);
        for (int k = 0; k < N_ROUNDS; k++) {
            char request[40], receipt[96], bundle[96];
            name_request(request, i, k);
            snprintf(receipt, sizeof receipt, "%s/receipt", request);
            snprintf(bundle, sizeof bundle, "%s/" A ".zip", request);
            assert_int_equal(there(stage, receipt), storers[i].stored[k]);
            assert_int_equal(there(stage, bundle), storers[i].stored[k]);
            n_stored += storers[i].stored[k];
        }
    }
    assert_int_equal(n_stored + n_unnamed, N_STORERS * N_ROUNDS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, close_stage)
    const struct CMUnitTest tests[] = {
        TEST(what_was_never_finished_goes_when_it_is_old),
        TEST(a_bundle_goes_when_it_is_old_and_no_receipt_names_it),
        TEST(a_claim_goes_when_it_is_old),
        TEST(nothing_else_of_a_request_goes),
        TEST(what_others_keep_beside_it_stays),
        TEST(what_is_not_in_the_folder_of_a_request_stays),
        TEST(links_are_not_followed),
        TEST(it_needs_no_room_of_its_own),
        TEST(how_old_it_is_the_file_system_says),
        TEST(it_can_be_stopped),
        TEST(a_store_that_cannot_be_read_is_a_fault),
        TEST(what_a_sweep_that_died_has_hidden_is_judged_again),
        TEST(one_that_cannot_be_read_keeps_every_bundle),
        TEST(that_of_another_attempt_or_of_none_keeps_no_bundle),
        TEST(a_receipt_in_the_making_keeps_its_bundle),
        TEST(one_that_was_swept_itself_cannot_be_committed),
        TEST(a_receipt_begun_while_its_bundle_is_hidden_brings_it_back),
        TEST(a_receipt_stored_before_its_bundle_is_hidden_brings_it_back),
        TEST(no_receipt_is_stored_of_a_hidden_bundle),
        TEST(there_is_never_a_receipt_without_its_bundle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
