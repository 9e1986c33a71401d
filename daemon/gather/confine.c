#include "gather/confine.h"

#include "config/scalar.h"
#include "config/source_check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MAX 1024
#define PORTS_MAX 256
#define HOST_MAX  256
#define DNS_PORT  53

/* What is gathered for one sandbox. */
struct needs {
    const struct source_config *source;
    struct sandbox_options options;
    struct user user;
    const char *run[PATHS_MAX];
    const char *read[PATHS_MAX];
    uint16_t ports[PORTS_MAX];
    char *owned[PATHS_MAX]; /* texts that were made for it */
    size_t n_owned;
    bool full; /* something did not fit, or there was no memory */
};

static void add_run(struct needs *needs, const char *path)
{
    if (needs->options.n_run < PATHS_MAX && path)
        needs->run[needs->options.n_run++] = path;
    else
        needs->full = true;
}

static void add_read(struct needs *needs, const char *path)
{
    if (needs->options.n_read < PATHS_MAX && path)
        needs->read[needs->options.n_read++] = path;
    else
        needs->full = true;
}

static void add_port(struct needs *needs, long long port)
{
    for (size_t i = 0; i < needs->options.n_ports; i++)
        if (needs->ports[i] == port)
            return;
    if (port >= 1 && port <= 65535 && needs->options.n_ports < PORTS_MAX)
        needs->ports[needs->options.n_ports++] = (uint16_t)port;
    else
        needs->full = true;
}

/* Takes over `text`, which may be NULL for want of memory. */
static const char *own(struct needs *needs, char *text)
{
    if (text && needs->n_owned < PATHS_MAX)
        return needs->owned[needs->n_owned++] = text;
    free(text);
    return NULL;
}

/* --- hosts --- */

static bool is_name_to_look_up(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t len = strlen(host);
    static const char local[] = "localhost";
    const size_t local_len = sizeof local - 1;
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return false;
    bool is_local = len >= local_len && strcasecmp(host + len - local_len, local) == 0 &&
                    (len == local_len || host[len - local_len - 1] == '.');
    return !is_local;
}

/* Splits the authority of a URL that scalar_is_url took. A port that is none stays 0. */
static void split_url(const char *url, char host[HOST_MAX], long long *port)
{
    bool is_tls = url[4] == 's';
    const char *start = strstr(url, "://") + 3;
    const char *end = start + strcspn(start, "/?");
    for (const char *at; (at = memchr(start, '@', (size_t)(end - start))) != NULL;)
        start = at + 1;
    const char *colon = NULL;
    for (const char *c = start; c < end; c++)
        colon = *c == ':' ? c : *c == ']' ? NULL : colon;
    *port = is_tls ? 443 : 80;
    if (colon && colon + 1 < end) {
        *port = strtoll(colon + 1, NULL, 10);
        if (*port < 1 || *port > 65535)
            *port = 0;
    }
    const char *host_end = colon ? colon : end;
    bool in_brackets = start < host_end && *start == '[';
    size_t len = (size_t)(host_end - start) - (in_brackets ? 2 : 0);
    snprintf(host, HOST_MAX, "%.*s", (int)(len < HOST_MAX ? len : HOST_MAX - 1), start + in_brackets);
}

static void add_url(struct needs *needs, const char *url)
{
    char host[HOST_MAX];
    long long port;
    split_url(url, host, &port);
    if (port)
        add_port(needs, port);
    needs->options.names |= is_name_to_look_up(host);
}

/* --- settings --- */

/* A file, with what SQLite keeps beside one. */
static void add_path(struct needs *needs, const char *path)
{
    static const char *const beside[] = {"-journal", "-wal", "-shm"};
    add_read(needs, path);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        char *text;
        add_read(needs, asprintf(&text, "%s%s", path, beside[i]) < 0 ? NULL : own(needs, text));
    }
}

