#include "../../connectors/rest/request.h"
#include "../../connectors/rest/tests.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Everything that a request is built from, and what came of it. */
struct fixture {
    json_t *step_json;
    json_t *declared;
    json_t *needs;
    json_t *settings;
    json_t *secrets;
    struct tree *record;
    struct request request;
    struct dsar_error error;
};

static json_t *json(const char *text)
{
    json_error_t at;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &at);
    if (!value)
        fail_msg("%s: %s", text, at.text);
    return value;
}

static void begin(struct fixture *fixture, const char *request)
{
    static const char record[] =
        "{\"n\":12,\"e\":\"\",\"z\":null,\"blank\":\" \",\"name\":\"m\u00fcller &+=\"}";
    struct fault fault;
    char text[2048];
    snprintf(text, sizeof text, "{\"request\":%s,\"records\":\"/r\",\"unasserted\":\"a test\"}", request);
    fixture->step_json = json(text);
    fixture->declared =
        json("[{\"name\":\"token\",\"kind\":\"secret\"},{\"name\":\"key\",\"kind\":\"secret\"},"
             "{\"name\":\"user\",\"kind\":\"text\"},{\"name\":\"n\",\"kind\":\"integer\"},{\"name\":"
             "\"blank\",\"kind\":\"text\"}]");
    fixture->needs = json("{\"id\":\"text\"}");
    fixture->settings = json("{\"user\":\"root\",\"n\":7,\"blank\":\" \"}");
    fixture->secrets = json("{\"token\":\"t&k=n\"}");
    assert_int_equal(tree_parse(&fixture->record, record, strlen(record), 1 << 20, &fault), 0);
    request_init(&fixture->request);
}

static void end(struct fixture *fixture)
{
    json_decref(fixture->step_json);
    json_decref(fixture->declared);
    json_decref(fixture->needs);
    json_decref(fixture->settings);
    json_decref(fixture->secrets);
    tree_free(fixture->record);
    request_wipe(&fixture->request);
}

/* Builds the request for the identity `id`; what follows the pages is in `at`. */
static int build(struct fixture *fixture, const char *id, const struct page_at *at)
{
    const struct scope scope = {fixture->declared, fixture->needs, .n_records = 1};
    const struct dsar_identity item = {"id", id};
    const struct dsar_identities identities = {&item, id ? 1 : 0};
    const struct sources sources = {
        .settings = fixture->settings,
        .secrets = fixture->secrets,
        .bound = &identities,
        .known = &identities,
        .record = tree_root(fixture->record),
    };
    struct step step;
    if (step_read(&step, &(struct step_plan){fixture->step_json, STEP_COLLECTION, "/step"}, &scope,
                  &fixture->error))
        fail_msg("%s", fixture->error.text);
    return request_build(&fixture->request, &step, &sources, at, &fixture->error);
}

static const struct page_at at_start = {.skip = 0};

static void values_are_encoded_and_never_mixed(void **state)
{
    struct fixture f;
    begin(&f, "{\"method\":\"POST\",\"path\":[\"a "
              "b\",{\"record\":\"/name\"}],\"query\":{\"q[0]\":{\"id\":\"id\"},\"v\":1},"
              "\"form\":{\"t\":{\"secret\":\"token\"},\"u\":{\"setting\":\"user\"},\"n\":{\"setting\":\"n\"},"
              "\"r\":{\"record\":\"/n\"}}}");
    assert_int_equal(build(&f, "x/../?a=b&c#\xc3\xa9+%", &at_start), 0);
    assert_string_equal(f.request.target.data,
                        "/a%20b/m%C3%BCller%20%26%2B%3D?q%5B0%5D=x%2F..%2F%3Fa%3Db%26c%23%C3%A9%2B%25&v=1");
    assert_string_equal(f.request.form.data, "t=t%26k%3Dn&u=root&n=7&r=12");
    assert_string_equal(f.request.label.data, "/a b/{/name}");
    assert_true(f.request.is_post);
    end(&f);
}

