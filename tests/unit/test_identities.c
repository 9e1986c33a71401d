#include "gather/identities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* billing may tell the panel its client ids and usernames, nothing else. */
static char billing[] = "billing", panel[] = "panel", client_id[] = "client_id", username[] = "username";
static char *to_panel[] = {panel};
static struct identity_edge edges[] = {{billing, client_id, to_panel, 1}, {billing, username, to_panel, 1}};
static const struct config config = {
    .work = {.identities_per_source = 3},
    .identities = {.allow = edges, .n_allow = 2},
};
static struct identity verified[] = {{"email", "alice@example.test"}, {"phone", "+33123"}};
static const struct request request = {.identities = verified, .n_identities = 2};

static int set_up(void **state)
{
    struct fault fault;
    struct identities *identities = NULL;
    int result = identities_new(&identities, &config, &request, &fault);
    *state = identities;
    return result;
}

static int tear_down(void **state)
{
    identities_free(*state);
    return 0;
}

static void refuse(struct identities *identities, const char *kind, const char *value, const char *code)
{
    struct fault fault;
    json_t *before = identities_json(identities);
    assert_int_equal(identities_yield(identities, "billing", kind, value, &fault), -1);
    assert_string_equal(fault.code, code);
    assert_false(fault.retryable);
    json_t *after = identities_json(identities);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void take(struct identities *identities, const char *source, const char *kind, const char *value)
{
    struct fault fault;
    assert_int_equal(identities_yield(identities, source, kind, value, &fault), 0);
}

static size_t n_visible(struct identities *identities, const char *source)
{
    json_t *list = identities_visible(identities, source);
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

static void everybody_sees_what_the_request_verified(void **state)
{
    assert_int_equal(n_visible(*state, "forum"), 2);
    assert_true(identities_has(*state, "forum", "email"));
    assert_false(identities_has(*state, "forum", "client_id"));
}

static void what_a_source_finds_reaches_itself_and_whom_an_edge_names(void **state)
{
    take(*state, "billing", "client_id", "7");
    assert_true(identities_has(*state, "billing", "client_id"));
    assert_true(identities_has(*state, "panel", "client_id"));
    assert_false(identities_has(*state, "forum", "client_id"));
    assert_int_equal(n_visible(*state, "panel"), 3);
    assert_int_equal(n_visible(*state, "forum"), 2);
}

static void an_edge_holds_for_its_source_and_kind_alone(void **state)
{
    take(*state, "billing", "invoice_id", "1");
    assert_false(identities_has(*state, "panel", "invoice_id"));
    take(*state, "forum", "client_id", "8");
    assert_false(identities_has(*state, "panel", "client_id"));
    assert_false(identities_edge(&config, "panel", "client_id", "billing"));
    assert_true(identities_edge(&config, "billing", "client_id", "panel"));
    assert_true(identities_edge(&config, "forum", "anything", "forum"));
}

static void no_source_makes_what_only_the_request_may_name(void **state)
{
    refuse(*state, "email", "mallory@example.test", "identity_refused");
    refuse(*state, "EMail", "mallory@example.test", "identity_refused");
    refuse(*state, "phone", "+33999", "identity_refused");
    refuse(*state, "email", "alice@example.test", "identity_refused");
}

static void a_value_is_short_plain_text(void **state)
{
    char value[514];
    refuse(*state, "client_id", "", "identity_refused");
    refuse(*state, "client_id", "7\n8", "identity_refused");
    refuse(*state, "client_id", "7\x7f", "identity_refused");
    refuse(*state, "client_id", " ", "identity_refused");
    refuse(*state, "client_id", "7\u200b", "identity_refused");
    memset(value, '7', sizeof value);
    value[513] = '\0';
    refuse(*state, "client_id", value, "identity_refused");
    value[512] = '\0';
    take(*state, "billing", "client_id", value);
}

static void one_source_names_only_so_many_of_a_kind(void **state)
{
    take(*state, "billing", "client_id", "1");
    take(*state, "billing", "client_id", "2");
    take(*state, "billing", "client_id", "1");
    take(*state, "billing", "client_id", "3");
    refuse(*state, "client_id", "4", "ambiguous");
    take(*state, "billing", "client_id", "2");
    take(*state, "billing", "username", "alice");
    take(*state, "panel", "client_id", "4");
}

static void what_broke_off_is_forgotten(void **state)
{
    json_t *before = identities_json(*state);
    take(*state, "panel", "username", "alice");
    take(*state, "billing", "client_id", "1");
    take(*state, "panel", "username", "bob");
    identities_forget(*state, "panel");
    assert_false(identities_has(*state, "panel", "username"));
    assert_true(identities_has(*state, "billing", "client_id"));
    identities_forget(*state, "billing");
    json_t *after = identities_json(*state);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
}

static void the_manifest_says_where_each_came_from(void **state)
{
    take(*state, "billing", "client_id", "7");
    json_t *list = identities_json(*state);
    assert_int_equal(json_array_size(list), 3);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "from")), "request");
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 2), "from")), "billing");
    json_decref(list);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(everybody_sees_what_the_request_verified),
        TEST(what_a_source_finds_reaches_itself_and_whom_an_edge_names),
        TEST(an_edge_holds_for_its_source_and_kind_alone),
        TEST(no_source_makes_what_only_the_request_may_name),
        TEST(a_value_is_short_plain_text),
        TEST(one_source_names_only_so_many_of_a_kind),
        TEST(what_broke_off_is_forgotten),
        TEST(the_manifest_says_where_each_came_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