static bool has_port(const json_t *hello, const json_t *settings)
{
    size_t i;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting) {
        const char *kind = json_string_value(json_object_get(setting, "kind"));
        const char *name = json_string_value(json_object_get(setting, "name"));
        if (kind && name && strcmp(kind, "port") == 0 && json_object_get(settings, name))
            return true;
    }
    return false;
}

/* `ports` are what its connector takes when no setting names one. */
static void add_host(struct needs *needs, const char *host, const json_t *ports)
{
    size_t i;
    const json_t *port;
    needs->options.names |= is_name_to_look_up(host);
    json_array_foreach (ports, i, port)
        add_port(needs, json_integer_value(port));
}

static void add_setting(struct needs *needs, const json_t *setting, const char *kind, const json_t *value,
                        bool has_port)
{
    const char *text = json_string_value(value);
    if (strcmp(kind, "path") == 0 && text)
        add_path(needs, text);
    else if (strcmp(kind, "url") == 0 && text)
        add_url(needs, text);
    else if (strcmp(kind, "port") == 0 && json_is_integer(value))
        add_port(needs, json_integer_value(value));
    else if (strcmp(kind, "host") == 0 && text)
        add_host(needs, text, has_port ? NULL : json_object_get(setting, "ports"));
    else if (strcmp(kind, "socket") == 0 && text)
        needs->options.unix_sockets = true;
}

static void add_declared(struct needs *needs, const json_t *hello, const json_t *settings)
{
    const bool port_is_set = has_port(hello, settings);
    size_t i;
    const json_t *setting;
    json_array_foreach (json_object_get(hello, "settings"), i, setting) {
        const char *name = json_string_value(json_object_get(setting, "name"));
        const char *kind = json_string_value(json_object_get(setting, "kind"));
        if (name && kind)
            add_setting(needs, setting, kind, json_object_get(settings, name), port_is_set);
    }
    json_t *path;
    json_array_foreach (json_object_get(hello, "reads"), i, path)
        add_read(needs, json_string_value(path));
}

/* What the operator grants on top. */
static int add_granted(struct needs *needs, struct fault *fault)
{
    const struct source_config *source = needs->source;
    for (size_t i = 0; i < source->sandbox.n_read; i++) {
        struct stat st;
        const char *path = own(needs, scalar_path(source->folder, source->sandbox.read[i]));
        if (path && stat(path, &st))
            return fault_errno(fault, "bad_settings", errno, "source %s: sandbox.read: %s", source->name,
                               path);
        add_run(needs, path);
    }
    for (size_t i = 0; i < source->sandbox.n_connect; i++)
        add_port(needs, strtoll(source->sandbox.connect[i], NULL, 10));
    needs->options.unix_sockets |= source->sandbox.unix_sockets;
    if (source->sandbox.resolve_names != CONFIG_RESOLVE_AUTO)
        needs->options.names = source->sandbox.resolve_names == CONFIG_RESOLVE_YES;
    if (needs->options.names)
        add_port(needs, DNS_PORT); /* for answers that are too long for UDP */
    return 0;
}

/* --- the whole --- */

/* What holds from the first moment on. */
static int begin(struct needs *needs, const struct config *config, const struct source_config *source,
                 struct fault *fault)
{
    const struct source_sandbox_config *sandbox = &source->sandbox;
    const char *user = sandbox->user ? sandbox->user : config->sandbox.user;
    *needs = (struct needs){.source = source};
    needs->options = (struct sandbox_options){
        .is_open = !sandbox->enabled,
        .run = needs->run,
        .read = needs->read,
        .ports = needs->ports,
        .processes = sandbox->processes,
        .reads_all = sandbox->read_any_owner,
        .files_max = sandbox->files_max,
        .processes_max = config->sandbox.processes_max,
#ifndef DSAR_SANITIZED /* which reserves more addresses than there are */
        .memory_bytes = (uint64_t)sandbox->memory_mib << 20,
#endif
    };
    if (user && user_find(user, &needs->user, fault))
        return fault_prefix(fault, "source %s: sandbox", source->name);
    if (user)
        needs->options.user = &needs->user;
    add_run(needs, source->program);
    if (source->profile_path)
        add_read(needs, source->profile_path);
    for (size_t i = 0; i < source->n_arguments; i++)
        if (source->arguments[i][0] == '/')
            add_run(needs, source->arguments[i]);
    return 0;
}

