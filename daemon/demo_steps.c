#include "demo_steps.h"

#include "base/clock.h"
#include "base/program.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOST_START_MS 20000
#define WORKER_END_MS 30000

/* --- running programs --- */

/* Starts argv[0] (looked up in PATH when it has no slash). `out` becomes its standard output and `log` its
 * standard error unless they are negative, `in` its standard input. */
static int start(const char *const argv[], int in, int out, int log, pid_t *pid, struct fault *fault)
{
    pid_t child = fork();
    if (child < 0)
        return fault_errno(fault, "no_process", errno, "%s cannot be started", argv[0]);
    if (child == 0) {
        /* whatever was started ends with the demo, even if that is killed */
        if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) || (in >= 0 && dup2(in, STDIN_FILENO) < 0) ||
            (out >= 0 && dup2(out, STDOUT_FILENO) < 0) || (log >= 0 && dup2(log, STDERR_FILENO) < 0))
            _exit(126);
        execvp(argv[0],
               (char *const *)(uintptr_t)argv); /* it changes nothing; its type is older than const */
        _exit(127);
    }
    *pid = child;
    return 0;
}

static int await(pid_t pid, const char *name, struct fault *fault)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return fault_errno(fault, "internal", errno, "%s", name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return fault_set(fault, "failed", "%s failed with status %d", name,
                     WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* Runs a program to its end. `text`, when not NULL, gets the first line of its output. */
static int run(const char *const argv[], char *text, size_t cap, struct fault *fault)
{
    int ends[2] = {-1, -1};
    pid_t pid = 0;
    if (text && pipe2(ends, O_CLOEXEC))
        return fault_errno(fault, "no_descriptor", errno, "pipe");
    fflush(stdout);
    int result = start(argv, -1, ends[1], -1, &pid, fault);
    if (ends[1] >= 0)
        close(ends[1]);
    FILE *output = result == 0 && text ? fdopen(ends[0], "r") : NULL;
    if (output) {
        if (!fgets(text, (int)cap, output))
            text[0] = '\0';
        text[strcspn(text, "\n")] = '\0';
        fclose(output);
    } else if (ends[0] >= 0) {
        close(ends[0]);
    }
    return result ? -1 : await(pid, argv[0], fault);
}

/* A path below the demo's folder. */
struct path {
    char text[DEMO_PATH_MAX];
};

static const char *below(const struct demo *demo, const char *name, struct path *path)
{
    snprintf(path->text, sizeof path->text, "%s/%s", demo->dir, name);
    return path->text;
}

/* --- begin and end --- */

static int begin_folder(struct demo *demo, const char *dir, struct fault *fault)
{
    char fresh[] = "dsard-demo-XXXXXX", full[DEMO_PATH_MAX];
    if (dir && mkdir(dir, 0700) && errno != EEXIST)
        return fault_errno(fault, "folder", errno, "%s", dir);
    if (!dir && !(dir = mkdtemp(fresh)))
        return fault_errno(fault, "folder", errno, "a new folder cannot be made here");
    if (!realpath(dir, full) || strlen(full) >= sizeof demo->dir)
        return fault_errno(fault, "folder", errno, "%s", dir);
    if (strchr(full, '\''))
        return fault_set(fault, "folder", "%s: a folder without an apostrophe is needed", full);
    if (rmdir(full) || mkdir(full, 0700))
        return fault_errno(fault, "folder", errno, "%s: expected a folder that is empty or does not exist",
                           dir);
    snprintf(demo->dir, sizeof demo->dir, "%s", full);
    static const char *const folders[] = {"store", "spool", "host"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct path path;
        if (mkdir(below(demo, folders[i], &path), 0700))
            return fault_errno(fault, "folder", errno, "%s", path.text);
    }
    return 0;
}

int demo_begin(struct demo *demo, const char *dir, const char *brokers, const struct cancel *leave,
               struct fault *fault)
{
    *demo = (struct demo){.leave = leave, .brokers = brokers, .host_name = "Example Host", .host_input = -1};
    if (program_prefix(demo->prefix, sizeof demo->prefix, fault))
        return -1;
    snprintf(demo->dsarctl, sizeof demo->dsarctl, "%s/bin/dsarctl", demo->prefix);
    return begin_folder(demo, dir, fault);
}

/* Asks a process to leave, and ends it when it does not. */
static void end_process(pid_t *pid)
{
    if (*pid <= 0)
        return;
    kill(*pid, SIGTERM);
    int64_t until_ms = clock_now_ms() + WORKER_END_MS;
    while (waitpid(*pid, NULL, WNOHANG) == 0) {
        if (clock_now_ms() > until_ms)
            kill(*pid, SIGKILL);
        poll(NULL, 0, 20);
    }
    *pid = 0;
}

void demo_end(struct demo *demo)
{
    end_process(&demo->worker);
    if (demo->host_input >= 0)
        close(demo->host_input);
    demo->host_input = -1;
    end_process(&demo->host);
    json_decref(demo->where);
    demo->where = NULL;
}

/* --- the steps --- */

static int make_key(const struct demo *demo, const char *kind, const char *name, const char *public_name,
                    struct fault *fault)
{
    struct path private_path, public_path;
    const char *const argv[] = {demo->dsarctl, "keygen",
                                "--kind",      kind,
                                "--out",       below(demo, name, &private_path),
                                "--public",    below(demo, public_name, &public_path),
                                NULL};
    return run(argv, NULL, 0, fault);
}

int demo_make_keys(const struct demo *demo, struct fault *fault)
{
    return make_key(demo, "portal", "portal.jwk", "portal.jwks.json", fault) ||
                   make_key(demo, "exporter", "exporter.jwk", "exporter.jwks.json", fault) ||
                   make_key(demo, "recipient", "recipient.jwk", "recipient.pub.jwk", fault)
               ? -1
               : 0;
}

/* Reads the line in which the example host says where it is. */
static int read_where(struct demo *demo, int fd, struct fault *fault)
{
    char line[8192];
    size_t len = 0;
    int64_t until_ms = clock_now_ms() + HOST_START_MS;
    while (len < sizeof line - 1 && !memchr(line, '\n', len)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = until_ms - clock_now_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        ssize_t n = read(fd, line + len, sizeof line - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    demo->where = json_loadb(line, len, 0, NULL);
    if (demo->where)
        return 0;
    return fault_set(fault, "failed", "the example host does not start: is python3 installed?");
}

int demo_start_host(struct demo *demo, struct fault *fault)
{
    struct path dir;
    char script[DEMO_PATH_MAX];
    int input[2], output[2];
    snprintf(script, sizeof script, "%s/share/dsard/example/host.py", demo->prefix);
    const char *const argv[] = {"python3", script, "--dir", below(demo, "host", &dir), NULL};
    if (pipe2(input, O_CLOEXEC))
        return fault_errno(fault, "no_descriptor", errno, "pipe");
    if (pipe2(output, O_CLOEXEC)) {
        close(input[0]);
        close(input[1]);
        return fault_errno(fault, "no_descriptor", errno, "pipe");
    }
    int result = start(argv, input[0], output[1], -1, &demo->host, fault);
    close(input[0]);
    close(output[1]);
    demo->host_input = input[1];
    if (result == 0)
        result = read_where(demo, output[0], fault);
    close(output[0]);
    return result;
}

static const char *said(const struct demo *demo, const char *product, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(demo->where, product), name));
    return text ? text : "";
}

int demo_write_config(const struct demo *demo, struct fault *fault)
{
    struct path path;
    FILE *file = fopen(below(demo, "dsard.yaml", &path), "we");
    if (!file)
        return fault_errno(fault, "file_unwritable", errno, "%s", path.text);
    fprintf(file,
            "controller:\n  id: example-host\n  name: %s\n  contact: privacy@host.example\n"
            "  complaints: the data protection authority of your country\n"
            "kafka:\n  brokers: %s\n  transactional_id: dsard-demo\n"
            "requests:\n  trusted_keys_file: portal.jwks.json\n"
            "exporter:\n  source: //dsard.host.example\n  key_file: exporter.jwk\n"
            "store:\n  path: store\n  results_url: https://privacy.host.example/dsar/\n"
            "work:\n  spool_dir: spool\n"
            "identities:\n  allow:\n    - {from: billing, kind: panel_account, to: [panel]}\n"
            "sources:\n",
            demo->host_name, demo->brokers);
    fprintf(file,
            "  - name: billing\n    title: Billing\n    purpose: Contracts, invoices and support\n"
            "    connector: rest\n    profile: billing/whmcs\n    settings:\n      base_url: %s\n"
            "      identifier_file: '%s'\n      secret_file: '%s'\n      withheld_custom_fields: '%s'\n",
            said(demo, "whmcs", "url"), said(demo, "whmcs", "identifier_file"),
            said(demo, "whmcs", "secret_file"), said(demo, "whmcs", "withheld_custom_fields"));
    fprintf(file,
            "  - name: panel\n    title: Hosting panel\n    purpose: Your hosting accounts\n"
            "    connector: rest\n    profile: hosting-panel/cpanel\n    settings:\n      base_url: %s\n"
            "      user: %s\n      token_file: '%s'\n",
            said(demo, "cpanel", "url"), said(demo, "cpanel", "user"), said(demo, "cpanel", "token_file"));
    fprintf(file,
            "  - name: forum\n    title: Forum\n    purpose: What you wrote in our forum\n"
            "    connector: sql\n    profile: forum/phpbb\n    settings:\n      path: '%s'\n",
            said(demo, "phpbb", "path"));
    fprintf(file,
            "  - name: marketing\n    title: Newsletter\n    purpose: News about our products\n"
            "    connector: rest\n    profile: marketing/mautic\n    settings:\n      base_url: %s\n"
            "      user: %s\n      password_file: '%s'\n",
            said(demo, "mautic", "url"), said(demo, "mautic", "user"), said(demo, "mautic", "password_file"));
    bool wrong = ferror(file) != 0;
    return fclose(file) || wrong ? fault_set(fault, "file_unwritable", "%s: cannot be written", path.text)
                                 : 0;
}

int demo_start_worker(struct demo *demo, struct fault *fault)
{
    struct path config, log_path;
    char program[DEMO_PATH_MAX];
    snprintf(program, sizeof program, "%s/bin/dsard", demo->prefix);
    const char *const argv[] = {program, "run", "-c", below(demo, "dsard.yaml", &config), NULL};
    int log = open(below(demo, "dsard.log", &log_path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0)
        return fault_errno(fault, "file_unwritable", errno, "%s", log_path.text);
    int result = start(argv, -1, -1, log, &demo->worker, fault);
    close(log);
    return result;
}

static int write_request(const struct demo *demo, struct path *path, struct fault *fault)
{
    FILE *file = fopen(below(demo, "request.json", path), "we");
    if (!file)
        return fault_errno(fault, "file_unwritable", errno, "%s", path->text);
    fputs("{\"regulation\": \"gdpr\", \"subject_request_type\": \"access\",\n"
          " \"subject_identities\": [{\"identity_type\": \"email\", \"identity_value\": "
          "\"alice@example.test\",\n"
          "                         \"identity_format\": \"raw\"}],\n"
          " \"extensions\": {\"dsard\": {\"locale\": \"en\", \"role\": \"client\"}}}\n",
          file);
    bool wrong = ferror(file) != 0;
    return fclose(file) || wrong ? fault_set(fault, "file_unwritable", "%s: cannot be written", path->text)
                                 : 0;
}

int demo_submit(struct demo *demo, struct fault *fault)
{
    struct path request, key, recipient;
    if (write_request(demo, &request, fault))
        return -1;
    const char *const argv[] = {demo->dsarctl, "submit",
                                "--brokers",   demo->brokers,
                                "--request",   request.text,
                                "--key",       below(demo, "portal.jwk", &key),
                                "--source",    "//portal.host.example",
                                "--audience",  "example-host",
                                "--recipient", below(demo, "recipient.pub.jwk", &recipient),
                                NULL};
    return run(argv, demo->request, sizeof demo->request, fault);
}

int demo_watch(struct demo *demo, struct fault *fault)
{
    struct path event, log_path;
    const char *const argv[] = {
        demo->dsarctl, "watch",     "--brokers", demo->brokers, "--request",
        demo->request, "--timeout", "120",       "--save",      below(demo, "event.json", &event),
        NULL};
    pid_t watch = 0;
    int status = 0;
    if (start(argv, -1, -1, -1, &watch, fault))
        return -1;
    /* nobody else would tell that the worker has ended, or that the demo is to end */
    bool given_up = false;
    while (!given_up && waitpid(watch, &status, WNOHANG) == 0) {
        if (waitpid(demo->worker, NULL, WNOHANG) != 0)
            demo->worker = 0;
        given_up = demo->worker == 0 || cancel_wait(demo->leave, 20);
    }
    if (!given_up && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (given_up)
        end_process(&watch);
    return fault_set(fault, "failed", "the request was not answered; see %s",
                     below(demo, "dsard.log", &log_path));
}

int demo_passphrase(const struct demo *demo, char *text, size_t cap, struct fault *fault)
{
    struct path event, key;
    const char *const argv[] = {demo->dsarctl, "passphrase",
                                "--event",     below(demo, "event.json", &event),
                                "--key",       below(demo, "recipient.jwk", &key),
                                NULL};
    return run(argv, text, cap, fault);
}

int demo_find_bundle(const struct demo *demo, char path[DEMO_PATH_MAX], struct fault *fault)
{
    struct path folder;
    char name[128];
    snprintf(name, sizeof name, "store/%s", demo->request);
    DIR *stream = opendir(below(demo, name, &folder));
    const struct dirent *entry;
    int result = -1;
    while (stream && result && (entry = readdir(stream)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && strcmp(entry->d_name + len - 4, ".zip") == 0)
            result = snprintf(path, DEMO_PATH_MAX, "%s/%s", folder.text, entry->d_name) >= DEMO_PATH_MAX;
    }
    if (stream)
        closedir(stream);
    return result ? fault_set(fault, "failed", "%s: there is no bundle", folder.text) : 0;
}
