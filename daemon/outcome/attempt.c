#include "outcome/attempt.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/jwe.h"
#include "base/jws.h"
#include "base/secret.h"
#include "bundle/manifest.h"
#include "bundle/report.h"
#include "bundle/report_text.h"
#include "gather/gather.h"
#include "outcome/ending.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define MANIFEST_MAX_BYTES (64u << 20)

/* The rules by which the screen works: told in each manifest, to be raised when they change. */
#define POLICY_VERSION "1"

/* What an attempt has made so far. */
struct work {
    const struct attempt *attempt;
    char name[33]; /* random: no two attempts share an object */
    char *passphrase;
    struct bundle *bundle;
    struct section *front; /* report and manifest: made first, so that they stand first; filled last */
    struct preview_budget previews;
    struct gather_result result;
    json_t *identities;
    int64_t completed_unix_s;
    struct archive_info archive;
};

static int no_memory(struct fault *fault)
{
    return fault_retry(fault, "no_memory", "no memory for an attempt");
}

static int name_attempt(char name[33], struct fault *fault)
{
    unsigned char random[16];
    if (RAND_bytes(random, sizeof random) != 1)
        return fault_set(fault, "internal", "no random numbers");
    hex_encode(random, sizeof random, name);
    return 0;
}

static int begin(struct work *work, struct fault *fault)
{
    const struct config *config = work->attempt->exporter->config;
    if (name_attempt(work->name, fault))
        return -1;
    work->passphrase = secret_alloc(BUNDLE_PASSPHRASE_LEN, fault);
    if (!work->passphrase || bundle_passphrase(work->passphrase, fault))
        return -1;
    const struct bundle_options options = {
        .pool = work->attempt->exporter->pool,
        .spool_dir = config->work.spool_dir,
        .passphrase = work->passphrase,
        .entries_max = config->work.entries_max,
    };
    preview_budget_init(&work->previews, PREVIEW_BUDGET_BYTES);
    return bundle_open(&work->bundle, &options, fault) || bundle_section(work->bundle, &work->front, fault)
               ? -1
               : 0;
}

static int gather(struct work *work, struct fault *fault)
{
    const struct attempt *attempt = work->attempt;
    const struct gather_options options = {
        .config = attempt->exporter->config,
        .catalog = attempt->exporter->catalog,
        .request = attempt->request,
        .bundle = work->bundle,
        .previews = &work->previews,
        .cancel = attempt->cancel,
        .log = attempt->exporter->log,
        .progress_cb = attempt->progress_cb,
        .ctx = attempt->ctx,
    };
    return gather_run(&options, &work->result, &work->identities, fault);
}

/* --- what did not answer --- */

/* "source billing has", or "sources billing, panel have": those whose gap may close, or all that have one. */
static void list_gaps(const struct gather_result *result, bool retryable, char *text, size_t size)
{
    size_t n = 0, len = 0;
    char names[FAULT_TEXT_MAX] = "";
    for (size_t i = 0; i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        if (!source->gap_code || (retryable && !source->gap_retryable) || len >= sizeof names)
            continue;
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", n++ ? ", " : "", source->name);
    }
    snprintf(text, size, "source%s %s ha%s", n == 1 ? "" : "s", names, n == 1 ? "s" : "ve");
}

/* The longest that a source asked to be left alone. */
static int64_t longest_pause(const struct gather_result *result)
{
    int64_t longest_ms = 0;
    for (size_t i = 0; i < result->n_sources; i++)
        if (result->sources[i].gap_retryable && result->sources[i].retry_after_ms > longest_ms)
            longest_ms = result->sources[i].retry_after_ms;
    return longest_ms;
}

