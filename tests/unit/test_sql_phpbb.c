/* The profile of phpBB. */
#include "test_sql_engine.h"

static const char phpbb_rows[] =
    "INSERT INTO phpbb_users (user_id, username, username_clean, user_email, user_password, user_form_salt, "
    "user_actkey, user_lastpage) VALUES "
    "(1, 'Anonymous', 'anonymous', '', '', '', '', ''), "
    "(2, 'alice', 'alice', 'Alice@Example.Test', 'canary-secret', 'canary-secret', 'canary-secret', "
    "'app.php/user/reset_password?u=2&token=canary-secret'), "
    "(3, 'malice', 'malice', 'malice@example.test', 'canary-secret', '', '', ''), "
    "(4, 'alice2', 'alice2', 'alice@example.test', '', '', '', '');"
    "INSERT INTO phpbb_posts (post_id, poster_id, poster_ip, post_text, post_delete_user) VALUES "
    "(10, 2, '192.0.2.2', '<t>alice-post</t>', 77), (11, 3, '192.0.2.3', '<t>canary-malice</t>', 0), "
    "(12, 1, '192.0.2.1', '<t>canary-guest</t>', 0), (13, 2, '192.0.2.2', '<t>alice-post-2</t>', 0);"
    "INSERT INTO phpbb_privmsgs (msg_id, author_id, author_ip, message_text, to_address, bcc_address) VALUES "
    "(20, 3, 'canary-ip', '<t>malice-to-alice</t>', 'u_2', 'canary-bcc'), "
    "(21, 2, '192.0.2.2', '<t>alice-to-malice</t>', 'u_3', 'u_1'), "
    "(22, 2, '192.0.2.2', '<t>alice-deleted-from-sentbox</t>', 'u_3', ''), "
    "(23, 3, 'canary-ip', '<t>canary-malice-to-guest</t>', 'u_1', '');"
    "INSERT INTO phpbb_privmsgs_to (msg_id, user_id, author_id) VALUES (20, 2, 3), (20, 3, 3), (21, 2, 2), "
    "(21, 3, 2), "
    "(22, 3, 2), (23, 1, 3), (23, 3, 3);"
    "INSERT INTO phpbb_sessions (session_id, session_user_id, session_ip, session_page) VALUES "
    "('canary-secret-sid', 2, '192.0.2.2', 'viewtopic.php?t=1'), ('canary-secret-sid2', 1, "
    "'canary-guest-ip', '');"
    "INSERT INTO phpbb_sessions_keys (key_id, user_id, last_ip) VALUES ('canary-secret-key', 2, '192.0.2.2');"
    "INSERT INTO phpbb_log (log_id, user_id, reportee_id, log_ip, log_data) VALUES (30, 2, 2, '192.0.2.2', "
    "'alice-log'), "
    "(31, 77, 2, 'canary-moderator-ip', 'alice-note'), (32, 77, 3, 'canary-x', 'canary-y'), "
    "(33, 2, 0, '192.0.2.2', 'post-by-somebody');"
    "INSERT INTO phpbb_profile_fields_data (user_id, pf_phpbb_location) VALUES (2, 'alice-town'), (3, "
    "'canary-town');"
    "INSERT INTO phpbb_attachments (attach_id, poster_id, physical_filename, real_filename) VALUES "
    "(40, 2, 'canary-physical', 'alice.png'), (41, 3, 'x', 'canary.png');"
    "INSERT INTO phpbb_oauth_tokens (user_id, oauth_token) VALUES (2, 'canary-secret');"
    "INSERT INTO phpbb_reports (report_id, user_id, report_text, reported_post_text) VALUES "
    "(50, 2, 'alice-report', 'canary-reported');"
    "INSERT INTO phpbb_poll_votes (topic_id, poll_option_id, vote_user_id) VALUES (5, 1, 2), (5, 2, 2), (5, "
    "1, 1);";

static void an_address_finds_all_its_accounts_and_no_look_alike(void **state)
{
    struct driver driver;
    make_database("phpbb", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb", "");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "aLICE@example.test") "]}");
    driver_expect(&driver, "{\"type\":\"identity\",\"kind\":\"phpbb_user_id\",\"value\":\"2\","
                           "\"evidence\":\"exact match of the e-mail address\"}");
    driver_expect(&driver, "{\"type\":\"identity\",\"kind\":\"phpbb_user_id\",\"value\":\"4\","
                           "\"evidence\":\"exact match of the e-mail address\"}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"ok\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID(
                            "email", "%@example.test") "]}");
    driver_expect(&driver, "{\"type\":\"done\",\"status\":\"not_found\"}");
    driver_say(&driver, "{\"type\":\"resolve\",\"deadline_ms\":60000,\"identities\":[" ID("email", "") "]}");
    driver_expect_code(&driver, "done", "empty_bind");
    assert_int_equal(driver_leave(&driver), 0);
}

