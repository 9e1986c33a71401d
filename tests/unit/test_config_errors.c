#include "test_config.h"

/* One alteration of the smallest configuration, and all that is said about it. */
struct wrong {
    const char *old, *new, *errors;
};

static void expect_errors(const struct wrong *cases, size_t n_cases)
{
    for (size_t i = 0; i < n_cases; i++) {
        char *errors, *text = altered(smallest, cases[i].old, cases[i].new);
        struct config *config = load(text, CONFIG_FOR_RUN, &errors);
        assert_string_equal(errors, cases[i].errors);
        assert_null(config);
        free(errors);
        free(text);
    }
}

#define EXPECT(cases) expect_errors(cases, sizeof cases / sizeof *cases)
#define AT(place)     "dsard.yaml:" place ": error: "

static void keys_are_known_unique_and_all_there(void **state)
{
    static const struct wrong cases[] = {
        {"spool_dir: spool", "spool_dir: spool, wavs_max: 3",
         AT("6:26") ".work.wavs_max: unknown key (did you mean 'waves_max'?)\n"},
        {"spool_dir: spool", "spool_dir: spool, colour: 3", AT("6:26") ".work.colour: unknown key\n"},
        {NULL, "strore: {}\n", AT("14:1") ".strore: unknown key (did you mean 'store'?)\n"},
        {"key_file: exporter.jwk", "key: exporter.jwk",
         AT("4:42") ".exporter.key: unknown key; use 'key_file' with the path of a file\n" AT(
             "4:11") ".exporter.key_file: missing; expected the path of a file\n"},
        {NULL, "work: {spool_dir: other}\n",
         AT("14:1") ".work: duplicate key; it stands on line 6 already\n"},
        {"name: Example Host", "name: Example Host, name: Other",
         AT("1:52") ".controller.name: duplicate key; it stands on line 1 already\n"},
        {"name: Example Host, ", "", AT("1:13") ".controller.name: missing; expected text\n"},
        {"work: {spool_dir: spool}\n", "", AT("1:1") ".work.spool_dir: missing; expected a path\n"},
        {"kafka: {brokers: \"127.0.0.1:9092\", transactional_id: dsard-1}\n", "",
         AT("1:1") ".kafka.brokers: missing; expected text\n" AT(
             "1:1") ".kafka.transactional_id: missing; expected text\n"},
        {"requests: {trusted_keys_file: portal.jwks.json}", "requests: {audience: x}",
         AT("3:11") ".requests.trusted_keys_file: missing; expected the path of a file, as "
                    ".requests.require_signature is true\n"},
        {"    connector: rest\n", "", AT("8:5") ".sources[0].connector: missing; expected text\n"},
        {"name: Example Host", "\"na\\nme\": Example Host",
         AT("1:32") ".controller.na?me: unknown key (did you mean 'name'?)\n" AT(
             "1:13") ".controller.name: missing; expected text\n"},
    };
    EXPECT(cases);
}