static int judge_gaps(const struct work *work, int64_t *retry_after_ms, struct fault *fault)
{
    const enum attempt_gaps gaps = work->attempt->gaps;
    char sources[FAULT_TEXT_MAX];
    if (gaps == GAPS_RETRIED && gather_result_retryable(&work->result)) {
        *retry_after_ms = longest_pause(&work->result);
        list_gaps(&work->result, true, sources, sizeof sources);
        return fault_retry(fault, "sources_unavailable", "%s not answered in full", sources);
    }
    if (gaps != GAPS_ACCEPTED && !gather_result_answered(&work->result)) {
        list_gaps(&work->result, false, sources, sizeof sources);
        return fault_set(fault, "no_source_answered", "%s not answered, and no other is asked", sources);
    }
    return 0;
}

/* --- report, manifest, signature --- */

static int write_entry(void *entry, const void *data, size_t len, struct fault *fault)
{
    return entry_write(entry, data, len, fault);
}

static int add_entry(struct section *section, const char *name, const struct buf *content,
                     struct fault *fault)
{
    struct entry *entry;
    if (entry_open(&entry, section, name, NULL, fault))
        return -1;
    const size_t step = 65536;
    for (size_t at = 0; at < content->len; at += step)
        if (entry_write(entry, content->data + at, content->len - at < step ? content->len - at : step,
                        fault))
            return -1;
    return entry_end(entry, fault);
}

static int add_report(struct section *section, const struct report *report, struct fault *fault)
{
    struct entry *entry;
    return entry_open(&entry, section, REPORT_ENTRY, NULL, fault) ||
                   report_render(report, write_entry, entry, fault) || entry_end(entry, fault)
               ? -1
               : 0;
}

static int add_manifest(struct work *work, const struct manifest *manifest, struct fault *fault)
{
    struct buf text, signature;
    buf_init(&text, MANIFEST_MAX_BYTES);
    buf_init(&signature, JWS_MAX);
    json_t *header = json_pack("{s:s,s:s}", "typ", "dsard-manifest", "sub", manifest->request_id);
    int result = -1;
    if (!header)
        no_memory(fault);
    else if (manifest_json(manifest, work->bundle, &text, fault) == 0 &&
             jws_sign(&signature, header, keyring_signer(work->attempt->exporter->keyring), text.data,
                      text.len, fault) == 0 &&
             add_entry(work->front, MANIFEST_ENTRY, &text, fault) == 0)
        result = add_entry(work->front, MANIFEST_SIGNATURE_ENTRY, &signature, fault);
    json_decref(header);
    buf_wipe(&text);
    buf_wipe(&signature);
    return result;
}

/* Sources may use up all entries of the bundle, but not the ones that explain it. */
static int explain(struct work *work, struct fault *fault)
{
    const struct exporter *exporter = work->attempt->exporter;
    const struct config *config = exporter->config;
    const struct request *request = work->attempt->request;
    const struct manifest manifest = {
        .request_id = request->id,
        .regulation = request_regulation_name(request->regulation),
        .request_type = request_type_name(request->type),
        .submitted_unix_s = request->submitted_unix_s,
        .completed_unix_s = work->completed_unix_s,
        .controller = {config->controller.id, config->controller.name, config->controller.contact,
                       config->controller.complaints},
        .exporter = {config->exporter.source,
                     json_string_value(json_object_get(keyring_signer(exporter->keyring), "kid")),
                     DSAR_VERSION},
        .policy_version = POLICY_VERSION,
        .identities = work->identities,
        .result = &work->result,
    };
    const struct report report = {.manifest = &manifest, .locale = request->locale};
    bundle_make_room(work->bundle, 3);
    return add_report(work->front, &report, fault) || add_manifest(work, &manifest, fault) ? -1 : 0;
}

/* --- the store --- */

static int write_object(void *object, const void *data, size_t len, struct fault *fault)
{
    return store_write(object, data, len, fault);
}

static int store_bundle(struct work *work, struct fault *fault)
{
    char file[64];
    struct store_object *object;
    snprintf(file, sizeof file, "%s.zip", work->name);
    if (store_begin(work->attempt->exporter->store, work->attempt->request->id, file, &object, fault))
        return -1;
    const struct archive_sink sink = {.write = write_object, .ctx = object};
    if (bundle_write(work->bundle, work->completed_unix_s, &sink, &work->archive, fault)) {
        store_abort(object);
        return -1;
    }
    return store_commit(object, fault);
}

