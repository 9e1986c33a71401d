/* dsard once: one request from a file, without Kafka: for integrators and small hosts. */
#include "commands.h"

#include "base/clock.h"
#include "outcome/attempt.h"
#include "outcome/ending.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "usage: dsard once --request FILE --out DIR -c FILE\n\n"
    "Answers one access request (JSON, as in the data of a request event) and leaves bundle and outcome in\n"
    "DIR/REQUEST-ID/. Whoever calls it has checked who asks: no signature is needed. The passphrase lies in "
    "the\n"
    "outcome, sealed to the request's recipient key: `dsarctl open` opens both. Nothing goes to Kafka, no "
    "audit\n"
    "record either: the log is the record of who was asked for.\n"
    "exit status: 0 delivered; 1 failed; 2 wrong usage or configuration; 4 delivered with gaps; 5 refused\n";

struct once {
    const char *config_path;
    const char *request_path;
    const char *out;
};

/* -1: go on; otherwise the exit status. */
static int read_options(int argc, char **argv, struct once *once)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"request", required_argument, NULL, 'r'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "c:r:o:h", options, NULL)) != -1;) {
        switch (c) {
        case 'c': once->config_path = optarg; break;
        case 'r': once->request_path = optarg; break;
        case 'o': once->out = optarg; break;
        default: fputs(help, c == 'h' ? stdout : stderr); return c == 'h' ? EXIT_DONE : EXIT_USAGE;
        }
    }
    if (once->config_path && once->request_path && once->out && optind == argc)
        return -1;
    fputs(help, stderr);
    return EXIT_USAGE;
}

static void show_progress(void *ctx, size_t n_done, size_t n_sources)
{
    (void)ctx;
    fprintf(stderr, "\rasked %zu of %zu sources%s", n_done, n_sources, n_done == n_sources ? "\n" : "");
}

/* The outcome as a structured CloudEvent, as `dsarctl watch --save` writes it. NULL with a fault. */
static char *outcome_text(const struct exporter *exporter, const struct receipt *receipt, struct fault *fault)
{
    const struct event facts = {.type = receipt->type,
                                .id = receipt->event_id,
                                .time = receipt->event_time,
                                .request = receipt->request,
                                .data = receipt->event_data};
    json_t *event = event_json(exporter->config, keyring_signer(exporter->keyring), &facts, fault);
    char *text = event ? json_dumps(event, JSON_INDENT(2)) : NULL;
    if (event && !text)
        fault_retry(fault, "no_memory", "no memory for the outcome");
    json_decref(event);
    return text;
}

static int store_outcome(const struct exporter *exporter, const struct receipt *receipt, struct fault *fault)
{
    char *text = outcome_text(exporter, receipt, fault);
    struct store_object *object = NULL;
    char file[64];
    int result = -1;
    snprintf(file, sizeof file, "%s.outcome.json", receipt->event_id);
    if (text && store_begin(exporter->store, receipt->request, file, &object, fault) == 0 &&
        store_write(object, text, strlen(text), fault) == 0) {
        result = store_commit(object, fault);
        object = NULL;
    }
    store_abort(object);
    free(text);
    if (result == 0)
        printf("outcome: %s/%s/%s\n", exporter->config->store.path, receipt->request, file);
    return result;
}

static int tell(const struct exporter *exporter, const struct receipt *receipt, struct fault *fault)
{
    if (receipt->bundle)
        printf("bundle: %s/%s/%s\n", exporter->config->store.path, receipt->request, receipt->bundle);
    if (store_outcome(exporter, receipt, fault))
        return command_failed("once", fault, EXIT_FAILED);
    if (receipt->type == EVENT_REFUSED) {
        const json_t *reason = json_object_get(receipt->event_data, "reason");
        fprintf(stderr, "dsard once: refused: %s\n", json_string_value(json_object_get(reason, "text")));
        return EXIT_REFUSED;
    }
    const json_t *own = json_object_get(json_object_get(receipt->event_data, "extensions"), "dsard");
    const char *coverage = json_string_value(json_object_get(own, "coverage"));
    return coverage && strcmp(coverage, "complete") == 0 ? EXIT_DONE : EXIT_GAPS;
}

