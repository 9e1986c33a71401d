/* What is swept, and what stays. */
#include "test_sweep.h"

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

int main(void)
{
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