/* --- what the event says --- */

/* What a connector says of its gap stays in the sealed bundle: who knows what it quotes. */
static const char *gap_words(const struct source_result *source)
{
    const char *words = report_gap(REPORT_EN, source->gap_code);
    return words ? words : "The system could not be read in full.";
}

static json_t *source_facts(const struct gather_result *result)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        uint64_t n_records = 0, n_files = 0, bytes = 0;
        for (size_t k = 0; k < source->n_collections; k++) {
            n_records += source->collections[k].n_records;
            n_files += source->collections[k].n_files;
            bytes += source->collections[k].bytes;
        }
        json_t *row = json_pack("{s:s,s:s,s:I,s:I,s:I}", "name", source->name, "status",
                                source_status_name(source->status), "records", (json_int_t)n_records, "files",
                                (json_int_t)n_files, "bytes", (json_int_t)bytes);
        if (row && source->gap_code &&
            json_object_set_new(
                row, "reason", json_pack("{s:s,s:s}", "code", source->gap_code, "text", gap_words(source)))) {
            json_decref(row);
            row = NULL;
        }
        if (!row || json_array_append_new(list, row)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* The passphrase, sealed to the recipient and bound to this very bundle. */
static int seal_key(const struct work *work, const char *sha256, int64_t expires_unix_s, json_t **jwe,
                    struct fault *fault)
{
    const struct request *request = work->attempt->request;
    struct buf text;
    buf_init(&text, JWE_TEXT_MAX);
    json_t *header = json_pack("{s:s,s:s,s:I}", "request", request->id, "bundle_sha256", sha256, "exp",
                               (json_int_t)expires_unix_s);
    int result = -1;
    if (!header)
        no_memory(fault);
    else if (buf_printf(&text, fault, "{\"passphrase\":\"%s\"}", work->passphrase) == 0)
        result = jwe_seal(jwe, header, request->recipient, text.data, fault);
    buf_wipe(&text);
    json_decref(header);
    return result;
}

static int results_url(const struct work *work, json_t *data)
{
    struct buf url;
    buf_init(&url, 4096);
    int result = buf_printf(&url, NULL, "%s%s", work->attempt->exporter->config->store.results_url,
                            work->attempt->request->id);
    if (result == 0)
        result = json_object_set_new(data, "results_url", json_string(url.data));
    buf_wipe(&url);
    return result;
}

static int completed_data(const struct work *work, json_t **data, struct fault *fault)
{
    const struct config *config = work->attempt->exporter->config;
    const struct request *request = work->attempt->request;
    const int64_t expires_unix_s = work->completed_unix_s + (int64_t)config->store.bundle_days * 86400;
    char sha256[HEX_SHA256_MAX], expires[CLOCK_TEXT_MAX];
    hex_encode(work->archive.sha256, sizeof work->archive.sha256, sha256);
    clock_format(expires_unix_s, expires);
    json_t *jwe;
    if (seal_key(work, sha256, expires_unix_s, &jwe, fault))
        return -1;
    json_t *own = json_pack("{s:s,s:o,s:o,s:{s:I,s:s,s:s,s:s},s:o}", "coverage",
                            gather_result_complete(&work->result) ? "complete" : "partial", "sources",
                            source_facts(&work->result), "withheld", ledger_json(work->result.withheld),
                            "bundle", "size", (json_int_t)work->archive.bytes, "sha256", sha256, "expires_at",
                            expires, "envelope", request->envelope, "key", jwe);
    *data = event_data(config, EVENT_COMPLETED, request->id, request->due_unix_s, NULL);
    json_int_t n = (json_int_t)(gather_result_records(&work->result) + gather_result_files(&work->result));
    json_t *extensions = json_pack("{s:o}", "dsard", own);
    if (own && *data && extensions && results_url(work, *data) == 0 &&
        json_object_set_new(*data, "results_count", json_integer(n)) == 0 &&
        json_object_set(*data, "extensions", extensions) == 0) {
        json_decref(extensions);
        return 0;
    }
    json_decref(extensions);
    json_decref(*data);
    *data = NULL;
    return no_memory(fault);
}

static int take_receipt(const struct work *work, const char *file, struct receipt **receipt,
                        struct fault *fault)
{
    const struct attempt *attempt = work->attempt;
    struct receipt_facts facts = {.request = attempt->request->id,
                                  .body_sha256 = attempt->request->sha256,
                                  .origin = attempt->origin,
                                  .bundle = file,
                                  .type = EVENT_COMPLETED};
    if (completed_data(work, &facts.event_data, fault))
        return -1;
    int result = receipt_take(receipt, &facts, &attempt->exporter->records, fault);
    json_decref(facts.event_data);
    return result;
}

/* A bundle that no receipt names is swept some day. */
static void remove_bundle(const struct work *work, const char *file)
{
    const struct exporter *exporter = work->attempt->exporter;
    const char *request = work->attempt->request->id;
    struct fault fault;
    if (store_remove(exporter->store, request, file, &fault))
        log_fault(exporter->log, LOG_LEVEL_WARNING, request, "a bundle is left for the sweep", &fault);
}

static bool names(const struct receipt *receipt, const char *file)
{
    return receipt && receipt->bundle && strcmp(receipt->bundle, file) == 0;
}

/* A receipt that failed at its last step may be there all the same: then the bundle stays. */
static void remove_unless_named(const struct work *work, const char *file)
{
    const struct attempt *attempt = work->attempt;
    struct receipt *receipt;
    struct fault fault;
    if (receipt_find(&receipt, &attempt->exporter->records, attempt->request->id, &fault))
        return;
    if (!names(receipt, file))
        remove_bundle(work, file);
    receipt_free(receipt);
}

static int deliver(struct work *work, struct receipt **receipt, struct fault *fault)
{
    struct exporter *exporter = work->attempt->exporter;
    const char *request = work->attempt->request->id;
    char file[64];
    snprintf(file, sizeof file, "%s.zip", work->name);
    work->completed_unix_s = clock_now_unix_s();
    if (explain(work, fault) || store_bundle(work, fault))
        return -1;
    log_line(exporter->log, LOG_LEVEL_INFO, request,
             "bundle of %" PRIu64 " bytes stored, %" PRIu64 " records, %" PRIu64 " files, coverage %s",
             work->archive.bytes, gather_result_records(&work->result), gather_result_files(&work->result),
             gather_result_complete(&work->result) ? "complete" : "partial");
    if (take_receipt(work, file, receipt, fault)) {
        remove_unless_named(work, file);
        return -1;
    }
    if (!names(*receipt, file)) {
        log_line(exporter->log, LOG_LEVEL_INFO, request,
                 "it has ended meanwhile as %s; this bundle is not needed",
                 event_type_name((*receipt)->type));
        remove_bundle(work, file);
    }
    return 0;
}

static int refuse(const struct attempt *attempt, const struct fault *why, struct receipt **receipt,
                  struct fault *fault)
{
    const struct ending ending = ending_of(attempt->request, attempt->origin);
    return ending_take(&ending, attempt->exporter, EVENT_REFUSED, why, receipt, fault);
}

int attempt_run(const struct attempt *attempt, struct receipt **receipt, int64_t *retry_after_ms,
                struct fault *fault)
{
    struct work work = {.attempt = attempt};
    int result = -1;
    *receipt = NULL;
    *retry_after_ms = 0;
    if (begin(&work, fault) == 0) {
        struct fault why;
        if (gather(&work, &why) == 0)
            result = judge_gaps(&work, retry_after_ms, fault) ? -1 : deliver(&work, receipt, fault);
        else if (fault_is(&why, "ambiguous") || fault_is(&why, "empty_scope"))
            result = refuse(attempt, &why, receipt, fault);
        else
            *fault = why;
    }
    bundle_free(work.bundle);
    gather_result_wipe(&work.result);
    json_decref(work.identities);
    secret_free(work.passphrase, BUNDLE_PASSPHRASE_LEN);
    return result;
}
