#include "../../connectors/sdk/binding.h"
#include "../../connectors/sdk/profile.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const engine_keys[] = {"session", NULL};
static const char *const step_keys[] = {"sql", NULL};
static const char *const collection_keys[] = {"sql", "page", NULL};

static const struct profile_engine engine = {
    .name = "sql",
    .settings = "[{\"name\":\"path\",\"kind\":\"path\",\"required\":true,\"help\":\"where\"}]",
    .keys = engine_keys,
    .resolve_keys = step_keys,
    .collection_keys = collection_keys,
};

#define HEAD "\"profile\":1,\"name\":\"forum/x\",\"title\":\"X\",\"engine\":\"sql\",\"version\":\"1\""
#define SETTINGS                                                                                             \
    "\"settings\":[{\"name\":\"token\",\"kind\":\"secret\",\"required\":true,\"help\":\"h\"},"               \
    "{\"name\":\"rows\",\"kind\":\"integer\",\"required\":false,\"help\":\"h\",\"default\":5}]"
#define STEPS                                                                                                \
    "\"resolve\":[{\"needs\":{\"email\":\"text\"},\"yields\":{\"id\":{\"$comment\":\"c\",\"a\":1}},\"sql\":" \
    "\"s\"},"                                                                                                \
    "{\"needs\":{\"email\":\"text\",\"name\":\"text\"},\"yields\":{\"id\":2,\"uuid\":3}}]"
#define COLLECTION(more)                                                                                     \
    "{\"name\":\"posts\",\"title\":\"P\",\"category\":\"c\",\"needs\":{\"id\":\"uint>1\"}" more "}"
#define WITH_COLLECTIONS(more) "{" HEAD ",\"collections\":[" more "]}"

#define TWENTY "xxxxxxxxxxxxxxxxxxxx"
#define LONG   TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY TWENTY "x"

/* Writes the text to a file, loads it, removes it. The file is named "test_profile.PID.json". */
static int load(struct profile **profile, const char *text, struct dsar_error *error)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/test_profile.%d.json", (int)getpid());
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    char *argv[] = {(char[]){"dsar-sql"}, (char[]){"--profile"}, path, NULL};
    int result = profile_load(profile, &engine, 3, argv, error);
    unlink(path);
    return result;
}

static void a_profile_becomes_a_hello(void **state)
{
    struct dsar_error error;
    struct profile *profile;
    int result =
        load(&profile,
             "{\"$comment\":1," HEAD "," SETTINGS "," STEPS ",\"session\":7,\"collections\":[" COLLECTION(
                 ",\"fields\":{\"/a\":\"own\",\"\":\"withhold:x\",\"$comment\":\"why\"},\"sql\":\"s\"") "]}",
             &error);
    if (result)
        fail_msg("%s", error.text);
    json_t *hello = profile_hello(profile, &error);
    json_t *expected = json_loads(
        "{\"name\":\"forum.x\",\"title\":\"X\",\"version\":\"1\",\"settings\":["
        "{\"name\":\"path\",\"kind\":\"path\",\"required\":true,\"help\":\"where\"},"
        "{\"name\":\"token\",\"kind\":\"secret\",\"required\":true,\"help\":\"h\"},"
        "{\"name\":\"rows\",\"kind\":\"integer\",\"required\":false,\"help\":\"h\",\"default\":5}],"
        "\"resolve\":{\"needs\":[\"email\",\"name\"],\"yields\":[\"id\",\"uuid\"]},"
        "\"collections\":[{\"name\":\"posts\",\"title\":\"P\",\"category\":\"c\",\"needs\":[\"id\"],"
        "\"fields\":{\"/a\":\"own\",\"\":\"withhold:x\"}}]}",
        0, NULL);
    assert_true(json_equal(hello, expected));
    assert_null(json_object_get(profile_document(profile), "$comment"));
    assert_null(profile_collection(profile, "other"));
    assert_string_equal(json_string_value(json_object_get(profile_collection(profile, "posts"), "sql")), "s");
    json_decref(hello);
    json_decref(expected);
    profile_free(profile);
}

