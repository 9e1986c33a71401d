#include "test_gather.h"

static void what_a_source_holds_is_in_the_archive(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD "," END "]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
    assert_int_equal(gather_result_records(&stage->result), 1);
    assert_string_equal(stage->result.sources[0].collections[0].entry, "shop/things.json");
    assert_asked(stage, 0, "fetch things email=alice@example.test\n");
    struct reader *reader = archive(stage);
    test_holds(reader, "shop/things.json", "[\n{}\n]\n", 7);
    reader_free(reader);
}

static void identities_come_in_waves_along_the_edges(void **state)
{
    static char billing[] = "billing", panel[] = "panel", client[] = "client_id", user[] = "username";
    struct stage *stage = *state;
    add(stage, "forum", HELLO("", THINGS("'username'")) "}");
    add(stage, "panel",
        HELLO("'resolve':{'needs':['client_id'],'yields':['username']},",
              THINGS("'username'")) ",'yields':{'client_id':[['username','alice1']]},'fetch':[[" RECORD
                                    "," END "]]}");
    add(stage, "billing",
        HELLO("'resolve':{'needs':['email'],'yields':['client_id']},",
              THINGS("'client_id'")) ",'yields':{'email':[['client_id','7']]},'fetch':[[" RECORD "," END
                                     "]]}");
    allow(stage, billing, client, "panel");
    allow(stage, panel, user, "billing");
    assert_int_equal(gather(stage), 0);
    /* nobody may tell the forum the username: it does not know the person, and was never asked */
    assert_source(stage, 0, SOURCE_NOT_FOUND, NULL);
    assert_asked(stage, 0, "");
    assert_source(stage, 1, SOURCE_COMPLETE, NULL);
    assert_source(stage, 2, SOURCE_COMPLETE, NULL);
    assert_int_equal(json_array_size(stage->found), 3);
    char text[2048];
    read_asked(stage, 1, text);
    assert_non_null(strstr(text, "resolve email=alice@example.test client_id=7\n"));
    assert_non_null(strstr(text, "fetch things email=alice@example.test client_id=7 username=alice1\n"));
}

static void what_a_failed_source_would_have_named_is_a_gap(void **state)
{
    static char billing[] = "billing", panel[] = "panel", client[] = "client_id", user[] = "username";
    struct stage *stage = *state;
    /* it names one client, then breaks off: that one is forgotten, so that nothing seems complete that is not
     */
    add(stage, "billing",
        HELLO("'resolve':{'needs':['email'],'yields':['client_id']},",
              THINGS("'client_id'")) ",'yields':{'email':[['client_id','7']]},'resolve':['crash']}");
    add(stage, "panel",
        HELLO("'resolve':{'needs':['client_id'],'yields':['username']},", THINGS("'client_id'")) "}");
    add(stage, "forum", HELLO("", THINGS("'username'")) "}");
    add(stage, "mail",
        HELLO(
            "",
            THINGS(
                "'email'") ",{'name':'more','title':'More','category':'lies','needs':['client_id']}") ",'"
                                                                                                      "fetch'"
                                                                                                      ":["
                                                                                                      "[" RECORD
                                                                                                      "," END
                                                                                                      "]]}");
    allow(stage, billing, client, "panel");
    allow(stage, panel, user, "forum");
    allow(stage, billing, client, "mail");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "source_crashed");
    assert_source(stage, 1, SOURCE_FAILED, "upstream_unresolved");
    assert_source(stage, 2, SOURCE_FAILED, "upstream_unresolved");
    assert_source(stage, 3, SOURCE_PARTIAL, "upstream_unresolved");
    assert_int_equal(json_array_size(stage->found), 1);
    assert_asked(stage, 1, "");
    assert_false(gather_result_complete(&stage->result));
}

