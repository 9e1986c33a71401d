/* Any bytes as what a connector answers, once it is configured: as an answer to `resolve` when the first byte is odd,
 * otherwise to `fetch`. Whatever it says, a fetch ends well with a bundle that holds just what was counted, or fails
 * as the source's fault and leaves nothing. */
#include "bundle/reader.h"
#include "gather/child.h"
#include "gather/fetch.h"
#include "gather/hello.h"
#include "memory_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSPHRASE  "0123A-BCDEF-GHJKM-NPQRS-TVWXYZ"
#define REQUEST     "2c0e5a1e-0000-4000-8000-000000000001"
#define ARCHIVE_MAX ((size_t)64 << 20)
#define READY       "{\"type\":\"ready\"}\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char hello[] =
    "{\"type\":\"hello\",\"protocol\":1,\"name\":\"shop\",\"version\":\"1\",\"settings\":[],"
    "\"resolve\":{\"needs\":[\"email\"],\"yields\":[\"shop_id\"]},\"collections\":["
    "{\"name\":\"orders\",\"title\":\"Orders\",\"category\":\"c\",\"needs\":[\"email\"],"
    "\"fields\":{\"/s\":\"secret\",\"/t\":\"third_party\",\"/o\":\"own\"}},"
    "{\"name\":\"mails\",\"title\":\"Mails\",\"category\":\"c\",\"needs\":[\"email\"]},"
    "{\"name\":\"unasked\",\"title\":\"Unasked\",\"category\":\"c\",\"needs\":[\"email\"]}]}";

#define N_COLLECTIONS 3
#define N_ASKED       2

static const bool asked[N_COLLECTIONS] = {true, true, false};

/* What all inputs share. */
struct stage {
    struct source_config config;
    struct catalog_collection collections[N_COLLECTIONS];
    struct catalog_source source;
    struct seal_pool *pool;
    struct cancel *cancel;
    struct own_addresses *own;
    json_t *identities;
};

/* What the connector of the present input writes. */
static struct {
    const uint8_t *data;
    size_t size;
} answer;

/* --- the connector: these two stand for the daemon's own, which start a process --- */

int child_start(struct child *child, char *const argv[], const struct sandbox *sandbox, struct fault *fault)
{
    (void)argv;
    (void)sandbox;
    (void)fault;
    char path[MEMORY_FILE_PATH_MAX];
    const size_t head = sizeof hello - 1 + 1 + sizeof READY - 1;
    uint8_t *said = malloc(head + answer.size);
    if (!said)
        abort();
    memcpy(said, hello, sizeof hello - 1);
    memcpy(said + sizeof hello - 1, "\n" READY, 1 + sizeof READY - 1);
    memcpy(said + head, answer.data, answer.size);
    *child = (struct child){.in = open("/dev/null", O_WRONLY | O_CLOEXEC),
                            .out = memory_file(said, head + answer.size, path),
                            .log = -1};
    free(said);
    return child->in < 0 ? -1 : 0;
}

int child_signal(const struct child *child)
{
    (void)child;
    return 0;
}

int child_end(struct child *child, int grace_ms)
{
    (void)grace_ms;
    close(child->in);
    close(child->out);
    *child = (struct child){.in = -1, .out = -1, .log = -1};
    return 0;
}

/* --- the daemon's side --- */

static void learn(struct stage *stage)
{
    static char name[] = "shop", title[] = "Shop";
    struct fault fault;
    struct catalog_source *source = &stage->source;
    stage->config = (struct source_config){
        .name = name, .title = title, .deadline_s = 600, .resolve_deadline_s = 600, .keep_alive_s = 600};
    *source = (struct catalog_source){.config = &stage->config,
                                      .hello = json_loads(hello, 0, NULL),
                                      .collections = stage->collections,
                                      .n_collections = N_COLLECTIONS};
    if (!source->hello || hello_check(source->hello, name, &fault))
        abort();
    for (size_t i = 0; i < N_COLLECTIONS; i++) {
        const json_t *said = json_array_get(json_object_get(source->hello, "collections"), i);
        stage->collections[i] =
            (struct catalog_collection){.name = json_string_value(json_object_get(said, "name")),
                                        .title = json_string_value(json_object_get(said, "title")),
                                        .category = json_string_value(json_object_get(said, "category"))};
        if (classes_new(&stage->collections[i].classes, json_object_get(said, "fields"), &fault))
            abort();
    }
}

static struct stage *make_stage(void)
{
    static struct stage stage;
    static const char *const own[] = {"alice@example.test"};
    const struct seal_pool_options options = {.n_threads = 1, .n_blocks = 3, .block_bytes = (size_t)1 << 18};
    struct fault fault;
    learn(&stage);
    stage.identities = json_pack("[{s:s,s:s}]", "kind", "email", "value", own[0]);
    if (!stage.identities || seal_pool_new(&stage.pool, &options, &fault) ||
        cancel_new(&stage.cancel, &fault) || own_addresses_new(&stage.own, own, 1, &fault))
        abort();
    return &stage;
}

static void check_fault(const struct fault *fault)
{
    if (session_code_is_ours(fault->code) || !hello_name_valid(fault->code) || !fault->text[0] ||
        strchr(fault->text, '\n'))
        abort();
}

/* --- resolve --- */

static int take_identity(void *ctx, const char *kind, const char *value, struct fault *fault)
{
    (void)fault;
    size_t *n = ctx;
    if (!kind || !value)
        abort();
    (*n)++;
    return 0;
}