static void a_wrong_profile_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *profile;
        const char *says;
    } wrong[] = {
        {"{\"a\":1,", "json:1:7:"},
        {"{\"a\":1,\"a\":2}", "duplicate"},
        {"[]", "expected an object"},
        {"{}", "/profile: expected 1"},
        {"{\"profile\":2}", "/profile: expected 1"},
        {"{" HEAD "}", "/collections: expected an array"},
        {"{" HEAD ",\"colections\":[]}", "/colections: unknown key"},
        {WITH_COLLECTIONS(""), "/collections: expected an array of at least one"},
        {WITH_COLLECTIONS("7"), "/collections/0: expected an object"},
        {WITH_COLLECTIONS(COLLECTION(",\"sqll\":1")), "/collections/0/sqll: unknown key"},
        {WITH_COLLECTIONS(COLLECTION(",\"a/b~c\":1")), "/collections/0/a~1b~0c: unknown key"},
        {WITH_COLLECTIONS(COLLECTION("") "," COLLECTION("")),
         "/collections/1: expected a name that no other has"},
        {WITH_COLLECTIONS(COLLECTION(",\"fields\":{\"a\":\"own\"}")),
         "/collections/0/fields/a: expected a JSON Pointer"},
        {WITH_COLLECTIONS(COLLECTION(",\"fields\":{\"/a\":\"mine\"}")),
         "/collections/0/fields/~1a: expected a class"},
        {WITH_COLLECTIONS(COLLECTION(",\"fields\":{\"/a\":\"withhold:\"}")), "expected a class"},
        {WITH_COLLECTIONS(
             "{\"name\":\"files\",\"title\":\"t\",\"category\":\"c\",\"needs\":{\"id\":\"text\"}}"),
         "/collections/0: expected another name than \"files\""},
        {WITH_COLLECTIONS("{\"name\":\"a\",\"title\":\"" LONG "\"}"),
         "/collections/0/title: expected at most 200"},
        {WITH_COLLECTIONS("{\"name\":\"A\"}"), "/collections/0/name: expected a name"},
        {WITH_COLLECTIONS("{\"name\":\"a\",\"title\":\"\"}"), "/collections/0/title: expected text"},
        {WITH_COLLECTIONS("{\"name\":\"a\",\"title\":\"t\",\"category\":\"c\"}"),
         "/collections/0/needs: expected"},
        {WITH_COLLECTIONS("{\"name\":\"a\",\"title\":\"t\",\"category\":\"c\",\"needs\":{}}"),
         "/needs: expected"},
        {WITH_COLLECTIONS("{\"name\":\"a\",\"title\":\"t\",\"category\":\"c\",\"needs\":{\"id\":\"uint>\"}}"),
         "/collections/0/needs/id: expected a type"},
        {"{" HEAD ",\"resolve\":[],\"collections\":[" COLLECTION("") "]}", "/resolve: expected"},
        {"{" HEAD ",\"resolve\":[{\"needs\":{\"a\":\"text\"}}],\"collections\":[" COLLECTION("") "]}",
         "/resolve/0/yields: expected"},
        {"{" HEAD ",\"resolve\":[{\"need\":1}],\"collections\":[" COLLECTION("") "]}",
         "/resolve/0/need: unknown key"},
        {"{" HEAD ",\"settings\":[{\"name\":\"a\",\"kind\":\"colour\",\"required\":true,\"help\":\"h\"}],"
         "\"collections\":[" COLLECTION("") "]}",
         "expected a kind"},
        {"{" HEAD ",\"settings\":[{\"name\":\"a\",\"kind\":\"secret\",\"required\":true,\"help\":\"h\","
         "\"default\":\"d\"}],\"collections\":[" COLLECTION("") "]}",
         "none for a secret"},
        {"{" HEAD ",\"settings\":[{\"name\":\"path\",\"kind\":\"path\",\"required\":true,\"help\":\"h\"}],"
         "\"collections\":[" COLLECTION("") "]}",
         "a name that no other has"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct dsar_error error;
        struct profile *profile;
        if (load(&profile, wrong[i].profile, &error) != -1)
            fail_msg("taken: %s", wrong[i].profile);
        assert_string_equal(error.code, "bad_profile");
        if (!strstr(error.text, wrong[i].says))
            fail_msg("expected '%s' in '%s'", wrong[i].says, error.text);
    }
}