static void two_people_who_fit_end_the_request(void **state)
{
    struct stage *stage = *state;
    add(stage, "billing",
        HELLO("'resolve':{'needs':['email'],'yields':['client_id']},",
              THINGS("'client_id'")) ",'yields':{'email':[['client_id','7'],['client_id','8'],['client_id','"
                                     "9']]}}");
    assert_int_equal(gather(stage), -1);
    assert_string_equal(stage->fault.code, "ambiguous");
    assert_null(strstr(stage->fault.text, "9"));
}

static void a_kind_that_was_not_announced_is_refused(void **state)
{
    struct stage *stage = *state;
    add(stage, "billing",
        HELLO("'resolve':{'needs':['email'],'yields':['client_id']},",
              THINGS("'email'")) ",'yields':{'email':[['username','root']]}}");
    add(stage, "panel",
        HELLO("'resolve':{'needs':['email'],'yields':['email']},",
              THINGS("'email'")) ",'yields':{'email':[['email','mallory@example.test']]}}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "identity_refused");
    assert_source(stage, 1, SOURCE_FAILED, "identity_refused");
    assert_int_equal(json_array_size(stage->found), 1);
}

static void a_source_that_fails_is_asked_again_and_may_succeed(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD ",'crash'],[" RECORD "," END "]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
    assert_int_equal(gather_result_records(&stage->result), 1);
}

static void a_source_that_cannot_be_mended_is_asked_once(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop",
        HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD "," FAILED("forbidden", "false") "]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "forbidden");
    assert_asked(stage, 0, "fetch things email=alice@example.test\n");
}

static void a_source_that_fails_leaves_no_trace(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop",
        HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD
                                     ",{'type':'file','collection':'things','file':'1','name':'a.txt','media_"
                                     "type':'text/plain','more':false,"
                                     "'payload':'x'},{'type':'withheld','collection':'things','count':3,'"
                                     "reason':'trade'},'crash']]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_FAILED, "source_crashed");
    assert_int_equal(stage->result.sources[0].n_collections, 0);
    json_t *withheld = ledger_json(stage->result.withheld);
    assert_int_equal(json_array_size(withheld), 0);
    json_decref(withheld);
    struct reader *reader = archive(stage);
    assert_int_equal(reader_n_entries(reader), 1);
    assert_string_equal(reader_name(reader, 0), "extra");
    reader_free(reader);
}

static void one_collection_may_fail_alone(void **state)
{
    struct stage *stage = *state;
    add(stage, "shop",
        HELLO(
            "",
            THINGS(
                "'email'") ",{'name':'more','title':'More','category':'lies'}") ",'fetch':[[" RECORD
                                                                                ",{'type':'record','"
                                                                                "collection':'more','payload'"
                                                                                ":'{}'},"
                                                                                "{'type':'file','collection':"
                                                                                "'more','file':'1','name':'a."
                                                                                "txt','media_type':'text/"
                                                                                "plain','more':false,"
                                                                                "'payload':'x'},"
                                                                                "{'type':'file','collection':"
                                                                                "'things','file':'2','name':'"
                                                                                "B.PDF','media_type':'text/"
                                                                                "plain','more':true,"
                                                                                "'payload':'y'},"
                                                                                "{'type':'file','collection':"
                                                                                "'things','file':'2','more':"
                                                                                "false,'payload':'z'},"
                                                                                "{'type':'end','collection':'"
                                                                                "more','status':'failed','"
                                                                                "code':'gone','text':'gone'},"
                                                                                "{'type':'end','collection':'"
                                                                                "things','status':'partial','"
                                                                                "count':2,'code':'cut','text'"
                                                                                ":'cut'}]]}");
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_PARTIAL, "gone");
    const struct source_result *source = &stage->result.sources[0];
    assert_int_equal(source->n_collections, 2);
    assert_int_equal(source->collections[0].status, SOURCE_PARTIAL);
    assert_string_equal(source->collections[0].files, "shop/files.json");
    assert_int_equal(source->collections[1].status, SOURCE_FAILED);
    assert_int_equal(source->collections[1].n_records + source->collections[1].n_files, 0);
    assert_null(source->collections[1].entry);
    struct reader *reader = archive(stage);
    assert_int_equal(reader_n_entries(reader), 4);
    test_holds(reader, "shop/files/0002.pdf", "yz", 2);
    assert_true(test_find(reader, "shop/things.json") < 4);
    assert_true(test_find(reader, "shop/files.json") < 4);
    reader_free(reader);
}

