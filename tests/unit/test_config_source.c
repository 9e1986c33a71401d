#include "config/source_check.h"
#include "test_config.h"

#include <sys/resource.h>

static const char hello_text[] =
    "{\"type\":\"hello\",\"protocol\":1,\"name\":\"rest\",\"version\":\"1\",\"settings\":["
    "{\"name\":\"base_url\",\"kind\":\"url\",\"required\":true,\"help\":\"where it answers\"},"
    "{\"name\":\"secret\",\"kind\":\"secret\",\"required\":true,\"help\":\"the API secret\"},"
    "{\"name\":\"login\",\"kind\":\"secret\",\"required\":false,\"help\":\"the API login\"},"
    "{\"name\":\"database\",\"kind\":\"path\",\"required\":false,\"help\":\"a file\"},"
    "{\"name\":\"ca_file\",\"kind\":\"path\",\"required\":false,\"default\":\"\",\"help\":\"a certificate\"},"
    "{\"name\":\"page_size\",\"kind\":\"integer\",\"required\":false,\"default\":100,\"help\":\"records a "
    "page\"},"
    "{\"name\":\"region\",\"kind\":\"text\",\"required\":true,\"default\":\"eu\",\"help\":\"where\"},"
    "{\"name\":\"verify\",\"kind\":\"boolean\",\"required\":false,\"help\":\"check twice\"}]}";

/* The second source of the smallest configuration, with these settings on line 12. */
static struct config *load_with(const char *settings)
{
    char *errors, *line, *text;
    assert_true(asprintf(&line, "./libexec/dsar-rest\n    settings: %s", settings) >= 0);
    text = altered(smallest, "./libexec/dsar-rest", line);
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    assert_non_null(config);
    free(errors);
    free(line);
    free(text);
    return config;
}

static void settings_are_held_against_the_hello(void **state)
{
#define PLACE(column) "dsard.yaml:12:" column ": error: .sources[1].settings."
#define AT_SOURCE     "dsard.yaml:10:5: error: .sources[1].settings."
    static const struct {
        const char *settings, *errors;
    } cases[] = {
        {"{base_url: \"https://a.test\", secret_file: exporter.jwk}", ""},
        {"{base_url: \"http://[::1]:80/x\", secret_file: exporter.jwk, page_size: 5, verify: false, region: "
         "us}",
         ""},
        {"{base_url: \"https://a.test\", secret_file: exporter.jwk, ca_file: portal.jwks.json}", ""},
        {"{base_ulr: \"https://a.test\", secret_file: exporter.jwk}",
         PLACE("16") "base_ulr: the connector has no such setting (did you mean 'base_url'?)\n" AT_SOURCE
                     "base_url: missing; expected an http or https URL\n"},
        {"{base_url: \"https://a.test\", secert_file: exporter.jwk}",
         PLACE(
             "44") "secert_file: the connector has no such setting (did you mean 'secret_file'?)\n" AT_SOURCE
                   "secret_file: missing; expected the path of a file\n"},
        {"{base_url: \"ftp://a.test\", secret_file: exporter.jwk}",
         PLACE("26") "base_url: expected an http or https URL\n"},
        {"{base_url: \"https://a test\", secret_file: exporter.jwk}",
         PLACE("26") "base_url: expected an http or https URL\n"},
        {"{base_url: \"https://a.test\", secret_file: exporter.jwk, page_size: ten, verify: 1, database: ''}",
         PLACE("82") "page_size: expected an integer\n" PLACE("95") "verify: expected true or false\n" PLACE(
             "108") "database: expected a path\n"},
        {"{base_url: \"https://a.test\", secret_file: exporter.jwk, login: hunter2}",
         PLACE(
             "71") "login: a secret must not stand in the configuration; use 'login_file' with the path of a "
                   "file\n"},
        {"{base_url_file: exporter.jwk, secret_file: exporter.jwk}",
         PLACE(
             "16") "base_url_file: no secret, so not read from a file; use 'base_url' with an http or https "
                   "URL\n"},
        {"{}", AT_SOURCE "base_url: missing; expected an http or https URL\n" AT_SOURCE
                         "secret_file: missing; expected the path of a file\n"},
    };
    json_t *hello = json_loads(hello_text, 0, NULL);
    assert_non_null(hello);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *errors;
        size_t size;
        struct config *config = load_with(cases[i].settings);
        FILE *out = open_memstream(&errors, &size);
        int result = config_check_source(config, &config->sources[1], hello, out);
        fclose(out);
        assert_string_equal(errors, cases[i].errors);
        assert_int_equal(result, *errors ? -1 : 0);
        free(errors);
        config_free(config);
    }
    json_decref(hello);
}

static void a_secret_open_to_others_is_warned_of_whatever_its_name(void **state)
{
    char *errors, expected[256];
    size_t size;
    json_t *hello = json_loads(hello_text, 0, NULL);
    struct config *config = load_with("{base_url: \"https://a.test\", secret_file: exporter.jwk, login_file: "
                                      "portal.jwks.json, ca_file: portal.jwks.json}");
    FILE *out = open_memstream(&errors, &size);
    assert_int_equal(config_check_source(config, &config->sources[1], hello, out), 0);
    fclose(out);
    snprintf(expected, sizeof expected,
             "dsard.yaml:12:83: warning: .sources[1].settings.login_file: %s/portal.jwks.json: everyone on "
             "this machine "
             "can read it; chmod o-rwx it\n",
             (const char *)*state);
    assert_string_equal(errors, expected);
    free(errors);
    config_free(config);
    json_decref(hello);
}

