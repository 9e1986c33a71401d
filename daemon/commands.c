#include "commands.h"

#include "gather/confine.h"
#include "outcome/exporter.h"
#include "outcome/serve.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int command_failed(const char *what, const struct fault *fault, int status)
{
    fprintf(stderr, "dsard %s: %s\n", what, fault->text);
    return status;
}

struct log *command_log(const struct config *config)
{
    return log_new(STDERR_FILENO, config->log.level, config->log.format == CONFIG_LOG_JSON);
}

/* Reads `-c FILE`, the only option of run and check. -1: go on; otherwise the exit status. */
static int read_config_option(int argc, char **argv, const char *help, const char **path)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    *path = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (c == 'c') {
            *path = optarg;
        } else {
            fputs(help, c == 'h' ? stdout : stderr);
            return c == 'h' ? EXIT_DONE : EXIT_USAGE;
        }
    }
    if (*path && optind == argc)
        return -1;
    fputs(help, stderr);
    return EXIT_USAGE;
}

int command_run(int argc, char **argv, const struct command_signals *signals)
{
    const char *path;
    struct config *config;
    struct exporter exporter;
    struct fault fault;
    int status = read_config_option(
        argc, argv,
        "usage: dsard run -c FILE\n\n"
        "Takes requests from Kafka and answers them. SIGTERM: takes no more and finishes\n"
        "what is going on (work.grace_s); a second SIGTERM: leaves at once. Nothing is lost either way.\n",
        &path);
    if (status != -1)
        return status;
    if (config_load(&config, path, CONFIG_FOR_RUN, stderr))
        return EXIT_USAGE;
    struct log *log = command_log(config);
    const struct serve_options options = {
        .exporter = &exporter, .leave = signals->leave, .now = signals->now, .hung_status = EXIT_RESTART};
    if (exporter_learn(&exporter, config, log, &fault)) {
        status = command_failed("run", &fault, EXIT_USAGE);
    } else if (exporter_open(&exporter, &fault)) {
        status = command_failed("run", &fault, EXIT_FAILED);
    } else {
        log_line(log, LOG_LEVEL_INFO, NULL, "dsard " DSAR_VERSION " takes requests from topic %s",
                 config->kafka.topics.requests);
        status = serve(&options, &fault) ? command_failed("run", &fault, EXIT_RESTART) : EXIT_DONE;
    }
    exporter_close(&exporter);
    log_free(log);
    config_free(config);
    return status;
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

int command_check(int argc, char **argv, const struct command_signals *signals)
{
    (void)signals;
    const char *path;
    struct config *config;
    struct exporter exporter;
    struct fault fault;
    int status = read_config_option(
        argc, argv,
        "usage: dsard check -c FILE\n\n"
        "Checks the configuration, keys, properties of Kafka and every source's settings against\n"
        "its connector, without any connection. Problems are printed as\n"
        "FILE:LINE:COLUMN: error: …\n"
        "Otherwise prints what each connector may do, and which parts of the sandbox this system has.\n",
        &path);
    if (status != -1)
        return status;
    if (config_load(&config, path, CONFIG_FOR_ONCE, stderr))
        return EXIT_USAGE;
    struct log *log = command_log(config);
    status = EXIT_DONE;
    if (exporter_learn(&exporter, config, log, &fault))
        status = command_failed("check", &fault, EXIT_USAGE);
    if (status == EXIT_DONE)
        show_catalog(exporter.catalog);
    if (status == EXIT_DONE)
        show_sandbox(config);
    exporter_close(&exporter);
    log_free(log);
    config_free(config);
    return status;
}

int command_options(int argc, char **argv, const struct command_signals *signals)
{
    (void)signals;
    if (argc > 1) {
        bool asked = argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
        fputs("usage: dsard options\n\nPrints the reference of all configuration options as Markdown.\n",
              asked ? stdout : stderr);
        return asked ? EXIT_DONE : EXIT_USAGE;
    }
    config_print_reference(stdout);
    return EXIT_DONE;
}
