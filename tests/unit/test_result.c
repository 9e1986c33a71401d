#include "test_report_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void statuses_are_named_as_in_manifest_and_events(void **state)
{
    assert_string_equal(source_status_name(SOURCE_COMPLETE), "complete");
    assert_string_equal(source_status_name(SOURCE_PARTIAL), "partial");
    assert_string_equal(source_status_name(SOURCE_NOT_FOUND), "not_found");
    assert_string_equal(source_status_name(SOURCE_FAILED), "failed");
    assert_string_equal(source_status_name(SOURCE_SKIPPED), "skipped");
}

static void sums_run_over_all_collections(void **state)
{
    struct facts facts;
    facts_init(&facts);
    assert_int_equal(gather_result_records(&facts.result), 0);
    struct source_result *billing = facts_source(&facts, "billing", "Billing", SOURCE_COMPLETE);
    facts_records(&facts, facts_collection(billing, "invoices", "Invoices", SOURCE_COMPLETE),
                  "billing/invoices.json", ",\n{\"id\":1},\n{\"id\":2}");
    facts_collection(billing, "orders", "Orders", SOURCE_COMPLETE)->n_files = 3;
    struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
    facts_records(&facts, facts_collection(forum, "posts", "Posts", SOURCE_COMPLETE), "forum/posts.json",
                  ",\n{\"id\":1}");
    assert_int_equal(gather_result_records(&facts.result), 3);
    assert_int_equal(gather_result_files(&facts.result), 3);
    facts_wipe(&facts);
}

static void a_result_is_complete_when_every_asked_source_answered(void **state)
{
    static const struct {
        enum source_status status;
        bool complete;
    } cases[] = {{SOURCE_COMPLETE, true},
                 {SOURCE_NOT_FOUND, true},
                 {SOURCE_SKIPPED, true},
                 {SOURCE_PARTIAL, false},
                 {SOURCE_FAILED, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts facts;
        facts_init(&facts);
        facts_source(&facts, "billing", "Billing", SOURCE_COMPLETE);
        facts_source(&facts, "forum", "Forum", cases[i].status);
        assert_int_equal(gather_result_complete(&facts.result), cases[i].complete);
        facts_wipe(&facts);
    }
}

static void wiping_gives_the_previews_bytes_back(void **state)
{
    struct facts facts;
    facts_init(&facts);
    struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
    facts_records(&facts, facts_collection(forum, "posts", "Posts", SOURCE_COMPLETE), "forum/posts.json",
                  ",\n{\"id\":1}");
    assert_int_equal(atomic_load(&facts.budget.left_bytes), PREVIEW_BUDGET_BYTES - strlen("{\"id\":1}"));
    source_result_clear(forum);
    assert_int_equal(forum->n_collections, 0);
    assert_string_equal(forum->title, "Forum");
    assert_int_equal(atomic_load(&facts.budget.left_bytes), PREVIEW_BUDGET_BYTES);
    facts_wipe(&facts);
    assert_int_equal(facts.result.n_sources, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_are_named_as_in_manifest_and_events),
        cmocka_unit_test(sums_run_over_all_collections),
        cmocka_unit_test(a_result_is_complete_when_every_asked_source_answered),
        cmocka_unit_test(wiping_gives_the_previews_bytes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