static void values_have_their_type_and_range(void **state)
{
    static const struct wrong cases[] = {
        {"spool_dir: spool", "spool_dir: spool, concurrent_requests: 80a",
         AT("6:47") ".work.concurrent_requests: expected an integer from 1 to 64, found '80a'\n"},
        {"spool_dir: spool", "spool_dir: spool, concurrent_requests: 65",
         AT("6:47") ".work.concurrent_requests: expected an integer from 1 to 64, found '65'\n"},
        {"spool_dir: spool", "spool_dir: spool, concurrent_requests: -1",
         AT("6:47") ".work.concurrent_requests: expected an integer from 1 to 64, found '-1'\n"},
        {"spool_dir: spool", "spool_dir: spool, seal_threads: 99999999999999999999",
         AT("6:40") ".work.seal_threads: expected an integer from 0 to 64, found '99999999999999999999'\n"},
        {"spool_dir: spool", "spool_dir: spool, seal_threads: 4.0",
         AT("6:40") ".work.seal_threads: expected an integer from 0 to 64, found '4.0'\n"},
        {"spool_dir: spool", "spool_dir: [spool]",
         AT("6:19") ".work.spool_dir: expected a path, found a list\n"},
        {"spool_dir: spool", "spool_dir: ~", AT("6:19") ".work.spool_dir: expected a path, found nothing\n"},
        {"spool_dir: spool", "spool_dir: ''", AT("6:19") ".work.spool_dir: expected a path, found ''\n"},
        {"work: {spool_dir: spool}", "work:", AT("6:6") ".work: expected a mapping, found nothing\n"},
        {"portal.jwks.json", "portal.jwks.json, require_signature: yes",
         AT("3:68") ".requests.require_signature: expected true or false, found 'yes'\n"},
        {NULL, "log: {level: warn, format: jsn}\n",
         AT("14:14") ".log.level: expected debug or info or warning or error, found 'warn'\n" AT(
             "14:28") ".log.format: expected text or json, found 'jsn' (did you mean 'json'?)\n"},
        {"id: example-host", "id: Example",
         AT("1:18") ".controller.id: expected 1 to 64 of a-z, 0-9, '.' and '-', found 'Example'\n"},
        {"name: billing", "name: 1billing",
         AT("8:11") ".sources[0].name: expected 1 to 32 of a-z, 0-9 and '-', the first a letter, found "
                    "'1billing'\n"},
        {"test/dsar/", "test/dsar",
         AT("5:35") ".store.results_url: expected an http or https URL that ends in '/' or "
                    "'=', found 'https://privacy.example.test/dsar'\n"},
        {"//dsard.example.test", "\"//dsard example\"",
         AT("4:20") ".exporter.source: expected a URI reference (RFC 3986), found '//dsard example'\n"},
        {"name: Example Host", "name: \"Example\\x07Host\"",
         AT("1:38") ".controller.name: expected text on one line, without control characters\n"},
        {"name: Example Host", "name: \"Example\\0Host\"",
         AT("1:38") ".controller.name: expected text without NUL characters\n"},
        {"transactional_id: dsard-1", "transactional_id: ''",
         AT("2:54") ".kafka.transactional_id: expected text, found ''\n"},
        {NULL, "retry: {first_ms: 5000, max_ms: 4000}\n",
         AT("14:33") ".retry.max_ms: expected at least .retry.first_ms, which is 5000\n"},
        {NULL, "retry: {first_ms: 50000}\n",
         AT("14:8") ".retry.max_ms: expected at least .retry.first_ms, which is 50000\n"},
        {NULL, "identities: {allow: [{from: billing, kind: k, to: []}, x]}\n",
         AT("14:51") ".identities.allow[0].to: expected at least 1, found 0\n" AT(
             "14:56") ".identities.allow[1]: expected a mapping, found 'x'\n"},
    };
    EXPECT(cases);
}

static void what_is_no_plain_yaml_is_refused(void **state)
{
    static const struct wrong cases[] = {
        {"name: Example Host", "name: &a Example",
         AT("1:38") ".controller.name: an anchor (&) is not allowed; write the value out\n"},
        {"spool_dir: spool", "spool_dir: *a",
         AT("6:19") ".work.spool_dir: an alias (*) is not allowed; write the value out\n"},
        {"name: Example Host", "name: !!str Example",
         AT("1:38") ".controller.name: a tag (!) is not allowed; write the value out\n"},
        {"store: {", "store: &s {", AT("5:8") ".store: an anchor (&) is not allowed; write the value out\n"},
        {"sources:\n", "sources: !x\n",
         AT("7:10") ".sources: a tag (!) is not allowed; write the value out\n"},
        {NULL, "? [a, b]\n: c\n", AT("14:3") "expected text as a key\n"},
        {NULL, "? *a\n: c\n", AT("14:3") "an alias (*) is not allowed; write the value out\n"},
        {NULL, "&k log: {level: info}\n", AT("14:1") "an anchor (&) is not allowed; write the value out\n"},
        {NULL, "<<: {level: info}\n", AT("14:1") ".<<: unknown key\n"},
        {NULL, "---\nx: y\n", AT("14:1") "a second document is not allowed; expected one in a file\n"},
        {NULL, "log: [\n",
         AT("15:1") "did not find expected node content, while parsing a flow node on line 15\n"},
        {NULL, "log:\n\tlevel: info\n",
         AT("15:1") "found character that cannot start any token, while scanning for the next token on line "
                    "15\n"},
        {NULL, "log: {level: \xc3\x28}\n", AT("14:15") "invalid trailing UTF-8 octet\n"},
        {NULL, "log: [[[[[[[[[[[[[[[[[[[[\n", AT("14:21") "expected at most 16 levels of nesting\n"},
    };
    EXPECT(cases);
}

