/* dsard: answers data subjects' access requests. See README.md. */
#include "base/cancel.h"
#include "base/secret.h"
#include "commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* The only globals: what a signal handler can reach. */
static struct cancel *leave;
static struct cancel *now;

static void on_signal(int signal_number)
{
    (void)signal_number;
    cancel_raise(cancel_raised(leave) ? now : leave);
}

static int watch_signals(struct fault *fault)
{
    if (cancel_new(&leave, fault) || cancel_new(&now, fault))
        return -1;
    const struct sigaction told = {.sa_handler = on_signal}, ignored = {.sa_handler = SIG_IGN};
    if (sigaction(SIGTERM, &told, NULL) || sigaction(SIGINT, &told, NULL) ||
        sigaction(SIGPIPE, &ignored, NULL))
        return fault_set(fault, "internal", "signals cannot be watched");
    return 0;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv, const struct command_signals *signals);
    const char *help;
} commands[] = {
    {"run", command_run, "take requests from Kafka and answer them until SIGTERM"},
    {"once", command_once, "answer one request from a file, without Kafka"},
    {"check", command_check, "check a configuration and its connectors"},
    {"options", command_options, "print the reference of all configuration options"},
    {"demo", command_demo, "answer a request about an example host, with everything on this machine"},
};

static int usage(FILE *out, int status)
{
    fputs("dsard, the data subject access export daemon\n\nusage: dsard COMMAND [OPTIONS]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
    fputs(
        "\n`dsard COMMAND --help` tells more. `dsard --version` prints the version.\n\n"
        "exit status: 0 done; 1 failed; 2 wrong usage or configuration; 3 Kafka or a want of memory made it "
        "impossible\n"
        "to go on (start again); of `once`: 4 delivered with gaps, 5 refused\n",
        out);
    return status;
}

int main(int argc, char **argv)
{
    struct fault fault;
    if (argc < 2)
        return usage(stderr, EXIT_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, 0);
    if (strcmp(argv[1], "--version") == 0)
        return puts("dsard " DSAR_VERSION) < 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (secret_harden_process(&fault) || watch_signals(&fault)) {
            fprintf(stderr, "dsard: %s\n", fault.text);
            return EXIT_FAILED;
        }
        const struct command_signals signals = {.leave = leave, .now = now};
        int status = commands[i].run(argc - 1, argv + 1, &signals);
        /* the handler may still be called, so the flags stay until the process ends */
        return status;
    }
    fprintf(stderr, "dsard: unknown command '%s'\n\n", argv[1]);
    return usage(stderr, EXIT_USAGE);
}
