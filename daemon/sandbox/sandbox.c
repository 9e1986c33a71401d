#include "sandbox/sandbox.h"

#include "sandbox/landlock.h"
#include "sandbox/loose.h"
#include "sandbox/places.h"
#include "sandbox/support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Above the descriptors that a child gives new meanings to. */
#define RULESET_FD_MIN 10

struct sandbox {
    struct sandbox_options options; /* its texts and arrays are copies */
    struct user user;
    struct places places;
    unsigned abi; /* of Landlock; 0: none */
    bool has_calls;
    struct sock_fprog calls;
};

/* A copy of texts behind the array of pointers to them: one free. */
static const char *const *copy_texts(const char *const *texts, size_t n)
{
    size_t size = (n ? n : 1) * sizeof *texts;
    for (size_t i = 0; i < n; i++)
        size += strlen(texts[i]) + 1;
    const char **copy = malloc(size);
    if (!copy)
        return NULL;
    char *at = (char *)(copy + (n ? n : 1));
    for (size_t i = 0; i < n; i++) {
        copy[i] = at;
        at = stpcpy(at, texts[i]) + 1;
    }
    return copy;
}

static int copy_options(struct sandbox *sandbox, const struct sandbox_options *options, struct fault *fault)
{
    struct sandbox_options *mine = &sandbox->options;
    *mine = *options;
    uint16_t *ports = malloc((options->n_ports ? options->n_ports : 1) * sizeof *ports);
    if (ports && options->n_ports)
        memcpy(ports, options->ports, options->n_ports * sizeof *ports);
    mine->run = copy_texts(options->run, options->n_run);
    mine->read = copy_texts(options->read, options->n_read);
    mine->ports = ports;
    if (options->user) {
        sandbox->user = *options->user;
        mine->user = &sandbox->user;
    }
    return mine->run && mine->read && ports && places_find(&sandbox->places) == 0
               ? 0
               : fault_retry(fault, "no_memory", "no memory for a sandbox");
}

int sandbox_new(struct sandbox **sandbox, const struct sandbox_options *options, struct fault *fault)
{
    struct sandbox *new = calloc(1, sizeof *new);
    if (!new)
        return fault_retry(fault, "no_memory", "no memory for a sandbox");
    const struct loose_options calls = {.tcp = options->n_ports > 0,
                                        .names = options->names,
                                        .unix_sockets = options->unix_sockets,
                                        .processes = options->processes};
    new->abi = options->is_open ? 0 : landlock_abi();
    new->has_calls = !options->is_open &&support_has(SUPPORT_CALLS);
    if (copy_options(new, options, fault) || (new->has_calls &&loose_new(&new->calls, &calls, fault))) {
        sandbox_free(new);
        return -1;
    }
    *sandbox = new;
    return 0;
}

/* The arrays are ours, though nobody may change them. */
static void free_array(const void *array)
{
    void *owned;
    memcpy(&owned, &array, sizeof owned);
    free(owned);
}

void sandbox_free(struct sandbox *sandbox)
{
    if (!sandbox)
        return;
    free_array(sandbox->options.run);
    free_array(sandbox->options.read);
    free_array(sandbox->options.ports);
    places_free(&sandbox->places);
    free(sandbox->calls.filter);
    free(sandbox);
}

void sandbox_describe(const struct sandbox *sandbox, const char *indent, FILE *out)
{
    const struct sandbox_options *options = &sandbox->options;
    if (options->is_open) {
        fprintf(out, "%snot confined: .sandbox.enabled is false\n", indent);
        return;
    }
    for (size_t i = 0; i < options->n_run; i++)
        fprintf(out, "%sreads and runs %s\n", indent, options->run[i]);
    for (size_t i = 0; i < options->n_read; i++)
        fprintf(out, "%sreads %s\n", indent, options->read[i]);
    for (size_t i = 0; i < options->n_ports; i++)
        fprintf(out, "%sconnects to TCP port %u\n", indent, (unsigned)options->ports[i]);
    if (options->names)
        fprintf(out, "%sasks name servers\n", indent);
    if (options->unix_sockets)
        fprintf(out, "%sconnects to Unix sockets\n", indent);
    if (options->processes)
        fprintf(out, "%sstarts processes\n", indent);
    if (options->reads_all)
        fprintf(out, "%sreads files of whichever owner\n", indent);
}

