#include "test_gather.h"

#include "gather/parts.h"

#define MORE "{'name':'more','title':'More','category':'lies','needs':['email']}"

/* A record that says at which try it was given. */
#define RECORD_OF(try) "{'type':'record','collection':'things','payload':'{\\u0022try\\u0022:" try "}'}"
#define FILE_OF(try)                                                                                         \
    "{'type':'file','collection':'things','file':'1','name':'a.txt','media_type':'text/plain','more':false," \
    "'payload':'" try "'}"
#define WITHHELD "{'type':'withheld','collection':'things','count':2,'reason':'trade_secret'}"
#define THINGS_END(status, more)                                                                             \
    "{'type':'end','collection':'things','status':'" status "','count':2" more "}"
#define MORE_END(status, more) "{'type':'end','collection':'more','status':'" status "','count':0" more "}"
#define CODE(code, retryable)  ",'code':'" code "','text':'no','retryable':" retryable
#define DONE(more)             "{'type':'done','status':'ok'" more "}"

/* Things are there, with a record, a file and something withheld; the rest failed. */
#define IN_PART(try)                                                                                         \
    RECORD_OF(try)                                                                                           \
    "," FILE_OF(try) "," WITHHELD "," THINGS_END("complete", "") "," MORE_END("failed", CODE("busy", "tru"   \
                                                                                                     "e"))
#define WHOLE(try)                                                                                           \
    RECORD_OF(try) "," FILE_OF(try) "," WITHHELD "," THINGS_END("complete", "") "," MORE_END("complete", "")
#define NOTHING THINGS_END("failed", CODE("down", "true")) "," MORE_END("failed", CODE("down", "true"))

static void ask_shop(struct stage *stage, const char *tries)
{
    char play[8192];
    snprintf(play, sizeof play, "%s,'fetch':[%s]}", HELLO("", THINGS("'email'") "," MORE), tries);
    add(stage, "shop", play);
    assert_int_equal(gather(stage), 0);
}

/* The bundle holds what the shop gave at try `kept`, and nothing else of it; so do ledger and preview. */
static void assert_kept(struct stage *stage, char kept)
{
    const struct source_result *shop = &stage->result.sources[0];
    const struct collection_result *things = &shop->collections[0];
    char record[32], array[32];
    const char *shown;
    size_t len;
    snprintf(record, sizeof record, "{\"try\":%c}", kept);
    snprintf(array, sizeof array, "[\n%s\n]\n", record);
    assert_int_equal(shop->n_collections, 2);
    assert_int_equal(things->n_records, 1);
    assert_int_equal(things->n_files, 1);
    assert_int_equal(preview_n_records(things->preview), 1);
    preview_record(things->preview, 0, &shown, &len);
    assert_int_equal(len, strlen(record));
    assert_memory_equal(shown, record, len);
    assert_int_equal(atomic_load(&stage->previews.left_bytes), PREVIEW_BUDGET_BYTES - len);
    json_t *withheld = ledger_json(stage->result.withheld);
    assert_int_equal(json_array_size(withheld), 1);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(withheld, 0), "count")), 2);
    json_decref(withheld);
    struct reader *reader = archive(stage);
    assert_int_equal(reader_n_entries(reader), 4);
    test_holds(reader, "shop/things.json", array, strlen(array));
    test_holds(reader, "shop/files/0001.txt", &kept, 1);
    assert_true(test_find(reader, "shop/files.json") < 4);
    reader_free(reader);
}

static void assert_gap(const struct stage *stage, size_t i, enum source_status status, const char *code,
                       bool retryable)
{
    assert_source(stage, i, status, code);
    assert_int_equal(stage->result.sources[i].gap_retryable, retryable);
}

static void what_came_in_part_stays_when_the_next_try_fails(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" RECORD_OF("2") "," FILE_OF("2") ",'crash']");
    assert_int_equal(count_asked(stage, 0), 2);
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '1');
}

static void a_whole_answer_takes_the_place_of_a_part(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" WHOLE("2") "]");
    assert_gap(stage, 0, SOURCE_COMPLETE, NULL, false);
    assert_kept(stage, '2');
}

static void an_answer_as_good_takes_the_place_of_the_old(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" IN_PART("2") "]");
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '2');
}

