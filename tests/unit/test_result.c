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

static void another_attempt_helps_if_it_may_mend_one_gap(void **state)
{
    struct facts facts;
    facts_init(&facts);
    assert_false(gather_result_retryable(&facts.result));
    facts_source(&facts, "billing", "Billing", SOURCE_COMPLETE);
    facts_source(&facts, "forum", "Forum", SOURCE_FAILED);
    assert_false(gather_result_retryable(&facts.result));
    facts_source(&facts, "panel", "Panel", SOURCE_PARTIAL)->gap_retryable = true;
    facts_source(&facts, "mail", "Mail", SOURCE_SKIPPED);
    assert_true(gather_result_retryable(&facts.result));
    facts_wipe(&facts);
}

static void one_source_is_enough_for_an_answer(void **state)
{
    static const struct {
        enum source_status status;
        bool answered;
    } cases[] = {{SOURCE_COMPLETE, true},
                 {SOURCE_PARTIAL, true},
                 {SOURCE_NOT_FOUND, true},
                 {SOURCE_FAILED, false},
                 {SOURCE_SKIPPED, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts facts;
        facts_init(&facts);
        assert_false(gather_result_answered(&facts.result));
        facts_source(&facts, "billing", "Billing", SOURCE_FAILED);
        facts_source(&facts, "mail", "Mail", SOURCE_SKIPPED);
        facts_source(&facts, "forum", "Forum", cases[i].status);
        assert_int_equal(gather_result_answered(&facts.result), cases[i].answered);
        facts_wipe(&facts);
    }
}

static void an_answer_is_moved_without_the_names(void **state)
{
    struct facts facts;
    facts_init(&facts);
    struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_FAILED);
    struct source_result answer = {.status = SOURCE_PARTIAL, .gap_retryable = true, .retry_after_ms = 7};
    facts_gap(&answer.gap_code, &answer.gap_text, "down", "it is down");
    source_result_clear(forum);
    source_result_move(forum, &answer);
    assert_string_equal(forum->name, "forum");
    assert_string_equal(forum->title, "Forum");
    assert_string_equal(forum->gap_code, "down");
    assert_int_equal(forum->status, SOURCE_PARTIAL);
    assert_true(forum->gap_retryable);
    assert_int_equal(forum->retry_after_ms, 7);
    assert_null(answer.gap_code);
    assert_null(answer.gap_text);
    facts_wipe(&facts);
}

static void a_source_is_as_good_as_its_collections(void **state)
{
    static const struct {
        enum source_status of[2], source;
        const char *gap;
    } cases[] = {
        {{SOURCE_COMPLETE, SOURCE_COMPLETE}, SOURCE_COMPLETE, NULL},
        {{SOURCE_COMPLETE, SOURCE_NOT_FOUND}, SOURCE_COMPLETE, NULL},
        {{SOURCE_NOT_FOUND, SOURCE_NOT_FOUND}, SOURCE_NOT_FOUND, NULL},
        {{SOURCE_COMPLETE, SOURCE_FAILED}, SOURCE_PARTIAL, "second"},
        {{SOURCE_PARTIAL, SOURCE_FAILED}, SOURCE_PARTIAL, "second"},
        {{SOURCE_PARTIAL, SOURCE_COMPLETE}, SOURCE_PARTIAL, "first"},
        {{SOURCE_FAILED, SOURCE_FAILED}, SOURCE_FAILED, "second"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct facts facts;
        struct fault fault;
        facts_init(&facts);
        struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
        for (size_t k = 0; k < 2; k++) {
            struct collection_result *collection =
                facts_collection(forum, k ? "b" : "a", "x", cases[i].of[k]);
            if (cases[i].of[k] == SOURCE_PARTIAL || cases[i].of[k] == SOURCE_FAILED)
                facts_gap(&collection->gap_code, &collection->gap_text, k ? "second" : "first", "no");
        }
        assert_int_equal(source_result_sum_up(forum, &fault), 0);
        assert_int_equal(forum->status, cases[i].source);
        if (cases[i].gap)
            assert_string_equal(forum->gap_code, cases[i].gap);
        else
            assert_null(forum->gap_code);
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
        cmocka_unit_test(another_attempt_helps_if_it_may_mend_one_gap),
        cmocka_unit_test(one_source_is_enough_for_an_answer),
        cmocka_unit_test(an_answer_is_moved_without_the_names),
        cmocka_unit_test(a_source_is_as_good_as_its_collections),
        cmocka_unit_test(wiping_gives_the_previews_bytes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