static void other_arguments_are_refused(void **state)
{
    struct dsar_error error;
    struct profile *profile;
    char *none[] = {(char[]){"dsar-sql"}, NULL};
    char *missing[] = {(char[]){"dsar-sql"}, (char[]){"--profile"}, (char[]){"/nonexistent/profile.json"},
                       NULL};
    assert_int_equal(profile_load(&profile, &engine, 1, none, &error), -1);
    assert_non_null(strstr(error.text, "--profile PATH"));
    assert_int_equal(profile_load(&profile, &engine, 3, missing, &error), -1);
    assert_non_null(strstr(error.text, "/nonexistent/profile.json"));
}

/* NULL when the settings are taken, otherwise a part of what is said. */
static void expect_settle(const struct profile *profile, const char *settings, const char *secrets,
                          const char *says)
{
    struct dsar_error error;
    json_t *effective = NULL;
    json_t *given = json_loads(settings, 0, NULL);
    json_t *hidden = json_loads(secrets, 0, NULL);
    int result = profile_settle(profile, given, hidden, &effective, &error);
    if (says && (result == 0 || strcmp(error.code, "bad_settings") != 0 || !strstr(error.text, says)))
        fail_msg("%s %s: expected '%s'", settings, secrets, says);
    if (!says) {
        assert_int_equal(result, 0);
        assert_int_equal(json_integer_value(json_object_get(effective, "rows")), 5);
        assert_null(json_object_get(effective, "token"));
        json_decref(effective);
    }
    json_decref(given);
    json_decref(hidden);
}

static void settings_are_checked_and_defaults_filled_in(void **state)
{
    struct dsar_error error;
    struct profile *profile;
    assert_int_equal(load(&profile, "{" HEAD "," SETTINGS ",\"collections\":[" COLLECTION("") "]}", &error),
                     0);
    expect_settle(profile, "{\"path\":\"/a\"}", "{\"token\":\"t\"}", NULL);
    expect_settle(profile, "{\"path\":\"/a\"}", "{}", "token: a secret that must be given");
    expect_settle(profile, "{}", "{\"token\":\"t\"}", "path: a path that must be given");
    expect_settle(profile, "{\"path\":\"/a\",\"rows\":\"6\"}", "{\"token\":\"t\"}", "rows: expected");
    expect_settle(profile, "{\"path\":\"/a\",\"row\":6}", "{\"token\":\"t\"}", "row: no such setting");
    expect_settle(profile, "{\"path\":\"/a\",\"token\":\"t\"}", "{\"token\":\"t\"}",
                  "token: no such setting");
    expect_settle(profile, "{\"path\":\"/a\"}", "{\"token\":\"t\",\"path\":\"b\"}", "path: no such secret");
    profile_free(profile);
}