static void one_with_as_many_gaps_that_holds_less_does_not(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" RECORD_OF(
                        "2") ",{'type':'end','collection':'things','status':'complete','count':1}"
                             "," MORE_END("failed", CODE("busy", "true")) "]");
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '1');
}

static void a_worse_answer_does_not(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" NOTHING "]");
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '1');
}

static void the_best_of_many_tries_is_kept(void **state)
{
    struct stage *stage = *state;
    stage->config.retry.attempts = 5;
    ask_shop(stage, "['crash'],[" NOTHING "],[" IN_PART("3") "],[" NOTHING "],['crash']");
    assert_int_equal(count_asked(stage, 0), 5);
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '3');
}

static void the_last_try_says_whether_another_may_help(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[" IN_PART("1") "],[" FAILED("forbidden", "false") "]");
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", false);
    assert_kept(stage, '1');
}

static void what_is_held_may_leave_no_room_for_another_answer(void **state)
{
    struct stage *stage = *state;
    stage->entries_max = 4; /* record, file, index; and one more */
    ask_shop(stage, "[" IN_PART("1") "],[" WHOLE("2") "]");
    assert_int_equal(count_asked(stage, 0), 2);
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_kept(stage, '1');
}

static void a_gap_says_whether_another_attempt_may_mend_it(void **state)
{
    struct stage *stage = *state;
    add(stage, "crashes", HELLO("", THINGS("'email'")) ",'fetch':[['crash']]}");
    add(stage, "refuses", HELLO("", THINGS("'email'")) ",'fetch':[[" FAILED("forbidden", "false") "]]}");
    add(stage, "partial", HELLO("", THINGS("'email'") "," MORE) ",'fetch':[[" IN_PART("1") "]]}");
    add(stage, "cut",
        HELLO("", THINGS("'email'") "," MORE) ",'fetch':[[" RECORD_OF("1") "," FILE_OF("1") "," THINGS_END(
            "partial", CODE("cut", "false")) "," MORE_END("complete", "") "]]}");
    assert_int_equal(gather(stage), 0);
    assert_gap(stage, 0, SOURCE_FAILED, "source_crashed", true);
    assert_gap(stage, 1, SOURCE_FAILED, "forbidden", false);
    assert_gap(stage, 2, SOURCE_PARTIAL, "busy", true);
    assert_gap(stage, 3, SOURCE_PARTIAL, "cut", false);
    assert_true(gather_result_retryable(&stage->result));
    assert_true(gather_result_answered(&stage->result));
}

/* Who is asked with client_id waits for both, who may each name it. */
static void ask_behind_two(struct stage *stage, const char *one, const char *other)
{
    static char client[] = "client_id", first[] = "one", second[] = "other";
    char play[2][1024];
    const char *const fail[] = {one, other};
    for (size_t i = 0; i < 2; i++) {
        snprintf(play[i], sizeof play[i], "%s,'resolve':[%s]}",
                 HELLO("'resolve':{'needs':['email'],'yields':['client_id']},", THINGS("'client_id'")),
                 fail[i]);
        add(stage, i ? second : first, play[i]);
    }
    add(stage, "panel", HELLO("", THINGS("'client_id'")) "}");
    allow(stage, first, client, "panel");
    allow(stage, second, client, "panel");
    assert_int_equal(gather(stage), 0);
    assert_asked(stage, 2, "");
}

static void a_gap_behind_another_source_is_like_that_one(void **state)
{
    struct stage *stage = *state;
    ask_behind_two(stage, FAILED("forbidden", "false"), FAILED("forbidden", "false"));
    assert_gap(stage, 0, SOURCE_FAILED, "forbidden", false);
    assert_gap(stage, 2, SOURCE_FAILED, "upstream_unresolved", false);
    assert_false(gather_result_retryable(&stage->result));
    assert_false(gather_result_answered(&stage->result));
}

static void one_that_may_answer_later_is_hope_enough(void **state)
{
    struct stage *stage = *state;
    ask_behind_two(stage, FAILED("forbidden", "false"),
                   "{'type':'done','status':'failed','code':'down','text':'no','retryable':true,"
                   "'retry_after_ms':600000}");
    assert_gap(stage, 0, SOURCE_FAILED, "forbidden", false);
    assert_gap(stage, 1, SOURCE_FAILED, "down", true);
    assert_gap(stage, 2, SOURCE_FAILED, "upstream_unresolved", true);
    assert_int_equal(stage->result.sources[1].retry_after_ms, 600000);
    assert_int_equal(stage->result.sources[2].retry_after_ms, 600000);
    assert_int_equal(stage->result.sources[0].retry_after_ms, 0);
}