static void reasons_are_bounded(void **state)
{
    struct stage *stage = *state;
    static char play[16384];
    const size_t max = 64;
    for (size_t more = 0; more < 2; more++) {
        char name[16];
        size_t len = (size_t)snprintf(play, sizeof play, "%s,'fetch':[[", HELLO("", THINGS("'email'")));
        for (size_t i = 0; i < max + more; i++)
            len +=
                (size_t)snprintf(play + len, sizeof play - len,
                                 "{'type':'withheld','collection':'things','count':1,'reason':'r%zu'},", i);
        snprintf(play + len, sizeof play - len,
                 "{'type':'end','collection':'things','status':'complete','count':0}]]}");
        snprintf(name, sizeof name, "shop%zu", more);
        add(stage, name, play);
    }
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
    assert_source(stage, 1, SOURCE_FAILED, "source_protocol");
}

static void what_breaks_the_protocol_is_the_sources_fault(void **state)
{
    static const char *const bad[] = {
        "{'type':'surprise'}",
        "{'type':'record','collection':'secrets','payload':'{}'}",
        "{'type':'record','collection':'things','count':2,'payload':'{}'}",
        "{'type':'record','collection':'things','count':0,'payload':'{}'}",
        "{'type':'record','collection':'things'}",
        "{'type':'record','collection':'things','payload':'{'}," END,
        "{'type':'end','collection':'things','status':'complete','count':7}",
        "{'type':'end','collection':'things','status':'done','count':0}",
        "{'type':'end','collection':'things','status':'complete','count':0},"
        "{'type':'end','collection':'things','status':'complete','count':0}",
        RECORD ",{'type':'end','collection':'things','status':'absent','count':1}",
        "{'type':'withheld','collection':'things','count':0,'reason':'x'}",
        "{'type':'file','collection':'things','file':'1','more':true,'payload':'x'}",
        "{'type':'file','collection':'things','file':'1','name':'a','media_type':'b','more':true,'payload':'"
        "x'},"
        "{'type':'file','collection':'things','file':'2','name':'a','media_type':'b','more':true,'payload':'"
        "x'}",
        "{'type':'file','collection':'things','file':'1','name':'a','media_type':'b','more':true,'payload':'"
        "x'},"
        "{'type':'end','collection':'things','status':'complete','count':0}",
        RECORD, /* no end */
        "{'type':'done','status':'perhaps'}",
        RECORD "," END ",{'type':'done','status':'not_found'}",
    };
    struct stage *stage = *state;
    for (size_t first = 0; first < sizeof bad / sizeof *bad; first += SOURCES_MAX) {
        for (size_t i = first; i < first + SOURCES_MAX && i < sizeof bad / sizeof *bad; i++) {
            char play[1024], name[16];
            snprintf(play, sizeof play, "%s,'fetch':[[%s]]}", HELLO("", THINGS("'email'")), bad[i]);
            snprintf(name, sizeof name, "shop%zu", i);
            add(stage, name, play);
        }
        size_t n = stage->config.n_sources;
        assert_int_equal(gather(stage), 0);
        for (size_t i = 0; i < n; i++) {
            const char *code = stage->result.sources[i].gap_code;
            assert_int_equal(stage->result.sources[i].status, SOURCE_FAILED);
            assert_true(strcmp(code, "source_protocol") == 0 || strcmp(code, "bad_record") == 0);
        }
        struct stage *old = stage;
        void *next;
        assert_int_equal(set_up(&next), 0);
        stage = next;
        *state = stage;
        void *done = old;
        assert_int_equal(tear_down(&done), 0);
    }
}

