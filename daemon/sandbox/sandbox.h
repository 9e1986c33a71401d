/* sandbox: what a connector's process may do of the system. See README.md.
 *
 * A sandbox is made once for a source and then read-only: several threads may start processes in it at once.
 */
#ifndef DSAR_SANDBOX_SANDBOX_H
#define DSAR_SANDBOX_SANDBOX_H

#include "base/fault.h"
#include "sandbox/user.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct sandbox;

struct sandbox_options {
    bool is_open;           /* nothing below holds: only what is never needed is taken away */
    const char *const *run; /* programs and folders of programs: read and started */
    size_t n_run;
    const char *const *read; /* files, and folders with all that is in them */
    size_t n_read;
    const uint16_t *ports; /* of TCP, to connect to */
    size_t n_ports;
    bool names;              /* asks name servers */
    bool unix_sockets;       /* connects to sockets in the file system */
    bool processes;          /* starts processes */
    bool reads_all;          /* reads files of whichever owner */
    uint64_t memory_bytes;   /* of addresses; 0: no limit */
    unsigned files_max;      /* descriptors open at a time; 0: no limit */
    unsigned processes_max;  /* processes and threads of its user altogether; 0: no limit */
    const struct user *user; /* NULL: the daemon's own */
};

/* Copies the options. Fails with "no_memory", "no_descriptor" or "internal". */
int sandbox_new(struct sandbox **sandbox, const struct sandbox_options *options, struct fault *fault)
    __attribute__((warn_unused_result));

/* No process may be started any more. NULL is harmless. */
void sandbox_free(struct sandbox *sandbox);

/* Writes what is allowed beyond what every program needs, a line each with `indent` before it. */
void sandbox_describe(const struct sandbox *sandbox, const char *indent, FILE *out);

/* One process that is about to be started. */
struct sandbox_entry {
    const struct sandbox *sandbox;
    int ruleset; /* -1: none */
    pid_t parent;
};

/* Before the fork: looks up the files as they are now. The entry holds a descriptor until sandbox_end. */
int sandbox_begin(const struct sandbox *sandbox, struct sandbox_entry *entry, struct fault *fault)
    __attribute__((warn_unused_result));
void sandbox_end(struct sandbox_entry *entry);

/* Between fork and exec: puts the calling process into the sandbox, for good. Makes system calls alone, and leaves
 * descriptors to the caller. -1 with errno. */
int sandbox_enter(const struct sandbox_entry *entry) __attribute__((warn_unused_result));

#endif