static void a_source_is_left_alone_for_as_long_as_it_asks(void **state)
{
    struct stage *stage = *state;
    stage->config.retry.max_ms = 400;
    int64_t before_ms = clock_now_ms();
    ask_shop(stage, "[" IN_PART("1") "," DONE(",'retry_after_ms':400") "],[" WHOLE("2") "]");
    assert_true(clock_now_ms() - before_ms >= 400);
    assert_gap(stage, 0, SOURCE_COMPLETE, NULL, false);
    assert_int_equal(stage->result.sources[0].retry_after_ms, 0);
}

static void one_that_asks_for_longer_is_not_asked_again_in_place(void **state)
{
    struct stage *stage = *state;
    stage->config.retry.max_ms = 400;
    int64_t before_ms = clock_now_ms();
    ask_shop(stage, "[" IN_PART("1") "," DONE(",'retry_after_ms':60000") "],[" WHOLE("2") "]");
    assert_in_range(clock_now_ms() - before_ms, 0, 30000);
    assert_int_equal(count_asked(stage, 0), 1);
    assert_gap(stage, 0, SOURCE_PARTIAL, "busy", true);
    assert_int_equal(stage->result.sources[0].retry_after_ms, 60000);
}

static void nobody_is_left_alone_for_more_than_six_hours(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[{'type':'done','status':'failed','code':'down','text':'no','retryable':true,"
                    "'retry_after_ms':999999999}]");
    assert_gap(stage, 0, SOURCE_FAILED, "down", true);
    assert_int_equal(stage->result.sources[0].retry_after_ms, 6 * 3600 * 1000);
}

static void a_gap_that_stays_has_no_time(void **state)
{
    struct stage *stage = *state;
    ask_shop(stage, "[{'type':'done','status':'failed','code':'forbidden','text':'no','retryable':false,"
                    "'retry_after_ms':1000}]");
    assert_gap(stage, 0, SOURCE_FAILED, "forbidden", false);
    assert_int_equal(stage->result.sources[0].retry_after_ms, 0);
}

static void only_the_sources_own_failures_count_against_it(void **state)
{
    static const struct {
        const char *code;
        bool retryable;
        enum breaker_verdict verdict;
    } cases[] = {
        {"source_unreachable", true, BREAKER_FAILED}, {"source_crashed", true, BREAKER_FAILED},
        {"source_silent", true, BREAKER_FAILED},      {"source_timeout", true, BREAKER_FAILED},
        {"source_refused", false, BREAKER_ANSWERED},  {"source_protocol", false, BREAKER_ANSWERED},
        {"bad_record", false, BREAKER_ANSWERED},      {"cancelled", false, BREAKER_UNDECIDED},
        {"no_memory", true, BREAKER_UNDECIDED},       {"no_descriptor", true, BREAKER_UNDECIDED},
        {"no_process", true, BREAKER_UNDECIDED},      {"source_start", true, BREAKER_UNDECIDED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        fault_set(&fault, cases[i].code, "no");
        fault.retryable = cases[i].retryable;
        assert_int_equal(part_verdict(&fault), cases[i].verdict);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_came_in_part_stays_when_the_next_try_fails),
        TEST(a_whole_answer_takes_the_place_of_a_part),
        TEST(an_answer_as_good_takes_the_place_of_the_old),
        TEST(one_with_as_many_gaps_that_holds_less_does_not),
        TEST(a_worse_answer_does_not),
        TEST(the_best_of_many_tries_is_kept),
        TEST(the_last_try_says_whether_another_may_help),
        TEST(what_is_held_may_leave_no_room_for_another_answer),
        TEST(a_gap_says_whether_another_attempt_may_mend_it),
        TEST(a_gap_behind_another_source_is_like_that_one),
        TEST(one_that_may_answer_later_is_hope_enough),
        TEST(a_source_is_left_alone_for_as_long_as_it_asks),
        TEST(one_that_asks_for_longer_is_not_asked_again_in_place),
        TEST(nobody_is_left_alone_for_more_than_six_hours),
        TEST(a_gap_that_stays_has_no_time),
        cmocka_unit_test(only_the_sources_own_failures_count_against_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