static void headers_are_joined_and_basic_is_rfc_7617(void **state)
{
    struct fixture f;
    begin(&f,
          "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"X-Auth\":[\"whm \",{\"setting\":\"user\"},\":\","
          "{\"secret\":\"token\"}]},\"auth\":{\"kind\":\"basic\",\"user\":\"Aladdin\",\"password\":\"open "
          "sesame\"}}");
    assert_int_equal(build(&f, "x", &at_start), 0);
    assert_string_equal(f.request.headers.data, "X-Auth: whm root:t&k=n");
    assert_string_equal(f.request.headers.data + strlen(f.request.headers.data) + 1,
                        "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    end(&f);
}

static void what_is_missing_or_empty_is_refused(void **state)
{
    static const struct {
        const char *value;
        const char *id;
    } cases[] = {
        {"{\"id\":\"id\"}", ""},
        {"{\"id\":\"id\"}", NULL},
        {"{\"secret\":\"key\"}", "x"},
        {"{\"record\":\"/e\"}", "x"},
        {"{\"record\":\"/z\"}", "x"},
        {"{\"record\":\"/none\"}", "x"},
        {"[\"a\",{\"id\":\"id\"}]", ""},
        {"{\"id\":\"id\"}", " "},
        {"{\"id\":\"id\"}", "\u00a0\u200b"},
        {"{\"record\":\"/blank\"}", "x"},
        {"{\"setting\":\"blank\"}", "x"},
    };
    static const char *const places[] = {
        "\"path\":[\"p\",%s]", "\"path\":\"/\",\"query\":{\"q\":%s}", "\"path\":\"/\",\"form\":{\"q\":%s}",
        "\"path\":\"/\",\"headers\":{\"q\":%s}",
        "\"path\":\"/\",\"auth\":{\"kind\":\"basic\",\"user\":\"u\",\"password\":%s}"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
            struct fixture f;
            char request[512] = "{\"method\":\"POST\",";
            if (p == 0 && cases[i].value[0] == '[')
                continue;
            const char *hole = strstr(places[p], "%s");
            snprintf(request + strlen(request), sizeof request - strlen(request), "%.*s%s%s}",
                     (int)(hole - places[p]), places[p], cases[i].value, hole + 2);
            begin(&f, request);
            assert_int_equal(build(&f, cases[i].id, &at_start), -1);
            assert_string_equal(f.error.code, "empty_bind");
            end(&f);
        }
}

static void an_optional_value_that_is_missing_is_left_out(void **state)
{
    struct fixture f;
    begin(&f, "{\"method\":\"POST\",\"path\":\"/\",\"form\":{\"k\":{\"secret\":\"key\",\"optional\":true},"
              "\"t\":{\"secret\":\"token\",\"optional\":true}}}");
    assert_int_equal(build(&f, "x", &at_start), 0);
    assert_string_equal(f.request.form.data, "t=t%26k%3Dn");
    end(&f);
}

static void a_segment_may_be_joined_and_names_each_of_its_values(void **state)
{
    struct fixture f;
    begin(&f, "{\"method\":\"GET\",\"path\":[\"u\",[{\"id\":\"id\"},\".json\"]]}");
    assert_int_equal(build(&f, "a&b", &at_start), 0);
    assert_string_equal(f.request.target.data, "/u/a%26b.json");
    assert_non_null(strstr(f.request.label.data, "/u/{id}.json"));
    end(&f);
    begin(&f, "{\"method\":\"GET\",\"path\":[[{\"id\":\"id\"},\".json\"]]}");
    assert_int_equal(build(&f, "", &at_start), -1);
    assert_string_equal(f.error.code, "empty_bind");
    end(&f);
}

static void an_identity_may_be_a_pattern_that_matches_it_alone(void **state)
{
    struct fixture f;
    begin(&f, "{\"method\":\"POST\",\"path\":\"/"
              "\",\"form\":{\"q\":[\"^\",{\"id\":\"id\",\"as\":\"regex\"},\"$\"]}}");
    assert_int_equal(build(&f, "a+b.c@x\\[z](q)*{}|^$?-_", &at_start), 0);
    assert_string_equal(f.request.form.data, "q=%5Ea%5C%2Bb%5C.c%40x%5C%5C%5C%5Bz%5C%5D%5C%28q%5C%29%5C%2A%"
                                             "5C%7B%5C%7D%5C%7C%5C%5E%5C%24%5C%3F-_%24");
    end(&f);
}

static void a_value_cannot_leave_its_place(void **state)
{
    static const char *const ids[] = {".",   "..",     "a/b", "../x",  "..\\x", "a\\b", "..;x",
                                      "a;b", "%2e%2e", "a%b", "a%2fb", "a?b",   "a#b"};
    struct fixture f;
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        begin(&f, "{\"method\":\"GET\",\"path\":[\"a\",{\"id\":\"id\"}]}");
        assert_int_equal(build(&f, ids[i], &at_start), -1);
        assert_string_equal(f.error.code, "bad_bind");
        end(&f);
    }
    begin(&f, "{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"X\":{\"id\":\"id\"}}}");
    assert_int_equal(build(&f, "a\r\nX-Other: b", &at_start), -1);
    assert_string_equal(f.error.code, "bad_bind");
    end(&f);
    begin(&f, "{\"method\":\"GET\",\"path\":\"/"
              "\",\"auth\":{\"kind\":\"basic\",\"user\":{\"id\":\"id\"},\"password\":\"p\"}}");
    assert_int_equal(build(&f, "a:b", &at_start), -1);
    assert_string_equal(f.error.code, "bad_bind");
    end(&f);
}

