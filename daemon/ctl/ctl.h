/* ctl: what `dsarctl` can be told to do. Each takes its own part of the command line and gives the exit
 * status. */
#ifndef DSAR_CTL_CTL_H
#define DSAR_CTL_CTL_H

#include "base/buf.h"
#include "base/fault.h"

#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stddef.h>
#include <sys/types.h>

#define CTL_REQUEST_MAX_BYTES (1024 * 1024) /* of a request that is read from a file */

enum ctl_status {
    CTL_DONE = 0,
    CTL_FAILED = 1,
    CTL_USAGE = 2,
    CTL_REFUSED = 5, /* watch: the request ended otherwise than completed */
};

int ctl_keygen(int argc, char **argv);
int ctl_submit(int argc, char **argv);
int ctl_cancel(int argc, char **argv);
int ctl_watch(int argc, char **argv);
int ctl_open(int argc, char **argv);
int ctl_passphrase(int argc, char **argv);
int ctl_verify(int argc, char **argv);
int ctl_dead(int argc, char **argv);

/* Prints "dsarctl WHAT: the fault" and gives CTL_FAILED. */
int ctl_failed(const char *what, const struct fault *fault);

/* Prints the help: to standard output with CTL_DONE when `asked`, to standard error with CTL_USAGE otherwise.
 */
int ctl_help(const char *help, int asked);

/* Prints text that came from elsewhere to standard output: a control character, which could command a terminal,
 * becomes '?'. */
void ctl_print_text(const char *text, size_t len);

/* Reads a JSON object from a file, or from standard input when `path` is "-"; at most `max` bytes. NULL with
 * a fault. */
json_t *ctl_read_json(const char *path, size_t max, struct fault *fault);

/* Writes a new file, durably; what exists is left alone. Fails with "file_unwritable", and leaves no part of it. */
int ctl_write_file(const char *path, const void *data, size_t len, mode_t mode, struct fault *fault)
    __attribute__((warn_unused_result));

#endif