static void resolve(struct stage *stage)
{
    const struct session_options options = {.cancel = stage->cancel};
    struct session *session;
    struct fault fault;
    size_t n = 0;
    bool found = false;
    if (session_open(&session, &stage->source, &options, &fault))
        abort();
    if (session_resolve(session, REQUEST, stage->identities, take_identity, &n, &found, &fault))
        check_fault(&fault);
    if (session_retry_after_ms(session) < 0)
        abort();
    session_close(session);
}

/* --- fetch --- */

static int collect(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

/* An entry holds what the result says: records as one array, files as their bytes. Numbers beyond a double and lone
 * surrogates are for other parsers than this one. */
static void check_entry(struct reader *reader, size_t i, const struct source_result *result, uint64_t *bytes)
{
    struct buf plain;
    struct fault fault;
    buf_init(&plain, ARCHIVE_MAX);
    if (reader_extract(reader, i, collect, &plain, &fault))
        abort();
    for (size_t k = 0; k < result->n_collections; k++) {
        const struct collection_result *collection = &result->collections[k];
        if (!collection->entry || strcmp(collection->entry, reader_name(reader, i)) != 0)
            continue;
        json_t *records = json_loadb(plain.data, plain.len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
        if (plain.data[0] != '[' || (records && json_array_size(records) != collection->n_records))
            abort();
        json_decref(records);
        *bytes += plain.len;
    }
    if (strstr(reader_name(reader, i), "/files/"))
        *bytes += plain.len;
    buf_wipe(&plain);
}

static void check_bundle(struct bundle *bundle, const struct source_result *result, uint64_t bytes)
{
    struct archive_info info;
    struct buf archive;
    struct reader *reader;
    struct fault fault;
    char path[MEMORY_FILE_PATH_MAX];
    uint64_t found = 0;
    buf_init(&archive, ARCHIVE_MAX);
    const struct archive_sink sink = {collect, &archive};
    if (bundle_write(bundle, 1795420801, &sink, &info, &fault))
        abort();
    int fd = memory_file(archive.data, archive.len, path);
    if (reader_open(&reader, path, PASSPHRASE, &fault))
        abort();
    for (size_t i = 0; i < reader_n_entries(reader); i++)
        check_entry(reader, i, result, &found);
    if (found != bytes)
        abort();
    reader_free(reader);
    close(fd);
    buf_wipe(&archive);
}

/* Returns how many bytes its collections have. */
static uint64_t check_result(const struct source_result *result)
{
    uint64_t bytes = 0;
    if (result->n_collections != N_ASKED)
        abort();
    for (size_t i = 0; i < N_ASKED; i++) {
        const struct collection_result *collection = &result->collections[i];
        const bool empty = collection->n_records + collection->n_files == 0;
        const bool gap = collection->status == SOURCE_FAILED || collection->status == SOURCE_PARTIAL;
        if (gap != (collection->gap_code != NULL) || gap != (collection->gap_text != NULL) ||
            (collection->status == SOURCE_FAILED && !empty) ||
            (collection->status == SOURCE_NOT_FOUND && !empty) ||
            (collection->n_records > 0) != (collection->entry != NULL) ||
            (collection->n_files > 0) != (collection->files != NULL) || (empty && collection->bytes))
            abort();
        bytes += collection->bytes;
    }
    return bytes;
}

static int count_entry(const struct entry_info *info, void *ctx)
{
    (void)info;
    ++*(size_t *)ctx;
    return 0;
}

static size_t n_entries(const struct bundle *bundle)
{
    size_t n = 0;
    bundle_each_entry(bundle, count_entry, &n);
    return n;
}

static size_t n_withheld(const struct ledger *withheld)
{
    json_t *lines = withheld ? ledger_json(withheld) : NULL;
    size_t n = json_array_size(lines);
    json_decref(lines);
    return n;
}

static void fetch(struct stage *stage)
{
    const struct bundle_options bundle_options = {
        .pool = stage->pool, .spool_dir = "/tmp", .passphrase = PASSPHRASE, .entries_max = 40};
    struct preview_budget previews;
    struct reply reply = {0};
    struct bundle *bundle;
    struct fault fault;
    int64_t retry_after_ms;
    if (bundle_open(&bundle, &bundle_options, &fault))
        abort();
    preview_budget_init(&previews, PREVIEW_BUDGET_BYTES);
    const struct fetch_options options = {.source = &stage->source,
                                          .asked = asked,
                                          .request = REQUEST,
                                          .identities = stage->identities,
                                          .bundle = bundle,
                                          .own = stage->own,
                                          .previews = &previews,
                                          .session = {.cancel = stage->cancel}};
    const enum fetch_verdict verdict = fetch_run(&options, &reply, &retry_after_ms, &fault);
    if (retry_after_ms < 0)
        abort();
    if (verdict == FETCH_OK) {
        const uint64_t bytes = check_result(&reply.result);
        if (n_entries(bundle))
            check_bundle(bundle, &reply.result, bytes);
    } else {
        check_fault(&fault);
        if (verdict == FETCH_BROKEN || reply.section || reply.result.n_collections ||
            n_withheld(reply.withheld) || n_entries(bundle))
            abort();
    }
    reply_wipe(&reply);
    bundle_free(bundle);
    if (atomic_load(&previews.left_bytes) != PREVIEW_BUDGET_BYTES)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stage *stage;
    if (!stage)
        stage = make_stage();
    if (size == 0)
        return 0;
    answer.data = data + 1;
    answer.size = size - 1;
    if (data[0] & 1)
        resolve(stage);
    else
        fetch(stage);
    return 0;
}