static void a_value_is_of_its_type_or_refused(void **state)
{
    static const struct {
        const char *type;
        const char *value;
        const char *code; /* NULL: taken */
    } cases[] = {
        {"uint>1", "2", NULL},
        {"uint>1", "1", "bad_identity"},
        {"uint>1", "0", "bad_identity"},
        {"uint>0", "1", NULL},
        {"uint>0", "9223372036854775807", NULL},
        {"uint>0", "9223372036854775808", "bad_identity"},
        {"uint>0", "01", "bad_identity"},
        {"uint>0", "-1", "bad_identity"},
        {"uint>0", "+1", "bad_identity"},
        {"uint>0", " 1", "bad_identity"},
        {"uint>0", "1 OR 1=1", "bad_identity"},
        {"uint>0", "", "empty_bind"},
        {"text", "", "empty_bind"},
        {"text", NULL, "empty_bind"},
        {"text", "Ä", NULL},
        {"text", "a\nb", "bad_identity"},
        {"text", " ", "empty_bind"},
        {"text", "\u00a0\u200b", "empty_bind"},
        {"uint>0", " ", "empty_bind"},
        {"text", "a ", "bad_identity"},
        {"text", "\ufeffa", "bad_identity"},
        {"text", "\xff", "bad_identity"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct dsar_error error = {.code = ""};
        int result = binding_check("kind", cases[i].type, cases[i].value, &error);
        if (result != (cases[i].code ? -1 : 0) || strcmp(error.code, cases[i].code ? cases[i].code : "") != 0)
            fail_msg("%s '%s': %s", cases[i].type, cases[i].value, error.code);
    }
    assert_true(binding_is_type("text") && binding_is_type("uint>0") && binding_is_type("uint>12"));
    assert_false(binding_is_type("uint") || binding_is_type("uint>") || binding_is_type("uint>x") ||
                 binding_is_type("int>0") || binding_is_type(""));
}

static int note_cb(const struct dsar_identities *bound, struct dsar_error *error, void *ctx)
{
    strcat(ctx, dsar_identity_first(bound, "a"));
    strcat(ctx, dsar_identity_first(bound, "b"));
    strcat(ctx, ";");
    return 0;
}

static void each_combination_of_identities_is_used_once(void **state)
{
    const struct dsar_identity items[] = {{"a", "1"}, {"x", "?"}, {"b", "u"},
                                          {"a", "2"}, {"b", "v"}, {"a", "1"}};
    const struct dsar_identities identities = {items, 6};
    struct dsar_error error;
    char seen[64] = "";
    json_t *needs = json_pack("{s:s, s:s}", "a", "uint>0", "b", "text");
    assert_int_equal(binding_each(needs, &identities, note_cb, seen, &error), 0);
    assert_string_equal(seen, "1u;1v;2u;2v;");
    assert_true(binding_is_possible(needs, &identities));

    /* one wrong or empty value, and nothing is used at all */
    const struct dsar_identity with_empty[] = {{"a", "1"}, {"b", "u"}, {"b", ""}};
    const struct dsar_identity with_wrong[] = {{"a", "1"}, {"a", "0"}, {"b", "u"}};
    const struct dsar_identity without[] = {{"a", "1"}};
    const struct dsar_identity only_empty[] = {{"a", "1"}, {"b", ""}};
    seen[0] = '\0';
    assert_int_equal(binding_each(needs, &(struct dsar_identities){with_empty, 3}, note_cb, seen, &error),
                     -1);
    assert_string_equal(error.code, "empty_bind");
    assert_int_equal(binding_each(needs, &(struct dsar_identities){with_wrong, 3}, note_cb, seen, &error),
                     -1);
    assert_string_equal(error.code, "bad_identity");
    assert_int_equal(binding_each(needs, &(struct dsar_identities){without, 1}, note_cb, seen, &error), -1);
    assert_string_equal(error.code, "empty_bind");
    assert_false(binding_is_possible(needs, &(struct dsar_identities){without, 1}));
    /* what is empty is not unknown: nobody may take the person for that */
    assert_true(binding_is_possible(needs, &(struct dsar_identities){only_empty, 2}));
    assert_string_equal(seen, "");
    json_decref(needs);
}

static void too_many_combinations_are_refused(void **state)
{
    char values[65][4];
    struct dsar_identity items[65];
    for (int i = 0; i < 65; i++) {
        snprintf(values[i], sizeof values[i], "%d", i + 1);
        items[i] = (struct dsar_identity){"a", values[i]};
    }
    struct dsar_error error;
    json_t *needs = json_pack("{s:s}", "a", "uint>0");
    assert_int_equal(binding_each(needs, &(struct dsar_identities){items, 65}, note_cb, NULL, &error), -1);
    assert_string_equal(error.code, "too_many_identities");
    json_decref(needs);
}

static void only_well_formed_utf8_counts(void **state)
{
    static const char *const good[] = {
        "a", "é", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xe2\x82",
                                      "\xc3",
                                      "\xff"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(utf8_length(good[i], strlen(good[i])), strlen(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(utf8_length(bad[i], strlen(bad[i])), 0);
    assert_int_equal(utf8_length("", 0), 0);
    assert_true(utf8_is_valid("aé€😀", 10));
    assert_false(utf8_is_valid("aé€\xff", 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_profile_becomes_a_hello),
        cmocka_unit_test(a_wrong_profile_is_refused_with_its_place),
        cmocka_unit_test(other_arguments_are_refused),
        cmocka_unit_test(settings_are_checked_and_defaults_filled_in),
        cmocka_unit_test(a_value_is_of_its_type_or_refused),
        cmocka_unit_test(each_combination_of_identities_is_used_once),
        cmocka_unit_test(too_many_combinations_are_refused),
        cmocka_unit_test(only_well_formed_utf8_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
