#include "ctl/ctl.h"
#include "ctl/unlock.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: dsarctl passphrase --event FILE --key FILE\n\n"
    "Prints the passphrase of the bundle that the event names, for programs that ask for it.\n"
    "  --event  the `completed` event, as `dsarctl watch --save` or `dsard once` wrote it\n"
    "  --key    the recipient's private key (keygen --kind recipient)\n";

int ctl_passphrase(int argc, char **argv)
{
    static const struct option options[] = {{"event", required_argument, NULL, 'e'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct unlock unlock = {0};
    struct fault fault;
    for (int c; (c = getopt_long(argc, argv, "e:k:h", options, NULL)) != -1;) {
        switch (c) {
        case 'e': unlock.event_path = optarg; break;
        case 'k': unlock.key_path = optarg; break;
        default: return ctl_help(help, c == 'h');
        }
    }
    if (!unlock.event_path || !unlock.key_path || optind != argc)
        return ctl_help(help, 0);
    int result = unlock_open(&unlock, &fault);
    if (result == 0)
        puts(unlock.passphrase);
    unlock_wipe(&unlock);
    return result ? ctl_failed("passphrase", &fault) : CTL_DONE;
}
