#include "../../connectors/rest/base64.h"
#include "../../connectors/rest/next.h"
#include "../../connectors/rest/pick.h"
#include "../../connectors/rest/site.h"
#include "../../connectors/rest/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEXT_MAX ((size_t)65536)

static void links_are_read_as_rfc_8288_says(void **state)
{
    static const struct {
        const char *header;
        const char *target; /* "" for none */
    } cases[] = {
        {"<https://a.test/x?p=2>; rel=\"next\"", "https://a.test/x?p=2"},
        {"<a>; rel=prev, <b>; rel=next", "b"},
        {"<a,b;c>; rel=next", "a,b;c"},
        {"<a>; title=\"x, <y>; rel=next\"; rel=last", ""},
        {"<a>; title=\"\\\"; rel=next\"; rel=\"prev NEXT\"", "a"},
        {"<a>;rel=\"nextpage\"", ""},
        {"<a>; rel=prev; rel=next", ""},
        {"<a>; relnext=next", ""},
        {"<a> ; rel = next", "a"},
        {"<a>; crossorigin; rel=next", "a"},
        {"<a", ""},
        {"a; rel=next", ""},
        {"", ""},
        {", ,<a>; rel=next", "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf target;
        struct fault fault;
        buf_init(&target, TEXT_MAX);
        assert_int_equal(next_link(cases[i].header, &target, &fault), 0);
        assert_string_equal(target.data ? target.data : "", cases[i].target);
        buf_wipe(&target);
    }
}

static void of_a_url_path_and_query_are_left(void **state)
{
    static const struct {
        const char *reference;
        const char *target; /* NULL: no URL */
        bool is_elsewhere;
    } cases[] = {
        {"/x?y=1#z", "/x?y=1", false},
        {"?p=2", "/app/list?p=2", false},
        {"more", "/app/more", false},
        {"../x", "/x", false},
        {"https://a.test/x", "/x", false},
        {"https://A.test:443/x", "/x", false},
        {"http://a.test/x", "/x", true},
        {"https://a.test:444/x", "/x", true},
        {"https://a.test.evil.test/x", "/x", true},
        {"https://a.test@evil.test/x", "/x", true},
        {"//evil.test/x?y", "/x?y", true},
        {"https://evil.test", "/", true},
        {"", NULL, false},
        {"https://[", NULL, false},
        {"/a b", "/a%20b", false},
        {"/a\nb", NULL, false},
    };
    struct site site;
    struct dsar_error error;
    assert_int_equal(site_read(&site, "base_url", "https://a.test/app/", &error), 0);
    assert_string_equal(site.base, "https://a.test/app");
    assert_string_equal(site.path, "/app/");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf target;
        struct fault fault;
        bool is_elsewhere;
        buf_init(&target, TEXT_MAX);
        int result = site_locate(&site, "https://a.test/app/list?p=1", cases[i].reference, &target,
                                 &is_elsewhere, &fault);
        if (result != (cases[i].target ? 0 : -1))
            fail_msg("%s", cases[i].reference);
        if (cases[i].target) {
            assert_string_equal(target.data, cases[i].target);
            assert_int_equal(is_elsewhere, cases[i].is_elsewhere);
        } else {
            assert_string_equal(fault.code, "bad_reference");
        }
        buf_wipe(&target);
    }
    site_wipe(&site);
}

static int collect(const char *data, size_t len, struct dsar_error *error, void *ctx)
{
    struct fault fault;
    return buf_append(ctx, data, len, &fault);
}

