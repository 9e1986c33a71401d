#include "test_config.h"

#include "config/options.h"

#include <libgen.h>

static void a_smallest_file_has_the_documented_defaults(void **state)
{
    char *errors;
    struct config *config = load(smallest, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    assert_non_null(config);
    assert_string_equal(config->path, "dsard.yaml");
    assert_string_equal(config->folder, *state);
    assert_null(config->controller.complaints);
    assert_string_equal(config->kafka.group, "dsard");
    assert_int_equal(config->kafka.framing, CONFIG_FRAMING_NONE);
    assert_string_equal(config->kafka.topics.requests, "dsar.requests");
    assert_string_equal(config->kafka.topics.control, "dsar.control");
    assert_string_equal(config->kafka.topics.events, "dsar.events");
    assert_string_equal(config->kafka.topics.dead, "dsar.requests.dead");
    assert_string_equal(config->kafka.topics.audit, "dsar.audit");
    assert_int_equal(config->kafka.n_properties, 0);
    assert_true(config->requests.require_signature);
    assert_string_equal(config->requests.audience, "example-host");
    assert_int_equal(config->requests.max_bytes, 262144);
    assert_int_equal(config->store.kind, CONFIG_STORE_DIR);
    assert_int_equal(config->store.bundle_days, 14);
    assert_int_equal(config->work.concurrent_requests, 4);
    assert_int_equal(config->work.concurrent_sources, 4);
    assert_int_equal(config->work.seal_threads, 0);
    assert_int_equal(config->work.blocks, 0);
    assert_int_equal(config->work.block_kib, 256);
    assert_int_equal(config->work.entries_max, 10000);
    assert_int_equal(config->work.waves_max, 8);
    assert_int_equal(config->work.identities_per_source, 20);
    assert_int_equal(config->retry.attempts, 3);
    assert_int_equal(config->retry.first_ms, 500);
    assert_int_equal(config->retry.max_ms, 30000);
    assert_int_equal(config->identities.n_allow, 0);
    assert_int_equal(config->n_sources, 2);
    assert_string_equal(config->sources[0].title, "billing");
    assert_int_equal(config->sources[0].max_concurrent, 2);
    assert_int_equal(config->sources[0].deadline_s, 3600);
    assert_int_equal(config->sources[0].resolve_deadline_s, 60);
    assert_int_equal(config->sources[0].keep_alive_s, 30);
    assert_null(config->sources[0].profile_path);
    assert_int_equal(config->log.level, LOG_LEVEL_INFO);
    assert_int_equal(config->log.format, CONFIG_LOG_TEXT);
    config_free(config);
    free(errors);
}

static void expect_path(const char *path, const char *folder, const char *below)
{
    char *expected;
    assert_true(asprintf(&expected, "%s/%s", folder, below) >= 0);
    assert_string_equal(path, expected);
    free(expected);
}

static void relative_paths_start_at_the_folder_of_the_file(void **state)
{
    struct config *config;
    char *path;
    write_file("dsard.yaml", smallest, strlen(smallest), 0600);
    assert_true(asprintf(&path, "%s/dsard.yaml", (const char *)*state) >= 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(config_load(&config, path, CONFIG_FOR_RUN, stderr), 0);
    assert_int_equal(chdir(*state), 0);
    expect_path(config->exporter.key_file, *state, "exporter.jwk");
    expect_path(config->requests.trusted_keys_file, *state, "portal.jwks.json");
    expect_path(config->store.path, *state, "store");
    expect_path(config->work.spool_dir, *state, "spool");
    expect_path(config->connectors_dir, *state, "libexec");
    expect_path(config->sources[0].program, *state, "libexec/dsar-rest");
    expect_path(config->sources[1].program, *state, "libexec/dsar-rest");
    config_free(config);
    free(path);
}

static void connectors_and_profiles_lie_beside_the_program(void **state)
{
    char *errors, program[512], expected[600];
    char *named = altered(smallest, "connector: rest", "connector: ./libexec/dsar-rest");
    char *text = altered(named, "connectors_dir: libexec\nprofiles_dir: profiles\n", "");
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    assert_true(len > 0);
    program[len] = '\0';
    const char *prefix = dirname(dirname(program));
    snprintf(expected, sizeof expected, "%s/libexec/dsard", prefix);
    assert_string_equal(config->connectors_dir, expected);
    snprintf(expected, sizeof expected, "%s/share/dsard/profiles", prefix);
    assert_string_equal(config->profiles_dir, expected);
    config_free(config);
    free(errors);
    free(text);
    free(named);
}

static char *read_text(const char *path)
{
    char *text = calloc(1, 65536);
    FILE *file = fopen(path, "r");
    assert_non_null(text);
    assert_non_null(file);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

static void the_example_is_valid(void **state)
{
    char *errors, *path = altered(__FILE__, "tests/unit/test_config.c", "deploy/dsard.example.yaml");
    char *example = read_text(path);
    char *text = altered(example, NULL, "connectors_dir: libexec\nprofiles_dir: profiles\n");
    setenv("HOSTNAME", "worker-7", 1);
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    assert_string_equal(config->kafka.transactional_id, "dsard-worker-7");
    assert_int_equal(config->kafka.n_properties, 4);
    assert_string_equal(config->kafka.properties[0].name, "security.protocol");
    assert_string_equal(config->kafka.properties[0].value, "sasl_ssl");
    assert_false(config->kafka.properties[0].is_file);
    assert_string_equal(config->kafka.properties[3].name, "sasl.password");
    expect_path(config->kafka.properties[3].value, *state, "secrets/kafka-password");
    assert_true(config->kafka.properties[3].is_file);
    assert_int_equal(config->identities.n_allow, 1);
    assert_string_equal(config->identities.allow[0].from, "billing");
    assert_string_equal(config->identities.allow[0].kind, "panel_account");
    assert_int_equal(config->identities.allow[0].n_to, 1);
    assert_string_equal(config->identities.allow[0].to[0], "panel");
    assert_int_equal(config->n_sources, 3);
    expect_path(config->sources[2].program, *state, "libexec/dsar-sql");
    expect_path(config->sources[0].profile_path, *state, "profiles/billing/whmcs.json");
    assert_string_equal(config->sources[0].settings[2].name, "secret");
    assert_true(config->sources[0].settings[2].is_file);
    assert_int_equal(config->sources[1].max_concurrent, 1);
    assert_int_equal(config->sources[2].deadline_s, 600);
    config_free(config);
    free(errors);
    free(text);
    free(example);
    free(path);
}

static void a_single_request_needs_no_kafka(void **state)
{
    char *errors;
    char *text = altered(smallest, "kafka: {brokers: \"127.0.0.1:9092\", transactional_id: dsard-1}\n", "");
    struct config *config = load(text, CONFIG_FOR_ONCE, &errors);
    assert_string_equal(errors, "");
    assert_null(config->kafka.brokers);
    config_free(config);
    free(errors);
    free(text);

    text = altered(smallest, "brokers: ", "brokrs: ");
    assert_null(load(text, CONFIG_FOR_ONCE, &errors));
    assert_non_null(strstr(errors, ".kafka.brokrs: unknown key"));
    free(errors);
    free(text);
}

static void unsigned_requests_need_no_keys(void **state)
{
    char *errors;
    char *text = altered(smallest, "trusted_keys_file: portal.jwks.json", "require_signature: false");
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    assert_false(config->requests.require_signature);
    assert_null(config->requests.trusted_keys_file);
    config_free(config);
    free(errors);
    free(text);
}

static void variables_expand_in_values_alone(void **state)
{
    static const char settings[] =
        "connector: rest\n"
        "    arguments: [\"${DSARD_TEST_A}\", \"-${DSARD_TEST_A}-${DSARD_TEST_B}$$\", $$$$]\n"
        "    max_concurrent: ${DSARD_TEST_B}\n"
        "    purpose: >\n"
        "      over two\n"
        "      lines\n"
        "    settings: {base_url: \"https://${DSARD_TEST_A}/\", empty: ''}";
    char *errors, *text = altered(smallest, "connector: rest", settings);
    setenv("DSARD_TEST_A", "${DSARD_TEST_B}: [x]", 1);
    setenv("DSARD_TEST_B", "7", 1);
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    const struct source_config *source = &config->sources[0];
    assert_int_equal(source->n_arguments, 3);
    assert_string_equal(source->arguments[0], "${DSARD_TEST_B}: [x]"); /* neither parsed nor expanded again */
    assert_string_equal(source->arguments[1], "-${DSARD_TEST_B}: [x]-7$");
    assert_string_equal(source->arguments[2], "$$");
    assert_int_equal(source->max_concurrent, 7);
    assert_string_equal(source->purpose, "over two lines");
    assert_string_equal(source->settings[0].value, "https://${DSARD_TEST_B}: [x]/");
    assert_string_equal(source->settings[1].value, "");
    assert_int_equal(source->settings[0].key_mark.line, 15);
    assert_int_equal(source->settings[0].key_mark.column, 16);
    assert_int_equal(source->mark.line, 8);
    assert_int_equal(source->mark.column, 5);
    config_free(config);
    free(errors);
    free(text);
}

static void locations_of_kafka_are_paths(void **state)
{
    char *errors;
    char *text = altered(smallest, "dsard-1}",
                         "dsard-1, properties: {ssl.ca.location: ca.pem, ssl.key.location: /etc/key.pem, "
                         "ssl.crl.location: probe}}");
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    expect_path(config->kafka.properties[0].value, *state, "ca.pem");
    assert_string_equal(config->kafka.properties[1].value, "/etc/key.pem");
    assert_string_equal(config->kafka.properties[2].value, "probe");
    config_free(config);
    free(errors);
    free(text);
}

static void files_open_to_others_are_warned_of(void **state)
{
    char *errors, *expected;
    assert_int_equal(chmod("exporter.jwk", 0644), 0);
    assert_int_equal(chmod("portal.jwks.json", 0666), 0);
    struct config *config = load(smallest, CONFIG_FOR_RUN, &errors);
    assert_true(
        asprintf(
            &expected,
            "dsard.yaml:3:31: warning: .requests.trusted_keys_file: %s/portal.jwks.json: everyone on this "
            "machine can alter it; chmod o-w it\n"
            "dsard.yaml:4:52: warning: .exporter.key_file: %s/exporter.jwk: everyone on this machine can "
            "read it; chmod o-rwx it\n",
            (const char *)*state, (const char *)*state) >= 0);
    assert_string_equal(errors, expected);
    assert_non_null(config);
    assert_int_equal(chmod("exporter.jwk", 0600), 0);
    assert_int_equal(chmod("portal.jwks.json", 0644), 0);
    config_free(config);
    free(errors);
    free(expected);
}

/* Every option, sections but the top ones left out, has a row with a default, a range and a help. */
static size_t expect_documented(const struct option *options, const char *prefix, const char *reference)
{
    size_t n = 0;
    for (const struct option *option = options; option->name; option++) {
        char name[128], row[160];
        snprintf(name, sizeof name, "%s%s", prefix, option->name);
        snprintf(row, sizeof row, "\n| `%s` | ", name);
        assert_true(option->help && *option->help);
        if (option->kind != OPTION_SECTION && !(option->kind == OPTION_LIST && !*prefix)) {
            const char *found = strstr(reference, row);
            assert_non_null(found);
            const char *end = strchr(found + 1, '\n');
            size_t bars = 0;
            for (const char *at = found + 1; at < end; at++)
                bars += *at == '|';
            assert_int_equal(bars, 6);
            n++;
        }
        snprintf(name, sizeof name, "%s%s%s.", prefix, option->name, option->kind == OPTION_LIST ? "[]" : "");
        if (option->members)
            n += expect_documented(option->members, name, reference);
    }
    return n;
}

static void the_reference_shows_every_option(void **state)
{
    char *reference;
    size_t size;
    FILE *out = open_memstream(&reference, &size);
    config_print_reference(out);
    fclose(out);
    assert_true(expect_documented(config_options(), "", reference) > 50);
    assert_non_null(
        strstr(reference, "| `work.block_kib` | integer | `256` | 256 to 8192 | the size of a block |\n"));
    assert_non_null(strstr(reference, "| `log.format` | choice | `text` | text, json | "));
    assert_non_null(strstr(reference, "| `sources[].name` | text | **required** | 1 to 32 of a-z"));
    free(reference);
}

static void nothing_is_freed_twice(void **state)
{
    config_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_smallest_file_has_the_documented_defaults),
        cmocka_unit_test(relative_paths_start_at_the_folder_of_the_file),
        cmocka_unit_test(connectors_and_profiles_lie_beside_the_program),
        cmocka_unit_test(the_example_is_valid),
        cmocka_unit_test(a_single_request_needs_no_kafka),
        cmocka_unit_test(unsigned_requests_need_no_keys),
        cmocka_unit_test(variables_expand_in_values_alone),
        cmocka_unit_test(locations_of_kafka_are_paths),
        cmocka_unit_test(files_open_to_others_are_warned_of),
        cmocka_unit_test(the_reference_shows_every_option),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