static void no_source_ends_the_request_by_its_words(void **state)
{
    static const char *const codes[] = {"cancelled", "no_memory", "ambiguous", "no_process"};
    struct stage *stage = *state;
    for (size_t i = 0; i < 4; i++) {
        char play[1024], name[16];
        snprintf(play, sizeof play,
                 "%s,'fetch':[[{'type':'done','status':'failed','code':'%s','retryable':false}]]}",
                 HELLO("", THINGS("'email'")), codes[i]);
        snprintf(name, sizeof name, "shop%zu", i);
        add(stage, name, play);
    }
    assert_int_equal(gather(stage), 0);
    for (size_t i = 0; i < 4; i++)
        assert_source(stage, i, SOURCE_FAILED, "source_failed");
}

static void a_reason_that_must_be_cut_stays_text(void **state)
{
    struct stage *stage = *state;
    char play[2048], text[900];
    size_t len = 0;
    for (size_t i = 0; i < 140; i++) /* the euro sign, three bytes */
        len += (size_t)snprintf(text + len, sizeof text - len, "%s", "\xe2\x82\xac");
    snprintf(play, sizeof play,
             "%s,'fetch':[[{'type':'done','status':'failed','code':'down','text':'%s','retryable':false}]]}",
             HELLO("", THINGS("'email'")), text);
    add(stage, "shop", play);
    assert_int_equal(gather(stage), 0);
    json_t *reason = json_string(stage->result.sources[0].gap_text);
    assert_non_null(reason);
    json_decref(reason);
}

static void the_scope_decides_who_is_asked(void **state)
{
    static const char *names[] = {"shop", "other"}, *categories[] = {"lies"};
    struct stage *stage = *state;
    add(stage, "shop",
        HELLO("",
              THINGS("'email'") ",{'name':'more','title':'More','category':'truths'}") ",'fetch':[[" RECORD
                                                                                       "," END "]]}");
    add(stage, "forum", HELLO("", THINGS("'email'")) "}");
    add(stage, "other", HELLO("", "{'name':'more','title':'More','category':'truths'}") "}");
    stage->request.sources = (struct request_names){names, 2};
    stage->request.categories = (struct request_names){categories, 1};
    assert_int_equal(gather(stage), 0);
    assert_source(stage, 0, SOURCE_COMPLETE, NULL);
    assert_source(stage, 1, SOURCE_SKIPPED, NULL);
    assert_source(stage, 2, SOURCE_SKIPPED, NULL);
    assert_asked(stage, 0, "fetch things email=alice@example.test\n");
    assert_asked(stage, 1, "");
    assert_asked(stage, 2, "");
}

static void cancelling_ends_a_fetch(void **state)
{
    struct stage *stage = *state;
    pthread_t other;
    add(stage, "shop", HELLO("", THINGS("'email'")) ",'fetch':[[" RECORD ",'hang']]}");
    stage->sources[0].max_concurrent = 1;
    assert_int_equal(pthread_create(&other, NULL, cancel_once_asked, stage), 0);
    int64_t before_ms = clock_now_ms();
    assert_int_equal(gather(stage), -1);
    assert_string_equal(stage->fault.code, "cancelled");
    assert_in_range(clock_now_ms() - before_ms, 0, 15000);
    pthread_join(other, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_a_source_holds_is_in_the_archive),
        TEST(identities_come_in_waves_along_the_edges),
        TEST(what_a_failed_source_would_have_named_is_a_gap),
        TEST(two_people_who_fit_end_the_request),
        TEST(a_kind_that_was_not_announced_is_refused),
        TEST(a_source_that_fails_is_asked_again_and_may_succeed),
        TEST(a_source_that_cannot_be_mended_is_asked_once),
        TEST(a_source_that_fails_leaves_no_trace),
        TEST(one_collection_may_fail_alone),
        TEST(reasons_are_bounded),
        TEST(what_breaks_the_protocol_is_the_sources_fault),
        TEST(no_source_ends_the_request_by_its_words),
        TEST(a_reason_that_must_be_cut_stays_text),
        TEST(the_scope_decides_who_is_asked),
        TEST(cancelling_ends_a_fetch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
