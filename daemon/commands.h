/* commands: what `dsard` can be told to do. Each takes its own part of the command line and gives the exit
 * status. */
#ifndef DSAR_COMMANDS_H
#define DSAR_COMMANDS_H

#include "base/cancel.h"
#include "base/log.h"
#include "config/config.h"

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,   /* wrong usage or configuration; nothing was begun */
    EXIT_RESTART = 3, /* Kafka made it impossible to go on: a new process takes up where this one ended */
    EXIT_GAPS = 4,    /* once: delivered, but a source could not answer */
    EXIT_REFUSED = 5, /* once: the request cannot be answered */
};

struct command_signals {
    struct cancel *leave; /* raised by the first SIGTERM or SIGINT */
    struct cancel *now;   /* raised by the second */
};

int command_run(int argc, char **argv, const struct command_signals *signals);
int command_once(int argc, char **argv, const struct command_signals *signals);
int command_check(int argc, char **argv, const struct command_signals *signals);
int command_options(int argc, char **argv, const struct command_signals *signals);
int command_demo(int argc, char **argv, const struct command_signals *signals);

/* Prints "dsard WHAT: the fault" to standard error and gives `status`. */
int command_failed(const char *what, const struct fault *fault, int status);

/* The log as configured. NULL without memory. */
struct log *command_log(const struct config *config);

#endif