static void an_identity_may_go_in_lower_case(void **state)
{
    struct fixture f;
    begin(&f, "{\"method\":\"GET\",\"path\":[{\"id\":\"id\",\"as\":\"lower\"}]}");
    assert_int_equal(build(&f, "ALICE01", &at_start), 0);
    assert_string_equal(f.request.target.data, "/alice01");
    end(&f);
}

static void a_joined_identity_goes_by_its_words(void **state)
{
    static const struct {
        const char *id;
        const char *target; /* NULL: refused */
    } cases[] = {
        {"alice a.test", "/a.test"}, {"alice A.TEST more", "/a.test"}, {"alice", NULL}, {"alice ", NULL},
        {"alice  a.test", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        begin(&f, "{\"method\":\"GET\",\"path\":[{\"id\":\"id\",\"part\":1,\"as\":\"lower\"}]}");
        assert_int_equal(build(&f, cases[i].id, &at_start), cases[i].target ? 0 : -1);
        assert_string_equal(cases[i].target ? f.request.target.data : f.error.code,
                            cases[i].target ? cases[i].target : "empty_bind");
        end(&f);
    }
}

static void pages_go_where_the_profile_says(void **state)
{
    static const struct {
        const char *page;
        struct page_at at;
        const char *target;
        const char *form;
    } cases[] = {
        {"{\"kind\":\"offset\",\"in\":\"form\",\"start\":\"s\",\"size\":\"l\",\"by\":50}",
         {.skip = 150, .number = 3},
         "/p?q=1",
         "f=2&l=50&s=150"},
        {"{\"kind\":\"offset\",\"in\":\"query\",\"start\":\"s\"}", {.skip = 0}, "/p?q=1&s=0", "f=2"},
        {"{\"kind\":\"page\",\"in\":\"query\",\"number\":\"n\",\"first\":0}",
         {.skip = 0},
         "/p?q=1&n=0",
         "f=2"},
        {"{\"kind\":\"page\",\"in\":\"query\",\"number\":\"n\"}",
         {.skip = 90, .number = 2},
         "/p?q=1&n=3",
         "f=2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture f;
        begin(&f, "{\"method\":\"POST\",\"path\":\"/p\",\"query\":{\"q\":1},\"form\":{\"f\":2}}");
        json_object_set_new(f.step_json, "page", json(cases[i].page));
        assert_int_equal(build(&f, "x", &cases[i].at), 0);
        assert_string_equal(f.request.target.data, cases[i].target);
        assert_string_equal(f.request.form.data, cases[i].form);
        end(&f);
    }
}

/* Whether the test holds for record {"a":1,"e":"Alice@x","n":null,"t":true,"empty":""} of the answer
 * {"who":"4711"}. */
static bool holds_for(const char *test)
{
    static const char record_text[] = "{\"a\":1,\"e\":\"Alice@x\",\"n\":null,\"t\":true,\"empty\":\"\"}";
    static const char root_text[] = "{\"who\":\"4711\"}";
    static const struct dsar_identity items[] = {
        {"id", "4711"}, {"email", "alice@x"}, {"pair", "1 alice@x"}, {"domain", ""}, {"domain", "1"}};
    const struct dsar_identities bound = {items, 3};
    const struct dsar_identities known = {items, 5};
    const struct sources sources = {.bound = &bound, .known = &known};
    struct fault fault;
    struct dsar_error error;
    struct tree *record;
    struct tree *root;
    char list[512];
    snprintf(list, sizeof list, "[%s]", test);
    json_t *tests = json(list);
    json_t *needs = json("{\"id\":\"text\",\"email\":\"text\",\"domain\":\"text\",\"pair\":\"text\"}");
    const struct scope scope = {.needs = needs};
    assert_int_equal(tree_parse(&record, record_text, strlen(record_text), 1 << 20, &fault), 0);
    assert_int_equal(tree_parse(&root, root_text, strlen(root_text), 1 << 20, &fault), 0);
    if (tests_check(tests, TESTS_OF_RECORD, &scope, "/assert", &error))
        fail_msg("%s", error.text);
    const struct tested tested = {tree_root(root), tree_root(record), 200, &sources};
    bool result = tests_all_hold(tests, &tested);
    tree_free(record);
    tree_free(root);
    json_decref(tests);
    json_decref(needs);
    return result;
}

static void tests_hold_for_what_they_say(void **state)
{
    static const char *const holding[] = {
        "{\"ptr\":\"/a\",\"eq\":1}",
        "{\"ptr\":\"/a\",\"eq\":\"1\"}",
        "{\"ptr\":\"/t\",\"eq\":true}",
        "{\"ptr\":\"/n\",\"eq\":null}",
        "{\"ptr\":\"/a\",\"in\":[2,\"1\"]}",
        "{\"ptr\":\"/e\",\"eq_id\":\"email\",\"ignore_case\":true}",
        "{\"ptr\":\"/who\",\"eq_id\":\"id\",\"of\":\"answer\"}",
        "{\"ptr\":\"/a\",\"in_ids\":\"domain\"}",
        "{\"ptr\":\"/none\",\"eq_id\":\"id\",\"optional\":true}",
        "{\"any\":[{\"ptr\":\"/none\",\"eq\":1},{\"ptr\":\"/a\",\"eq\":1}]}",
        "{\"ptr\":\"/a\",\"filled\":true}",
        "{\"ptr\":\"/a\",\"eq_id\":\"pair\",\"part\":0}",
        "{\"ptr\":\"/e\",\"eq_id\":\"pair\",\"part\":1,\"ignore_case\":true}",
    };
    static const char *const failing[] = {
        "{\"ptr\":\"/a\",\"eq\":2}",
        "{\"ptr\":\"/t\",\"eq\":\"true\"}",
        "{\"ptr\":\"/none\",\"eq\":null}",
        "{\"ptr\":\"/none\",\"eq\":1}",
        "{\"ptr\":\"/e\",\"eq_id\":\"email\"}",
        "{\"ptr\":\"/a\",\"eq_id\":\"id\"}",
        "{\"ptr\":\"/a\",\"eq_id\":\"id\",\"optional\":true}",
        "{\"ptr\":\"/empty\",\"in_ids\":\"domain\"}",
        "{\"ptr\":\"/empty\",\"eq_id\":\"domain\"}",
        "{\"ptr\":\"/who\",\"eq_id\":\"id\"}",
        "{\"any\":[{\"ptr\":\"/none\",\"eq\":1},{\"ptr\":\"/a\",\"eq\":2}]}",
        "{\"ptr\":\"/empty\",\"filled\":true}",
        "{\"ptr\":\"/none\",\"filled\":true}",
        "{\"ptr\":\"/n\",\"filled\":true}",
        "{\"ptr\":\"/a\",\"eq_id\":\"pair\"}",
        "{\"ptr\":\"/a\",\"eq_id\":\"pair\",\"part\":1}",
        "{\"ptr\":\"/empty\",\"eq_id\":\"pair\",\"part\":2}",
    };
    for (size_t i = 0; i < sizeof holding / sizeof *holding; i++)
        if (!holds_for(holding[i]))
            fail_msg("%s", holding[i]);
    for (size_t i = 0; i < sizeof failing / sizeof *failing; i++)
        if (holds_for(failing[i]))
            fail_msg("%s", failing[i]);
}

static void only_tests_that_every_record_of_the_person_passes_show_an_owner(void **state)
{
#define OWNER "{\"ptr\":\"/a\",\"eq_id\":\"id\"}"
#define KNOWN "{\"ptr\":\"/a\",\"in_ids\":\"id\"}"
#define LOOSE "{\"ptr\":\"/a\",\"eq_id\":\"id\",\"optional\":true}"
#define OTHER "{\"ptr\":\"/a\",\"eq\":1}"
    static const struct {
        const char *tests;
        bool result;
    } cases[] = {
        {"[" OWNER "]", true},
        {"[" OTHER "," KNOWN "]", true},
        {"[{\"any\":[" OWNER "," KNOWN "]}]", true},
        {"[{\"any\":[" OWNER "," OTHER "]}," OWNER "]", true},
        {"[{\"any\":[" OWNER ",{\"any\":[" OWNER "]}]}]", true},
        {"[" LOOSE "]", false},
        {"[" OTHER "]", false},
        {"[{\"any\":[" OWNER "," OTHER "]}]", false},
        {"[{\"any\":[" OWNER "," LOOSE "]}]", false},
        {"[{\"any\":[" OWNER ",{\"any\":[" OWNER "," OTHER "]}]}]", false},
        {"[]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *tests = json(cases[i].tests);
        if (tests_compare_identity(tests, false) != cases[i].result)
            fail_msg("%s", cases[i].tests);
        json_decref(tests);
    }
    assert_false(tests_compare_identity(NULL, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_encoded_and_never_mixed),
        cmocka_unit_test(headers_are_joined_and_basic_is_rfc_7617),
        cmocka_unit_test(what_is_missing_or_empty_is_refused),
        cmocka_unit_test(an_optional_value_that_is_missing_is_left_out),
        cmocka_unit_test(a_segment_may_be_joined_and_names_each_of_its_values),
        cmocka_unit_test(an_identity_may_be_a_pattern_that_matches_it_alone),
        cmocka_unit_test(a_value_cannot_leave_its_place),
        cmocka_unit_test(an_identity_may_go_in_lower_case),
        cmocka_unit_test(pages_go_where_the_profile_says),
        cmocka_unit_test(a_joined_identity_goes_by_its_words),
        cmocka_unit_test(tests_hold_for_what_they_say),
        cmocka_unit_test(only_tests_that_every_record_of_the_person_passes_show_an_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
