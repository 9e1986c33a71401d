#include "commands.h"

#include "outcome/exporter.h"
#include "outcome/serve.h"

#include <getopt.h>
#include <stdio.h>
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
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) { /* NOLINT(concurrency-mt-unsafe) */
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
    bool bad_config;
    int status = read_config_option(argc, argv,
                                    "usage: dsard run -c FILE\n\n"
                                    "Takes requests from Kafka and answers them. SIGTERM: takes no more and finishes\n"
                                    "what is going on (25 s); a second SIGTERM: leaves at once. Nothing is lost either way.\n",
                                    &path);
    if (status != -1)
        return status;
    if (config_load(&config, path, CONFIG_FOR_RUN, stderr))
        return EXIT_USAGE;
    struct log *log = command_log(config);
    if (exporter_open(&exporter, config, log, &bad_config, &fault)) {
        status = command_failed("run", &fault, bad_config ? EXIT_USAGE : EXIT_FAILED);
    } else {
        const struct serve_options options = {.exporter = &exporter, .leave = signals->leave, .now = signals->now};
        log_line(log, LOG_LEVEL_INFO, NULL, "dsard " DSAR_VERSION " takes requests from topic %s",
                 config->kafka.topics.requests);
        status = serve(&options, &fault) ? command_failed("run", &fault, EXIT_RESTART) : EXIT_DONE;
        exporter_close(&exporter);
    }
    log_free(log);
    config_free(config);
    return status;
}

int command_check(int argc, char **argv, const struct command_signals *signals)
{
    (void)signals;
    const char *path;
    struct config *config;
    struct catalog *catalog;
    int status = read_config_option(argc, argv,
                                    "usage: dsard check -c FILE\n\n"
                                    "Checks the configuration and every source's settings against its connector,\n"
                                    "without any connection. Problems are printed as FILE:LINE:COLUMN: error: …\n",
                                    &path);
    if (status != -1)
        return status;
    if (config_load(&config, path, CONFIG_FOR_ONCE, stderr))
        return EXIT_USAGE;
    status = catalog_new(&catalog, config, stderr) ? EXIT_USAGE : EXIT_DONE;
    if (status == EXIT_DONE) {
        for (size_t i = 0; i < catalog->n_sources; i++)
            printf("%-16s %zu collections\n", config->sources[i].name, catalog->sources[i].n_collections);
        catalog_free(catalog);
    }
    config_free(config);
    return status;
}

int command_options(int argc, char **argv, const struct command_signals *signals)
{
    (void)signals;
    if (argc > 1) {
        fputs("usage: dsard options\n\nPrints the reference of all configuration options as Markdown.\n",
              argc == 2 ? stdout : stderr);
        return argc == 2 ? EXIT_DONE : EXIT_USAGE;
    }
    (void)argv;
    config_print_reference(stdout);
    return EXIT_DONE;
}
