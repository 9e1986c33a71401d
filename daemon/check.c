/* dsard check: is a configuration right, and with --connect: does what it names answer? */
#include "check_parts.h"
#include "commands.h"

#include "base/plain.h"
#include "dsar/protocol.h"
#include "gather/confine.h"
#include "intake/syntax.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: dsard check [--connect [--identity KIND=VALUE]...] -c FILE\n\n"
    "Checks the configuration, keys, properties of Kafka and every source's settings against\n"
    "its connector, without any connection. Problems are printed as\n"
    "FILE:LINE:COLUMN: error: …\n"
    "Otherwise prints what each connector may do, and which parts of the sandbox this system has.\n\n"
    "--connect: tries every source, the store, the spool and Kafka too, without anybody's data.\n"
    "--identity email=alice@example.test: then asks all sources for that person, as a request would,\n"
    "and prints how much each holds, never what; nothing is kept, and no audit record is made. Name a\n"
    "made-up person: others on this machine can see the arguments of a program.\n"
    "exit status: 0 all is well; 1 something did not answer, or not in full; 2 wrong usage or "
    "configuration\n";

struct check {
    const char *config_path;
    bool connects;
    struct identity identities[REQUEST_IDENTITIES_MAX];
    size_t n_identities;
};

static bool is_value(const char *kind, const char *value)
{
    size_t len = strlen(value);
    return len <= DSAR_IDENTITY_MAX && plain_is(value, len) &&
           (strcmp(kind, "email") != 0 || syntax_is_email(value));
}

/* Takes KIND=VALUE, of which it makes two texts in their place. */
static int add_identity(struct check *check, char *kind)
{
    char *value = strchr(kind, '=');
    if (value)
        *value++ = '\0';
    if (!value || !syntax_is_kind(kind) || !is_value(kind, value) ||
        check->n_identities == REQUEST_IDENTITIES_MAX)
        return -1;
    check->identities[check->n_identities++] = (struct identity){.kind = kind, .value = value};
    return 0;
}

/* -1: go on; otherwise the exit status. */
static int read_options(int argc, char **argv, struct check *check)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"connect", no_argument, NULL, 'n'},
                                            {"identity", required_argument, NULL, 'i'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (c == 'c') {
            check->config_path = optarg;
        } else if (c == 'n') {
            check->connects = true;
        } else if (c == 'i') {
            if (add_identity(check, optarg)) {
                fprintf(stderr,
                        "dsard check: --identity: expected KIND=VALUE, as email=alice@example.test\n");
                return EXIT_USAGE;
            }
        } else {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_DONE : EXIT_USAGE;
        }
    }
    if (check->config_path && optind == argc && (check->connects || !check->n_identities))
        return -1;
    fputs(help, stderr);
    return EXIT_USAGE;
}

static void show_catalog(const struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_sources; i++) {
        const struct catalog_source *source = &catalog->sources[i];
        printf("%-16s %zu collections\n", source->config->name, source->n_collections);
        sandbox_describe(source->sandbox, "  ", stdout);
    }
}

static void show_sandbox(const struct config *config)
{
    struct confine_part parts[CONFINE_PARTS];
    confine_parts(config, parts);
    puts("sandbox");
    for (size_t i = 0; i < CONFINE_PARTS; i++)
        printf("  %-14s %s%s%s\n", parts[i].name, parts[i].is_there ? "yes" : "no",
               parts[i].is_there ? "" : ": ", parts[i].is_there ? "" : parts[i].lack);
}

static int connect_all(struct check *check, struct exporter *exporter, const struct cancel *cancel)
{
    puts("\nconnections");
    bool good = check_sources(exporter->catalog, exporter->config->work.concurrent_sources, cancel) == 0;
    bool is_open = check_store(exporter) == 0;
    good = check_kafka(exporter->config, exporter->log) == 0 && is_open && good;
    if (check->n_identities && is_open) {
        puts("\ntest person");
        good = check_person(exporter, check->identities, check->n_identities, cancel) == 0 && good;
    }
    return good ? EXIT_DONE : EXIT_FAILED;
}

static int run(struct check *check, struct config *config, struct log *log, const struct cancel *cancel)
{
    struct exporter exporter;
    struct fault fault;
    int status = EXIT_DONE;
    config->retry.attempts = 1; /* what is not well is to be seen */
    if (exporter_learn(&exporter, config, log, &fault)) {
        status = command_failed("check", &fault, EXIT_USAGE);
    } else {
        show_catalog(exporter.catalog);
        show_sandbox(config);
        if (check->connects)
            status = connect_all(check, &exporter, cancel);
    }
    exporter_close(&exporter);
    return status;
}

int command_check(int argc, char **argv, const struct command_signals *signals)
{
    struct check check = {.config_path = NULL};
    struct config *config;
    int status = read_options(argc, argv, &check);
    if (status != -1)
        return status;
    if (config_load(&config, check.config_path, CONFIG_FOR_ONCE, stderr))
        return EXIT_USAGE;
    struct log *log = command_log(config);
    status = run(&check, config, log, signals->leave);
    log_free(log);
    config_free(config);
    return status;
}