static void a_file_that_is_no_mapping_is_refused(void **state)
{
    static const struct {
        const char *text, *errors;
    } cases[] = {
        {"", AT("1:1") "the file is empty; expected a mapping\n"},
        {"# nothing\n", AT("2:1") "the file is empty; expected a mapping\n"},
        {"- a\n", AT("1:1") "expected a mapping, found a list\n"},
        {"--- just text\n", AT("1:5") "expected a mapping, found 'just text'\n"},
        {"&a {}\n---\n", AT("1:1") "an anchor (&) is not allowed; write the value out\n" AT(
                             "2:1") "a second document is not allowed; expected one in a file\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *errors;
        assert_null(load(cases[i].text, CONFIG_FOR_ONCE, &errors));
        assert_true(strncmp(errors, cases[i].errors, strlen(cases[i].errors)) == 0);
        free(errors);
    }
}

static void a_file_is_limited_in_size_entries_and_errors(void **state)
{
    char *errors, *text = malloc(2 * 1024 * 1024);
    assert_non_null(text);
    memset(text, '#', 1024 * 1024 + 1);
    assert_null(load_bytes(text, 1024 * 1024 + 1, CONFIG_FOR_RUN, &errors));
    assert_string_equal(errors, "error: dsard.yaml: larger than 1048576 bytes\n");
    free(errors);

    size_t len = 0;
    for (int i = 0; i < 1001; i++)
        len += (size_t)sprintf(text + len, "k%d: v\n", i);
    assert_null(load_bytes(text, len, CONFIG_FOR_RUN, &errors));
    assert_string_equal(errors, AT("1001:8") "expected at most 1000 entries in one mapping or list\n");
    free(errors);

    len = (size_t)sprintf(text, "a: 1\n");
    for (int i = 0; i < 999; i++)
        len += (size_t)sprintf(text + len, "k%d: v\n", i);
    assert_null(load_bytes(text, len, CONFIG_FOR_RUN, &errors));
    size_t n_lines = 0;
    for (const char *at = errors; (at = strchr(at, '\n')); at++)
        n_lines++;
    assert_int_equal(n_lines, 201);
    assert_non_null(strstr(errors, "dsard.yaml: error: more than 200 errors; mend these first\n"));
    free(errors);
    free(text);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct config *config;
    char *errors;
    size_t size;
    FILE *out = open_memstream(&errors, &size);
    assert_int_equal(config_load(&config, "absent.yaml", CONFIG_FOR_RUN, out), -1);
    assert_int_equal(config_load(&config, "secrets", CONFIG_FOR_RUN, out), -1);
    fclose(out);
    assert_string_equal(errors, "error: absent.yaml: No such file or directory\n"
                                "error: secrets: expected a file, found a directory\n");
    free(errors);
}

static void variables_must_be_set(void **state)
{
    static const struct wrong cases[] = {
        {"dsard-1", "\"dsard-${DSARD_TEST_UNSET}\"",
         AT("2:54") ".kafka.transactional_id: environment variable 'DSARD_TEST_UNSET' is not set or empty\n"},
        {"dsard-1", "\"dsard-${DSARD_TEST_EMPTY}\"",
         AT("2:54") ".kafka.transactional_id: environment variable 'DSARD_TEST_EMPTY' is not set or empty\n"},
        {"dsard-1", "\"${DSARD_TEST_LATIN1}\"",
         AT("2:54") ".kafka.transactional_id: environment variable 'DSARD_TEST_LATIN1' does not hold UTF-8 "
                    "text\n"},
        {"dsard-1", "\"${DSARD_TEST_LINES}\"",
         AT("2:54") ".kafka.transactional_id: expected text on one line, without control characters\n"},
        {"dsard-1", "\"dsard-${}\"",
         AT("2:54") ".kafka.transactional_id: expected ${NAME} with the name of an "
                    "environment variable; write $$ for a dollar\n"},
        {"dsard-1", "\"dsard-${A\"",
         AT("2:54") ".kafka.transactional_id: expected ${NAME} with the name of an "
                    "environment variable; write $$ for a dollar\n"},
        {"dsard-1", "\"dsard-${1A}\"",
         AT("2:54") ".kafka.transactional_id: expected ${NAME} with the name of an "
                    "environment variable; write $$ for a dollar\n"},
        {"dsard-1", "dsard-$A",
         AT("2:54") ".kafka.transactional_id: a single '$': write $$ for a dollar or ${NAME} "
                    "for an environment variable\n"},
        {"spool_dir: spool", "spool_dir: spool, waves_max: \"${DSARD_TEST_SECRET}\"",
         AT("6:37") ".work.waves_max: expected an integer from 1 to 32, found '${DSARD_TEST_SECRET}'\n"},
    };
    unsetenv("DSARD_TEST_UNSET");
    setenv("DSARD_TEST_EMPTY", "", 1);
    setenv("DSARD_TEST_LATIN1", "caf\xe9", 1);
    setenv("DSARD_TEST_LINES", "a\nb", 1);
    setenv("DSARD_TEST_SECRET", "hunter2", 1);
    EXPECT(cases);
}

static void a_variable_named_often_cannot_fill_the_memory(void **state)
{
    char value[60001], *errors, *list = strdup("arguments: [x"), *text;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    setenv("DSARD_TEST_LONG", value, 1);
    for (int i = 0; i < 99; i++) {
        text = altered(list, NULL, ", \"${DSARD_TEST_LONG}\"");
        free(list);
        list = text;
    }
    char *closed = altered(list, NULL, "]\n    connector: rest");
    text = altered(smallest, "connector: rest", closed);
    assert_null(load(text, CONFIG_FOR_RUN, &errors));
    assert_non_null(strstr(errors, ".sources[0].arguments[70]: more than"));
    assert_null(strstr(errors, ".sources[0].arguments[60]: "));
    unsetenv("DSARD_TEST_LONG");
    free(errors);
    free(text);
    free(closed);
    free(list);
}

static void secrets_never_stand_in_the_file(void **state)
{
    static const struct wrong cases[] = {
        {"connector: rest\n", "connector: rest\n    settings: {api_key: hunter2}\n",
         AT("10:16") ".sources[0].settings.api_key: a secret must not stand in the configuration; use "
                     "'api_key_file' "
                     "with the path of a file\n"},
        {"connector: rest\n", "connector: rest\n    settings: {token: hunter2, Password: hunter2}\n",
         AT("10:16") ".sources[0].settings.token: a secret must not stand in the configuration; use "
                     "'token_file' "
                     "with the path of a file\n" AT(
                         "10:32") ".sources[0].settings.Password: expected as its name 1 "
                                  "to 64 of a-z, 0-9, '_', '.' and '-', the first a "
                                  "letter\n"},
        {"dsard-1}", "dsard-1, properties: {sasl.password: hunter2, ssl.key.pem: hunter2}}",
         AT("2:76") ".kafka.properties.sasl.password: a secret must not stand in the configuration; use "
                    "'sasl.password_file' with the path of a file\n" AT(
                        "2:100") ".kafka.properties.ssl.key.pem: a secret must not stand in the "
                                 "configuration; use "
                                 "'ssl.key.pem_file' with the path of a file\n"},
        {"connector: rest\n", "connector: rest\n    arguments: [--verbose, --db-password=hunter2]\n",
         AT("10:28") ".sources[0].arguments[1]: a secret must not stand in arguments; use a setting "
                     "'NAME_file' with "
                     "the path of a file\n"},
    };
    EXPECT(cases);
}

static void files_that_are_named_can_be_read(void **state)
{
    static const struct wrong cases[] = {
        {"key_file: exporter.jwk", "key_file: absent.jwk",
         AT("4:52") ".exporter.key_file: FOLDER/absent.jwk: No such file or directory\n"},
        {"key_file: exporter.jwk", "key_file: secrets",
         AT("4:52") ".exporter.key_file: FOLDER/secrets: expected a regular file\n"},
        {"key_file: exporter.jwk", "key_file: /dev/null",
         AT("4:52") ".exporter.key_file: /dev/null: expected a regular file\n"},
        {"connector: rest\n", "connector: rest\n    settings: {token_file: secrets/absent}\n",
         AT("10:28") ".sources[0].settings.token_file: FOLDER/secrets/absent: No such file or directory\n"},
        {"connector: rest\n", "connector: rst\n",
         AT("9:16") ".sources[0].connector: FOLDER/libexec/dsar-rst: No such file or directory\n"},
        {"connector: ./libexec/dsar-rest", "connector: ./portal.jwks.json",
         AT("11:16") ".sources[1].connector: FOLDER/portal.jwks.json: expected a program that may be run\n"},
        {"connector: rest\n", "connector: rest\n    profile: billing/other\n",
         AT("10:14") ".sources[0].profile: FOLDER/profiles/billing/other.json: No such file or directory\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct wrong here = cases[i];
        char *full =
            strstr(here.errors, "FOLDER") ? altered(here.errors, "FOLDER", *state) : strdup(here.errors);
        here.errors = full;
        expect_errors(&here, 1);
        free(full);
    }
}

static void parts_fit_together(void **state)
{
    static const struct wrong cases[] = {
        {"name: panel", "name: billing",
         AT("10:11") ".sources[1].name: expected another name than .sources[0] has\n"},
        {NULL, "identities: {allow: [{from: biling, kind: panel_account, to: [panel, forum]}]}\n",
         AT("14:29") ".identities.allow[0].from: no source 'biling' in .sources (did you mean "
                     "'billing'?)\n" AT(
                         "14:70") ".identities.allow[0].to[1]: no source 'forum' in .sources\n"},
        {NULL, "identities: {allow: [{from: billing, kind: email, to: [panel]}]}\n",
         AT("14:44") ".identities.allow[0].kind: no source may find e-mail addresses; only the request names "
                     "them\n"},
        {"dsard-1}", "dsard-1, properties: {enable.auto.commit: true, linger.ms: 5, group.id: x}}",
         AT("2:76") ".kafka.properties.enable.auto.commit: cannot be set: an offset is committed only "
                    "together with "
                    "the outcome of its request\n" AT(
                        "2:116") ".kafka.properties.group.id: cannot be set: use .kafka.group\n"},
        {"dsard-1}", "dsard-1, properties: {ssl.ca.pem: x, ssl.ca.pem_file: exporter.jwk}}",
         AT("2:91") ".kafka.properties.ssl.ca.pem_file: expected either this or 'ssl.ca.pem', not both\n"},
        {"dsard-1}", "dsard-1, topics: {control: dsar.requests, dead: dsar.audit}}",
         AT("2:81") ".kafka.topics.control: expected another topic than .kafka.topics.requests\n" AT(
             "2:71") ".kafka.topics.audit: expected another topic than .kafka.topics.dead\n"},
        {"store: {", "store: {sweep_after_s: 91, ",
         AT("5:24") ".store.sweep_after_s: expected at least 92: three times .work.claim_s, which is 30, and "
                    "2 "
                    "more\n"},
        {"results_url: https://privacy.example.test/dsar/}\nwork: {",
         "sweep_after_s: 4, results_url: https://privacy.example.test/dsar/}\nwork: {claim_s: 1, ",
         AT("5:37") ".store.sweep_after_s: expected at least 5: three times .work.claim_s, which is 1, and 2 "
                    "more\n"},
    };
    EXPECT(cases);
}

static void sweeps_may_leave_claims_no_more_time_than_they_need(void **state)
{
    char *errors,
        *text = altered(
            smallest, "results_url: https://privacy.example.test/dsar/}\nwork: {",
            "sweep_after_s: 5, results_url: https://privacy.example.test/dsar/}\nwork: {claim_s: 1, ");
    struct config *config = load(text, CONFIG_FOR_RUN, &errors);
    assert_string_equal(errors, "");
    assert_non_null(config);
    config_free(config);
    free(errors);
    free(text);
}

static void every_property_that_delivery_rests_on_is_refused(void **state)
{
    static const char *const names[] = {
        "bootstrap.servers",  "metadata.broker.list",          "group.id",          "transactional.id",
        "enable.auto.commit", "enable.auto.offset.store",      "isolation.level",   "enable.idempotence",
        "auto.offset.reset",  "partition.assignment.strategy", "group.instance.id", "group.protocol"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char properties[128], expected[128], *errors;
        snprintf(properties, sizeof properties, "dsard-1, properties: {%s: x}}", names[i]);
        snprintf(expected, sizeof expected, AT("2:76") ".kafka.properties.%s: cannot be set: ", names[i]);
        char *text = altered(smallest, "dsard-1}", properties);
        assert_null(load(text, CONFIG_FOR_RUN, &errors));
        assert_memory_equal(errors, expected, strlen(expected));
        free(errors);
        free(text);
    }
}

static void all_problems_come_at_once(void **state)
{
    char *errors;
    assert_null(load("controller: {id: UPPER}\n"
                     "kafka: {brokrs: x}\n"
                     "requests: {max_bytes: 5}\n"
                     "exporter: none\n"
                     "store: {kind: s3, path: store}\n"
                     "sources: []\n",
                     CONFIG_FOR_RUN, &errors));
    assert_string_equal(
        errors, AT("1:18") ".controller.id: expected 1 to 64 of a-z, 0-9, '.' and '-', found 'UPPER'\n" //
        AT("1:13") ".controller.name: missing; expected text\n"                                         //
        AT("1:13") ".controller.contact: missing; expected text\n"                                      //
        AT("2:9") ".kafka.brokrs: unknown key (did you mean 'brokers'?)\n"                              //
        AT("2:8") ".kafka.brokers: missing; expected text\n"                                            //
        AT("2:8") ".kafka.transactional_id: missing; expected text\n"                                   //
        AT("3:23") ".requests.max_bytes: expected an integer from 1024 to 1048576, found '5'\n"         //
        AT("4:11") ".exporter: expected a mapping, found 'none'\n"                                      //
        AT("5:15") ".store.kind: expected dir, found 's3'\n"                                            //
        AT("5:8") ".store.results_url: missing; expected an http or https URL that ends in '/' or "
                  "'='\n"                                       //
        AT("6:10") ".sources: expected at least 1, found 0\n"   //
        AT("1:1") ".work.spool_dir: missing; expected a path\n" //
        AT("3:11") ".requests.trusted_keys_file: missing; expected the path of a file, as "
                   ".requests.require_signature is true\n");
    free(errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_known_unique_and_all_there),
        cmocka_unit_test(values_have_their_type_and_range),
        cmocka_unit_test(what_is_no_plain_yaml_is_refused),
        cmocka_unit_test(a_file_that_is_no_mapping_is_refused),
        cmocka_unit_test(a_file_is_limited_in_size_entries_and_errors),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(variables_must_be_set),
        cmocka_unit_test(a_variable_named_often_cannot_fill_the_memory),
        cmocka_unit_test(secrets_never_stand_in_the_file),
        cmocka_unit_test(files_that_are_named_can_be_read),
        cmocka_unit_test(parts_fit_together),
        cmocka_unit_test(sweeps_may_leave_claims_no_more_time_than_they_need),
        cmocka_unit_test(every_property_that_delivery_rests_on_is_refused),
        cmocka_unit_test(all_problems_come_at_once),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