static void base64_is_decoded_or_refused(void **state)
{
    static const struct {
        const char *text;
        const char *decoded; /* NULL: none */
    } cases[] = {
        {"", ""},
        {"aGVsbG8=", "hello"},
        {"aGVsbG8", "hello"},
        {"aGVs\r\n bG8=", "hello"},
        {"aGk=", "hi"},
        {"Pz8/Pj4+", "\?\?\?>>>"},
        {"Pz8_Pj4-", "\?\?\?>>>"},
        {"a", NULL},
        {"aGVsb", NULL},
        {"aGk=x", NULL},
        {"=aGk", NULL},
        {"aG.k", NULL},
        {"aGVsbG8=\t=", "hello"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct base64 base64 = {.bits = 0};
        struct dsar_error error;
        struct buf out;
        buf_init(&out, TEXT_MAX);
        int result = base64_feed(&base64, cases[i].text, strlen(cases[i].text), collect, &out, &error) ||
                     base64_end(&base64, collect, &out, &error);
        if (result != !cases[i].decoded ||
            (!result && strcmp(out.data ? out.data : "", cases[i].decoded) != 0))
            fail_msg("%s", cases[i].text);
        buf_wipe(&out);
    }
}

/* Feeds `text` in pieces of every size; what comes is the same each time. */
static void check_pick(const char *pointer, const char *text, const char *rest, const char *file)
{
    size_t len = strlen(text);
    for (size_t step = 1; step <= len; step++) {
        struct pick pick;
        struct dsar_error error;
        struct buf left;
        struct buf out;
        int result = 0;
        buf_init(&left, TEXT_MAX);
        buf_init(&out, TEXT_MAX);
        assert_int_equal(pick_init(&pick, pointer, &left, collect, &out, &error), 0);
        for (size_t at = 0; at < len && !result; at += step)
            result = pick_feed(&pick, text + at, len - at < step ? len - at : step, &error);
        if (!rest) {
            assert_int_equal(result, -1);
            assert_string_equal(error.code, "source_answer");
        } else {
            assert_int_equal(result, 0);
            assert_string_equal(left.data, rest);
            assert_int_equal(pick_is_whole(&pick), file != NULL);
            assert_string_equal(out.data ? out.data : "", file ? file : "");
        }
        buf_wipe(&left);
        buf_wipe(&out);
    }
}

static void one_text_is_taken_out_of_json(void **state)
{
    check_pick("/data", "{\"a\":[1,\"x\"],\"data\":\"aGVsbG8=\",\"b\":{}}",
               "{\"a\":[1,\"x\"],\"data\":\"\",\"b\":{}}", "hello");
    check_pick("/list/1/data", "{\"list\":[{\"data\":\"no\"},{\"data\":\"aGk=\"},{\"data\":\"no\"}]}",
               "{\"list\":[{\"data\":\"no\"},{\"data\":\"\"},{\"data\":\"no\"}]}", "hi");
    check_pick("/a~1b/~0", "{\"a/b\":{\"~\":\"aGk=\"}}", "{\"a/b\":{\"~\":\"\"}}", "hi");
    check_pick("/data", "{\"x\":{\"data\":\"aGk=\"},\"data\":null}",
               "{\"x\":{\"data\":\"aGk=\"},\"data\":null}", NULL);
    check_pick("/data", "{\"x\":\"}\\\",\\\"data\\\":\\\"\",\"y\":\"data\"}",
               "{\"x\":\"}\\\",\\\"data\\\":\\\"\",\"y\":\"data\"}", NULL);
    check_pick("/data", "[\"data\",\"aGk=\"]", "[\"data\",\"aGk=\"]", NULL);
    check_pick("/data", "{\"data\":\"a\\u0047\\u006b\\u003d\"}", "{\"data\":\"\"}", "hi");
    check_pick("/data", "{\"data\":\"Pz8\\/\\n\"}", "{\"data\":\"\"}", "\?\?\?");
    check_pick("/data", "{\"data\":\"aGk=\",\"data\":\"aGk=\"}", NULL, NULL);
    check_pick("/data", "{\"data\":\"a\\u00e9\"}", NULL, NULL);
    check_pick("/data", "{\"data\":\"aGk=%\"}", NULL, NULL);
}

static int keep(struct token *token, const json_t *auth, const char *answer)
{
    struct buf body;
    struct fault fault;
    buf_init(&body, TEXT_MAX);
    assert_int_equal(buf_append_text(&body, answer, &fault), 0);
    int result = token_keep(token, auth, &body, &fault);
    buf_wipe(&body);
    return result;
}

static void a_token_holds_for_whom_it_was_given_and_for_its_time(void **state)
{
    json_t *auth = json_pack("{s:s}", "client_id", "a");
    json_t *other = json_pack("{s:s}", "client_id", "b");
    struct token token;
    token_init(&token);
    assert_false(token_holds(&token, auth));
    assert_int_equal(keep(&token, auth, "{\"access_token\":\"t\",\"expires_in\":\"60\"}"), 0);
    assert_string_equal(token.text.data, "t");
    assert_true(token_holds(&token, auth));
    assert_false(token_holds(&token, other));
    assert_int_equal(keep(&token, auth, "{\"access_token\":\"t\",\"expires_in\":0}"), 0);
    assert_false(token_holds(&token, auth));
    assert_int_equal(keep(&token, auth, "{\"access_token\":\"t\",\"expires_in\":99999999999999999999}"), 0);
    assert_true(token_holds(&token, auth));
    assert_int_equal(keep(&token, auth, "{\"access_token\":\"\"}"), -1);
    assert_false(token_holds(&token, auth));
    token_wipe(&token);
    json_decref(auth);
    json_decref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_read_as_rfc_8288_says),
        cmocka_unit_test(of_a_url_path_and_query_are_left),
        cmocka_unit_test(base64_is_decoded_or_refused),
        cmocka_unit_test(one_text_is_taken_out_of_json),
        cmocka_unit_test(a_token_holds_for_whom_it_was_given_and_for_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
