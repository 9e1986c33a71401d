/* dsarctl: the portal's and the client's side of dsard, for the command line. */
#include "base/secret.h"
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"keygen", ctl_keygen,
     "make a key: to sign requests or as an exporter, to receive bundles, to open sealed identities"},
    {"submit", ctl_submit, "sign a request and put it on Kafka"},
    {"cancel", ctl_cancel, "sign the cancellation of a request and put it on Kafka"},
    {"watch", ctl_watch, "show what becomes of a request"},
    {"open", ctl_open, "unpack a bundle"},
    {"passphrase", ctl_passphrase, "print a bundle's passphrase, for 7-Zip and the like"},
    {"verify", ctl_verify, "check a bundle against its event and its manifest"},
    {"dead", ctl_dead, "list, show, replay and drop dead letters"},
};

static int usage(FILE *out, int status)
{
    fputs("dsarctl, the other side of dsard\n\nusage: dsarctl COMMAND [OPTIONS]\n\n", out);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].help);
    fputs("\n`dsarctl COMMAND --help` tells more. `dsarctl --version` prints the version.\n\n"
          "exit status: 0 done; 1 failed; 2 wrong usage; of `watch`: 5 the request was not completed\n",
          out);
    return status;
}

int main(int argc, char **argv)
{
    struct fault fault;
    if (argc < 2)
        return usage(stderr, CTL_USAGE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout, CTL_DONE);
    if (strcmp(argv[1], "--version") == 0)
        return puts("dsarctl " DSAR_VERSION) < 0;
    if (secret_harden_process(&fault))
        return ctl_failed(argv[1], &fault);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    fprintf(stderr, "dsarctl: unknown command '%s'\n\n", argv[1]);
    return usage(stderr, CTL_USAGE);
}