/* --- one process --- */

static int add_rules(const struct sandbox *sandbox, int ruleset, struct fault *fault)
{
    const struct sandbox_options *options = &sandbox->options;
    if (places_allow(&sandbox->places, ruleset, fault))
        return -1;
    for (size_t i = 0; i < options->n_run; i++)
        if (landlock_allow_path(ruleset, options->run[i], LANDLOCK_RUN, fault))
            return -1;
    for (size_t i = 0; i < options->n_read; i++)
        if (landlock_allow_path(ruleset, options->read[i], LANDLOCK_READ, fault))
            return -1;
    for (size_t i = 0; i < options->n_ports && sandbox->abi >= LANDLOCK_ABI_PORTS; i++)
        if (landlock_allow_port(ruleset, options->ports[i], fault))
            return -1;
    return 0;
}

int sandbox_begin(const struct sandbox *sandbox, struct sandbox_entry *entry, struct fault *fault)
{
    *entry = (struct sandbox_entry){.sandbox = sandbox, .ruleset = -1, .parent = getpid()};
    int low;
    if (sandbox->abi < LANDLOCK_ABI_FILES)
        return 0;
    if (landlock_new(sandbox->abi, &low, fault))
        return -1;
    entry->ruleset = fcntl(low, F_DUPFD_CLOEXEC, RULESET_FD_MIN);
    int saved = errno;
    close(low);
    if (entry->ruleset < 0)
        return fault_errno(fault, "no_descriptor", saved, "a sandbox's rules for files");
    if (add_rules(sandbox, entry->ruleset, fault) == 0)
        return 0;
    sandbox_end(entry);
    return -1;
}

void sandbox_end(struct sandbox_entry *entry)
{
    if (entry->ruleset >= 0)
        close(entry->ruleset);
    entry->ruleset = -1;
}

static int limit(__rlimit_resource_t resource, uint64_t most)
{
    struct rlimit now;
    if (getrlimit(resource, &now))
        return -1;
    /* never more than the daemon itself may */
    const rlim_t bound = now.rlim_max < most ? now.rlim_max : most;
    const struct rlimit wanted = {.rlim_cur = bound, .rlim_max = bound};
    return setrlimit(resource, &wanted);
}

static int set_limits(const struct sandbox_options *options)
{
    if (limit(RLIMIT_CORE, 0))
        return -1;
    if (options->is_open)
        return 0;
    /* nothing is written to files; what has a name is Landlock's business too, what has none is not */
    return limit(RLIMIT_FSIZE, 0) || limit(RLIMIT_MSGQUEUE, 0) || limit(RLIMIT_NICE, 0) ||
                   limit(RLIMIT_RTPRIO, 0) ||
                   (options->memory_bytes && limit(RLIMIT_AS, options->memory_bytes)) ||
                   (options->files_max && limit(RLIMIT_NOFILE, options->files_max)) ||
                   (options->processes_max && limit(RLIMIT_NPROC, options->processes_max))
               ? -1
               : 0;
}

/* It dies with the thread that started it. What changes the user undoes this, and the filter forbids to undo it. */
static int follow_parent(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
        return -1;
    if (getppid() == parent)
        return 0;
    errno = ESRCH;
    return -1;
}

int sandbox_enter(const struct sandbox_entry *entry)
{
    const struct sandbox *sandbox = entry->sandbox;
    const struct sandbox_options *options = &sandbox->options;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || user_enter(options->user, options->reads_all) ||
        follow_parent(entry->parent) || set_limits(options))
        return -1;
    if (entry->ruleset >= 0 && landlock_enter(entry->ruleset))
        return -1;
    return sandbox->has_calls ? loose_enter(&sandbox->calls, !options->processes) : 0;
}