/* A request ends once in one store. */
static int refuse_second(const struct exporter *exporter, const struct request *request, struct fault *fault)
{
    struct receipt *first;
    if (receipt_find(&first, &exporter->records, request->id, fault))
        return -1;
    if (!first)
        return 0;
    receipt_free(first);
    return fault_set(fault, "answered", "%s/%s: the request was answered here before: use another --out",
                     exporter->config->store.path, request->id);
}

static int answer(struct exporter *exporter, const struct request *request, enum request_verdict verdict,
                  const struct fault *why, const struct cancel *leave)
{
    const struct origin origin = {.topic = "once"};
    const struct ending ending = ending_of(request, &origin);
    struct receipt *receipt;
    struct fault fault;
    int64_t retry_after_ms;
    const struct attempt attempt = {
        .exporter = exporter,
        .request = request,
        .origin = &origin,
        .gaps = GAPS_ACCEPTED,
        .cancel = leave,
        .progress_cb = isatty(STDERR_FILENO) ? show_progress : NULL,
    };
    if (refuse_second(exporter, request, &fault))
        return command_failed("once", &fault, fault_is(&fault, "answered") ? EXIT_USAGE : EXIT_FAILED);
    int failed = verdict == REQUEST_OK ? attempt_run(&attempt, &receipt, &retry_after_ms, &fault)
                                       : ending_take(&ending, exporter, EVENT_REFUSED, why, &receipt, &fault);
    if (failed)
        return command_failed("once", &fault, EXIT_FAILED);
    int status = tell(exporter, receipt, &fault);
    receipt_free(receipt);
    return status;
}

/* REQUEST_UNUSABLE also when the file cannot be read. */
static enum request_verdict read_request(struct request **request, const char *path,
                                         const struct exporter *exporter, struct fault *why)
{
    struct buf body;
    enum request_verdict verdict = REQUEST_UNUSABLE;
    *request = NULL;
    buf_init(&body, exporter->config->requests.max_bytes);
    if (buf_read_file(&body, path, why) == 0)
        verdict =
            request_parse(request, body.data, body.len, clock_now_unix_s(), exporter->identity_keys, why);
    buf_wipe(&body);
    return verdict;
}

/* Of an exporter that has learned. */
static int answer_file(struct exporter *exporter, const char *path, const struct cancel *leave)
{
    struct request *request;
    struct fault fault, why;
    enum request_verdict verdict = read_request(&request, path, exporter, &why);
    int status = EXIT_USAGE;
    if (verdict == REQUEST_UNUSABLE)
        fprintf(stderr, "dsard once: %s: %s\n", path, why.text);
    else if (exporter_open(exporter, &fault))
        status = command_failed("once", &fault, EXIT_FAILED);
    else
        status = answer(exporter, request, verdict, &why, leave);
    request_free(request);
    return status;
}

static int run(const struct once *once, struct config *config, struct log *log, const struct cancel *leave)
{
    struct exporter exporter;
    struct fault fault;
    char *out = realpath(once->out, NULL);
    if (!out) {
        fprintf(stderr, "dsard once: --out %s: expected a folder\n", once->out);
        return EXIT_USAGE;
    }
    free(config->store.path);
    config->store.path = out;
    int status = exporter_learn(&exporter, config, log, &fault)
                     ? command_failed("once", &fault, EXIT_USAGE)
                     : answer_file(&exporter, once->request_path, leave);
    exporter_close(&exporter);
    return status;
}

int command_once(int argc, char **argv, const struct command_signals *signals)
{
    struct once once = {0};
    struct config *config;
    int status = read_options(argc, argv, &once);
    if (status != -1)
        return status;
    if (config_load(&config, once.config_path, CONFIG_FOR_ONCE, stderr))
        return EXIT_USAGE;
    struct log *log = command_log(config);
    status = run(&once, config, log, signals->leave);
    log_free(log);
    config_free(config);
    return status;
}