static int make(struct sandbox **sandbox, const struct needs *needs, struct fault *fault)
{
    if (needs->full)
        return fault_set(fault, "bad_settings", "source %s: its sandbox would have too many paths or ports",
                         needs->source->name);
    if (sandbox_new(sandbox, &needs->options, fault))
        return fault_prefix(fault, "source %s", needs->source->name);
    return 0;
}

static void end(struct needs *needs)
{
    while (needs->n_owned)
        free(needs->owned[--needs->n_owned]);
    free(needs);
}

static struct needs *new_needs(struct fault *fault)
{
    struct needs *needs = malloc(sizeof *needs);
    if (!needs)
        fault_retry(fault, "no_memory", "no memory for a sandbox");
    return needs;
}

int confine_hello(struct sandbox **sandbox, const struct config *config, const struct source_config *source,
                  struct fault *fault)
{
    struct needs *needs = new_needs(fault);
    if (!needs)
        return -1;
    int result = begin(needs, config, source, fault);
    /* an interpreter may lie in one of the folders granted */
    for (size_t i = 0; i < source->sandbox.n_read && !result; i++)
        add_run(needs, own(needs, scalar_path(source->folder, source->sandbox.read[i])));
    if (!result)
        result = make(sandbox, needs, fault);
    end(needs);
    return result;
}

int confine_work(struct sandbox **sandbox, const struct config *config, const struct source_config *source,
                 const json_t *hello, struct fault *fault)
{
    json_t *settings = NULL;
    struct needs *needs = new_needs(fault);
    if (!needs)
        return -1;
    int result =
        begin(needs, config, source, fault) || config_source_settings(source, hello, &settings, NULL, fault)
            ? -1
            : 0;
    if (!result) {
        add_declared(needs, hello, settings);
        result = add_granted(needs, fault) || make(sandbox, needs, fault) ? -1 : 0;
    }
    json_decref(settings);
    end(needs);
    return result;
}

static bool runs_as_root(const struct config *config)
{
    for (size_t i = 0; i < config->n_sources && geteuid() == 0; i++)
        if (!config->sources[i].sandbox.user && !config->sandbox.user)
            return true;
    return false;
}

void confine_parts(const struct config *config, struct confine_part parts[CONFINE_PARTS])
{
    for (enum support_part i = 0; i < SUPPORT_COUNT; i++)
        parts[i] = (struct confine_part){support_name(i), support_has(i), support_lack(i)};
    parts[SUPPORT_COUNT] = (struct confine_part){"user", !runs_as_root(config),
                                                 "connectors run as root, though without its capabilities: "
                                                 "run dsard as another user, or set .sandbox.user"};
}

int confine_check(const struct config *config, struct fault *fault)
{
    struct confine_part parts[CONFINE_PARTS];
    confine_parts(config, parts);
    for (size_t i = 0; i < CONFINE_PARTS && config->sandbox.required; i++)
        if (!parts[i].is_there)
            return fault_set(fault, "sandbox_lacking",
                             "the sandbox, which .sandbox.required asks for, lacks %s: %s", parts[i].name,
                             parts[i].lack);
    return 0;
}

void confine_tell(const struct config *config, struct log *log)
{
    struct confine_part parts[CONFINE_PARTS];
    confine_parts(config, parts);
    for (size_t i = 0; i < CONFINE_PARTS; i++)
        if (!parts[i].is_there)
            log_line(log, LOG_LEVEL_WARNING, NULL, "the sandbox lacks %s: %s", parts[i].name, parts[i].lack);
    for (size_t i = 0; i < config->n_sources; i++)
        if (!config->sources[i].sandbox.enabled)
            log_line(log, LOG_LEVEL_WARNING, NULL,
                     "source %s: its connector is not confined: .sandbox.enabled is false",
                     config->sources[i].name);
}