#define PHPBB_COLLECTIONS                                                                                    \
    "\"account\",\"profile\",\"posts\",\"topics\",\"private_messages\",\"drafts\",\"attachments\",\"poll_"   \
    "votes\","                                                                                               \
    "\"bookmarks\",\"topics_watch\",\"forums_watch\",\"zebra\",\"sessions\",\"session_keys\",\"login_"       \
    "attempts\","                                                                                            \
    "\"log\",\"oauth_accounts\",\"reports\",\"warnings\",\"bans\""

static void phpbb_gives_what_is_the_persons_and_nothing_else(void **state)
{
    struct driver driver;
    make_database("phpbb2", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb2", "");
    struct outcome outcome = fetch(&driver, PHPBB_COLLECTIONS, ID("phpbb_user_id", "2"));
    assert_string_equal(driver_text(outcome.done, "status"), "ok");
    assert_int_equal(json_object_size(outcome.ends), 20);
    static const struct {
        const char *collection;
        int count;
    } expected[] = {{"account", 1},      {"profile", 1},      {"posts", 2},          {"topics", 0},
                    {"drafts", 0},       {"attachments", 1},  {"poll_votes", 2},     {"bookmarks", 0},
                    {"topics_watch", 0}, {"forums_watch", 0}, {"zebra", 0},          {"sessions", 1},
                    {"session_keys", 1}, {"log", 3},          {"login_attempts", 0}, {"private_messages", 3},
                    {"reports", 1},      {"warnings", 0},     {"bans", 0},           {"oauth_accounts", 0}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        expect_end(&outcome, expected[i].collection, NULL, expected[i].count);
    static const char *const own[] = {"Alice@Example.Test", "alice-post",      "alice-post-2",
                                      "malice-to-alice",    "alice-to-malice", "alice-deleted-from-sentbox",
                                      "alice-log",          "alice-note",      "alice-town",
                                      "alice.png",          "alice-report",    "viewtopic.php?t=1"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (!strstr(outcome.payloads, own[i]))
            fail_msg("%s is missing", own[i]);
    if (strstr(outcome.payloads, "canary"))
        fail_msg("leaked: %.60s", strstr(outcome.payloads, "canary"));
    assert_null(strstr(outcome.payloads, "malice@"));
    assert_non_null(strstr(outcome.payloads, "\"direction\":\"received\",\"sender\":\"malice\""));
    assert_non_null(strstr(outcome.payloads, "\"direction\":\"sent\",\"sender\":null"));
    /* text about nobody in particular may be about anybody */
    assert_non_null(strstr(outcome.payloads, "\"log_data\":\"alice-note\""));
    assert_non_null(
        strstr(outcome.payloads, "\"log_data\":null,\"log_data_of_others\":\"post-by-somebody\""));
    assert_int_equal(json_array_size(outcome.withheld), 1);
    assert_string_equal(driver_text(json_array_get(outcome.withheld, 0), "collection"), "attachments");
    assert_string_equal(driver_text(json_array_get(outcome.withheld, 0), "reason"), "not_fetched");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(outcome.withheld, 0), "count")), 1);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

static void the_guest_and_empty_identities_are_refused(void **state)
{
    static const struct {
        const char *identity;
        const char *code;
    } cases[] = {
        {ID("phpbb_user_id", "1"), "bad_identity"},    {ID("phpbb_user_id", "0"), "bad_identity"},
        {ID("phpbb_user_id", ""), "empty_bind"},       {ID("phpbb_user_id", "2 OR 1=1"), "bad_identity"},
        {ID("email", "a@example.test"), "empty_bind"},
    };
    struct driver driver;
    make_database("phpbb3", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb3", "");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome outcome = fetch(&driver, "\"posts\",\"sessions\"", cases[i].identity);
        expect_end(&outcome, "posts", cases[i].code, 0);
        expect_end(&outcome, "sessions", cases[i].code, 0);
        assert_int_equal(outcome.len, 0);
        outcome_wipe(&outcome);
    }
    assert_int_equal(driver_leave(&driver), 0);
}

static void two_accounts_are_both_fetched(void **state)
{
    struct driver driver;
    make_database("phpbb4", true, phpbb_rows);
    start_ready(&driver, NULL, "phpbb4", "");
    struct outcome outcome =
        fetch(&driver, "\"account\"", ID("phpbb_user_id", "2") "," ID("phpbb_user_id", "4"));
    expect_end(&outcome, "account", NULL, 2);
    outcome_wipe(&outcome);
    assert_int_equal(driver_leave(&driver), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_finds_all_its_accounts_and_no_look_alike),
        cmocka_unit_test(phpbb_gives_what_is_the_persons_and_nothing_else),
        cmocka_unit_test(the_guest_and_empty_identities_are_refused),
        cmocka_unit_test(two_accounts_are_both_fetched),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