static void a_hello_without_settings_takes_none(void **state)
{
    static const char *const hellos[] = {"{}", "{\"settings\":[]}", "{\"settings\":[1,{},{\"name\":7}]}"};
    for (size_t i = 0; i < sizeof hellos / sizeof *hellos; i++) {
        char *errors;
        size_t size;
        json_t *hello = json_loads(hellos[i], 0, NULL);
        struct config *config = load_with("{colour: red}");
        FILE *out = open_memstream(&errors, &size);
        assert_int_equal(config_check_source(config, &config->sources[0], hello, out), 0);
        assert_int_equal(config_check_source(config, &config->sources[1], hello, out), -1);
        fclose(out);
        assert_string_equal(errors, PLACE("16") "colour: the connector has no such setting\n");
        free(errors);
        config_free(config);
        json_decref(hello);
    }
}

static void settings_become_json_by_kind_and_secrets_come_from_files(void **state)
{
    struct fault fault;
    json_t *settings, *secrets, *hello = json_loads(hello_text, 0, NULL);
    char *path, *ca_path;
    write_file("secrets/one", "hunter2\r\n", 9, 0600);
    write_file("secrets/two", " spaces \n\n", 10, 0600);
    struct config *config =
        load_with("{base_url: \"https://a.test\", secret_file: secrets/one, login_file: "
                  "secrets/two, database: forum.sqlite, verify: true, ca_file: portal.jwks.json}");
    assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), 0);
    assert_true(asprintf(&path, "%s/forum.sqlite", (const char *)*state) >= 0);
    assert_true(asprintf(&ca_path, "%s/portal.jwks.json", (const char *)*state) >= 0);
    json_t *expected = json_pack("{sssssssbsiss}", "ca_file", ca_path, "base_url", "https://a.test",
                                 "database", path, "verify", 1, "page_size", 100, "region", "eu");
    assert_true(json_equal(settings, expected));
    json_decref(expected);
    expected = json_pack("{ssss}", "secret", "hunter2", "login", " spaces \n");
    assert_true(json_equal(secrets, expected));
    json_decref(expected);
    json_decref(settings);
    json_decref(secrets);
    config_free(config);
    json_decref(hello);
    free(path);
    free(ca_path);
}

static void an_unusable_secret_fails_without_being_shown(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *text;
    } cases[] = {
        {"", 0, "is empty"},
        {"\n", 1, "is empty"},
        {"hun\0ter", 7, "holds a NUL byte; expected text"},
        {"hunter\xff", 7, "expected UTF-8 text"},
    };
    struct fault fault;
    json_t *settings, *secrets, *hello = json_loads(hello_text, 0, NULL);
    struct config *config = load_with("{base_url: \"https://a.test\", secret_file: secrets/whmcs-secret}");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char expected[200];
        write_file("secrets/whmcs-secret", cases[i].content, cases[i].len, 0600);
        assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), -1);
        assert_null(settings);
        assert_null(secrets);
        snprintf(expected, sizeof expected, "%s/secrets/whmcs-secret: %s", (const char *)*state,
                 cases[i].text);
        assert_string_equal(fault.text, expected);
        assert_string_equal(fault.code, "file_unreadable");
    }
    char *large = calloc(1, CONFIG_SECRET_BYTES_MAX + 1);
    assert_non_null(large);
    memset(large, 'x', CONFIG_SECRET_BYTES_MAX + 1);
    write_file("secrets/whmcs-secret", large, CONFIG_SECRET_BYTES_MAX, 0600);
    assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), 0);
    json_decref(settings);
    json_decref(secrets);
    write_file("secrets/whmcs-secret", large, CONFIG_SECRET_BYTES_MAX + 1, 0600);
    assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    free(large);
    unlink("secrets/whmcs-secret");
    assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), -1);
    assert_string_equal(fault.code, "file_unreadable");
    write_file("secrets/whmcs-secret", "secret\n", 7, 0600);
    config_free(config);
    json_decref(hello);
}

static void a_secret_is_read_later_when_descriptors_have_run_out(void **state)
{
    struct fault fault;
    struct rlimit limit, none;
    json_t *settings, *secrets, *hello = json_loads(hello_text, 0, NULL);
    struct config *config = load_with("{base_url: \"https://a.test\", secret_file: exporter.jwk}");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int result = config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(result, -1);
    assert_string_equal(fault.code, "no_descriptor");
    assert_true(fault.retryable);
    config_free(config);
    json_decref(hello);
}

static void settings_that_the_hello_does_not_know_are_not_sent(void **state)
{
    struct fault fault;
    json_t *settings, *secrets, *hello = json_loads(hello_text, 0, NULL);
    static const char *const wrong[] = {"{colour: red}", "{login: hunter2}", "{base_url_file: exporter.jwk}",
                                        "{page_size: many}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct config *config = load_with(wrong[i]);
        assert_int_equal(config_source_settings(&config->sources[1], hello, &settings, &secrets, &fault), -1);
        assert_string_equal(fault.code, "bad_settings");
        assert_null(strstr(fault.text, "hunter2"));
        assert_null(settings);
        config_free(config);
    }
    json_decref(hello);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_held_against_the_hello),
        cmocka_unit_test(a_secret_open_to_others_is_warned_of_whatever_its_name),
        cmocka_unit_test(a_hello_without_settings_takes_none),
        cmocka_unit_test(settings_become_json_by_kind_and_secrets_come_from_files),
        cmocka_unit_test(an_unusable_secret_fails_without_being_shown),
        cmocka_unit_test(a_secret_is_read_later_when_descriptors_have_run_out),
        cmocka_unit_test(settings_that_the_hello_does_not_know_are_not_sent),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
