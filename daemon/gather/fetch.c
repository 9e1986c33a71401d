#include "gather/fetch.h"

#include "base/buf.h"
#include "gather/files.h"
#include "gather/hello.h"

#include <stdlib.h>
#include <string.h>

/* For which a collection may withhold something: events tell of all of them. */
#define REASONS_MAX 64

/* One collection while it is being fetched. */
struct slot {
    const struct catalog_collection *collection;
    struct collection_result result;
    struct screen *screen;
    struct entry *entry;     /* NULL until the first record */
    struct ledger *withheld; /* counts only if the collection ends well */
    bool asked;
    bool ended;
    bool again; /* has a gap that another try may mend */
};

struct fetch {
    const struct fetch_options *options;
    const char *source;
    struct slot *slots; /* one for each collection of the source */
    size_t n_slots;
    struct reply *reply;
    struct files files;
    bool broken; /* the fault is ours, not the source's */
};

static int wrong(const struct fetch *fetch, struct fault *fault, const char *what)
{
    return fault_set(fault, "source_protocol", "source %s: %s", fetch->source, what);
}

static int ours(struct fetch *fetch)
{
    fetch->broken = true;
    return -1;
}

static int no_memory(struct fetch *fetch, struct fault *fault)
{
    fault_retry(fault, "no_memory", "no memory for what source %s answers", fetch->source);
    return ours(fetch);
}

/* What the bundle says: a record that is none is the source's fault, all else ours. */
static int from_bundle(struct fetch *fetch, const struct fault *fault)
{
    return strcmp(fault->code, "bad_record") == 0 || strcmp(fault->code, "source_protocol") == 0 ||
                   strcmp(fault->code, "too_many_entries") == 0
               ? -1
               : ours(fetch);
}

/* --- records: screen them, and put them between the brackets of one JSON array --- */

static int screen_block(void *ctx, unsigned where, const char *data, size_t len, char *out, size_t out_cap,
                        size_t *out_len, struct fault *fault)
{
    const struct slot *slot = ctx;
    *out_len = 0;
    if (len && screen_records(slot->screen, data, len, out, out_cap, out_len, fault))
        return -1;
    if (where & ENTRY_FIRST) {
        if (*out_len == 0)
            *out_len = 1;
        out[0] = '[';
    }
    if (where & ENTRY_LAST) {
        if (out_cap - *out_len < 3)
            return fault_set(fault, "internal", "a filtered block has no room for its end");
        memcpy(out + *out_len, "\n]\n", 3);
        *out_len += 3;
    }
    return 0;
}

static void show_block(void *ctx, const char *out, size_t len)
{
    const struct slot *slot = ctx;
    preview_seen(slot->result.preview, out, len);
}

static int open_records(struct fetch *fetch, struct slot *slot, struct fault *fault)
{
    char path[BUNDLE_ENTRY_NAME_MAX];
    snprintf(path, sizeof path, "%s/%s.json", fetch->source, slot->collection->name);
    const struct screen_options screen = {.classes = slot->collection->classes, .own = fetch->options->own};
    if (preview_new(&slot->result.preview, fetch->options->previews, fault) ||
        screen_new(&slot->screen, &screen, fault))
        return ours(fetch);
    slot->result.entry = strdup(path);
    if (!slot->result.entry)
        return no_memory(fetch, fault);
    const struct entry_filter filter = {.apply = screen_block, .seen = show_block, .ctx = slot};
    if (entry_open(&slot->entry, fetch->reply->section, path, &filter, fault))
        return from_bundle(fetch, fault);
    return 0;
}

static size_t count_lines(const char *data, size_t len)
{
    size_t n = 0;
    const char *end = data + len;
    while (data < end && (data = memchr(data, '\n', (size_t)(end - data))) != NULL) {
        n++;
        data++;
    }
    return n;
}

static int take_records(struct fetch *fetch, struct slot *slot, const json_t *message,
                        const struct buf *payload, struct fault *fault)
{
    const json_t *count = json_object_get(message, "count");
    json_int_t n_records = count ? json_integer_value(count) : 1;
    if (!json_object_get(message, "bytes") || (count && !json_is_integer(count)) || n_records < 1 ||
        payload->len == 0)
        return wrong(fetch, fault, "a record needs `bytes`, and `count` to be a number above 0");
    size_t len = payload->len;
    if (payload->data[len - 1] != '\n')
        payload->data[len++] = '\n'; /* where the buffer keeps its NUL */
    size_t n_lines = count_lines(payload->data, len);
    int result = 0;
    if (n_lines != (size_t)n_records)
        result = wrong(fetch, fault, "a message announced another number of records than it held");
    else if (!slot->entry && open_records(fetch, slot, fault))
        result = -1;
    else if (entry_write(slot->entry, payload->data, len, fault))
        result = from_bundle(fetch, fault);
    payload->data[payload->len] = '\0';
    slot->result.n_records += n_lines;
    return result;
}

/* --- the other messages --- */

static int take_file(struct fetch *fetch, struct slot *slot, const json_t *message, const struct buf *payload,
                     struct fault *fault)
{
    bool finished;
    if (files_piece(&fetch->files, slot->collection->name, message, payload, &finished, fault))
        return from_bundle(fetch, fault);
    if (finished) {
        slot->result.n_files++;
        slot->result.bytes += files_last_bytes(&fetch->files);
    }
    return 0;
}

/* "billing/tickets": how a collection is called across sources. */
static void full_name(const struct fetch *fetch, const struct slot *slot, char *name, size_t cap)
{
    snprintf(name, cap, "%s/%s", fetch->source, slot->collection->name);
}

static int take_withheld(struct fetch *fetch, struct slot *slot, const json_t *message, struct fault *fault)
{
    const json_int_t count = json_integer_value(json_object_get(message, "count"));
    const char *reason = json_string_value(json_object_get(message, "reason"));
    if (count < 1 || !reason || !hello_name_valid(reason))
        return wrong(fetch, fault, "withheld needs a `count` above 0 and a `reason`");
    char name[BUNDLE_ENTRY_NAME_MAX];
    full_name(fetch, slot, name, sizeof name);
    if (!slot->withheld && !(slot->withheld = ledger_new()))
        return no_memory(fetch, fault);
    if (ledger_add(slot->withheld, name, reason, (uint64_t)count, fault))
        return ours(fetch);
    return ledger_size(slot->withheld) <= REASONS_MAX
               ? 0
               : wrong(fetch, fault, "a collection withholds for more reasons than may be told of");
}

static int set_gap(struct fetch *fetch, struct slot *slot, const json_t *message, struct fault *fault)
{
    const char *code = json_string_value(json_object_get(message, "code"));
    const char *text = json_string_value(json_object_get(message, "text"));
    struct fault clean; /* cuts and cleans the text as any fault's */
    fault_set(&clean, "", "%s", text ? text : "the connector gave no reason");
    slot->result.gap_code = strdup(code && hello_name_valid(code) ? code : "source_failed");
    slot->result.gap_text = strdup(clean.text);
    slot->again = json_is_true(json_object_get(message, "retryable"));
    return slot->result.gap_code && slot->result.gap_text ? 0 : no_memory(fetch, fault);
}

static int end_records(struct fetch *fetch, struct slot *slot, struct fault *fault)
{
    if (slot->withheld && ledger_merge(fetch->reply->withheld, slot->withheld, fault))
        return ours(fetch);
    if (!slot->entry)
        return 0;
    if (entry_end(slot->entry, fault))
        return from_bundle(fetch, fault);
    slot->result.bytes += entry_info(slot->entry)->bytes;
    char name[BUNDLE_ENTRY_NAME_MAX];
    full_name(fetch, slot, name, sizeof name);
    return screen_tally(slot->screen, fetch->reply->withheld, name, fault) ? ours(fetch) : 0;
}

static void drop_content(struct fetch *fetch, struct slot *slot)
{
    entry_drop(slot->entry);
    slot->entry = NULL;
    files_drop(&fetch->files, slot->collection->name);
    preview_free(slot->result.preview);
    slot->result.preview = NULL;
    free(slot->result.entry);
    slot->result.entry = NULL;
    slot->result.n_records = slot->result.n_files = slot->result.bytes = 0;
}

static int take_end(struct fetch *fetch, struct slot *slot, const json_t *message, struct fault *fault)
{
    static const struct {
        const char *name;
        enum source_status status;
    } statuses[] = {{"complete", SOURCE_COMPLETE},
                    {"absent", SOURCE_NOT_FOUND},
                    {"partial", SOURCE_PARTIAL},
                    {"failed", SOURCE_FAILED}};
    const char *status = json_string_value(json_object_get(message, "status"));
    const json_t *count = json_object_get(message, "count");
    uint64_t n_sent = slot->result.n_records + slot->result.n_files;
    size_t i = 0;
    while (i < 4 && (!status || strcmp(status, statuses[i].name) != 0))
        i++;
    if (i == 4)
        return wrong(fetch, fault, "`status` of end must be complete, absent, partial or failed");
    slot->result.status = statuses[i].status;
    slot->ended = true;
    if (slot->result.status == SOURCE_FAILED) {
        drop_content(fetch, slot);
        return set_gap(fetch, slot, message, fault);
    }
    if (!json_is_integer(count) || json_integer_value(count) < 0 ||
        (uint64_t)json_integer_value(count) != n_sent)
        return wrong(fetch, fault, "`count` of end is not the number of records and files that came");
    if (fetch->files.receiving)
        return wrong(fetch, fault, "a collection ended in the middle of a file");
    if (slot->result.status == SOURCE_NOT_FOUND && n_sent)
        return wrong(fetch, fault, "a collection that is absent had records");
    if (slot->result.status == SOURCE_PARTIAL && set_gap(fetch, slot, message, fault))
        return -1;
    return end_records(fetch, slot, fault);
}

static struct slot *find_slot(const struct fetch *fetch, const json_t *message)
{
    const char *name = json_string_value(json_object_get(message, "collection"));
    for (size_t i = 0; name && i < fetch->n_slots; i++)
        if (fetch->slots[i].asked && strcmp(fetch->slots[i].collection->name, name) == 0)
            return &fetch->slots[i];
    return NULL;
}

static int take_message(void *ctx, const json_t *message, const char *type, const struct buf *payload,
                        struct fault *fault)
{
    struct fetch *fetch = ctx;
    if (strcmp(type, "warning") == 0) {
        const char *code = json_string_value(json_object_get(message, "code"));
        log_line(fetch->options->session.log, LOG_LEVEL_WARNING, fetch->options->request,
                 "source %s warns: %s", fetch->source, code && hello_name_valid(code) ? code : "(no code)");
        return 0;
    }
    struct slot *slot = find_slot(fetch, message);
    if (!slot)
        return wrong(fetch, fault, "a message about a collection that was not asked for");
    if (strcmp(type, "progress") == 0)
        return 0;
    if (slot->ended)
        return wrong(fetch, fault, "a message about a collection that has ended");
    if (strcmp(type, "record") == 0)
        return take_records(fetch, slot, message, payload, fault);
    if (strcmp(type, "file") == 0)
        return take_file(fetch, slot, message, payload, fault);
    if (strcmp(type, "withheld") == 0)
        return take_withheld(fetch, slot, message, fault);
    if (strcmp(type, "end") == 0)
        return take_end(fetch, slot, message, fault);
    return wrong(fetch, fault, "a message of a type that does not belong into fetch");
}

/* --- the whole --- */

static int prepare(struct fetch *fetch, struct fault *fault)
{
    const struct catalog_source *source = fetch->options->source;
    fetch->n_slots = source->n_collections;
    fetch->slots = calloc(fetch->n_slots, sizeof *fetch->slots);
    fetch->reply->withheld = ledger_new();
    if (!fetch->slots || !fetch->reply->withheld)
        return no_memory(fetch, fault);
    for (size_t i = 0; i < fetch->n_slots; i++) {
        struct slot *slot = &fetch->slots[i];
        slot->collection = &source->collections[i];
        slot->asked = fetch->options->asked[i];
        slot->result.name = strdup(slot->collection->name);
        slot->result.title = strdup(slot->collection->title);
        slot->result.category = strdup(slot->collection->category);
        if (!slot->result.name || !slot->result.title || !slot->result.category)
            return no_memory(fetch, fault);
    }
    if (bundle_section(fetch->options->bundle, &fetch->reply->section, fault))
        return ours(fetch);
    files_init(&fetch->files, fetch->source, fetch->reply->section);
    return 0;
}

static json_t *asked_names(const struct fetch *fetch)
{
    json_t *names = json_array();
    for (size_t i = 0; names && i < fetch->n_slots; i++) {
        if (fetch->slots[i].asked &&
            json_array_append_new(names, json_string(fetch->slots[i].collection->name))) {
            json_decref(names);
            names = NULL;
        }
    }
    return names;
}

static int converse(struct fetch *fetch, bool *found, int64_t *retry_after_ms, struct fault *fault)
{
    struct session *session;
    if (session_open(&session, fetch->options->source, &fetch->options->session, fault))
        return -1;
    json_t *names = asked_names(fetch);
    int result = names ? session_fetch(session, fetch->options->request, fetch->options->identities, names,
                                       take_message, fetch, found, fault)
                       : no_memory(fetch, fault);
    *retry_after_ms = session_retry_after_ms(session);
    json_decref(names);
    session_close(session);
    return result;
}

static int all_ended(const struct fetch *fetch, bool found, struct fault *fault)
{
    for (size_t i = 0; i < fetch->n_slots; i++) {
        const struct slot *slot = &fetch->slots[i];
        if (!slot->asked)
            continue;
        if (!slot->ended)
            return wrong(fetch, fault, "done came before the end of a collection that was asked for");
        if (!found && slot->result.n_records + slot->result.n_files)
            return wrong(fetch, fault, "the person was not found, but there were records");
    }
    return 0;
}

static void slot_wipe(struct slot *slot)
{
    screen_free(slot->screen);
    ledger_free(slot->withheld);
    collection_result_wipe(&slot->result);
}

/* Hands what was fetched over to the reply. */
static int hand_over(struct fetch *fetch, struct fault *fault)
{
    struct source_result *result = &fetch->reply->result;
    char *index;
    if (files_end(&fetch->files, &index, fault))
        return from_bundle(fetch, fault);
    result->collections = calloc(fetch->n_slots, sizeof *result->collections);
    if (!result->collections) {
        free(index);
        return no_memory(fetch, fault);
    }
    for (size_t i = 0; i < fetch->n_slots; i++) {
        struct slot *slot = &fetch->slots[i];
        if (!slot->asked)
            continue;
        if (slot->result.n_files && !(slot->result.files = strdup(index))) {
            free(index);
            return no_memory(fetch, fault);
        }
        result->gap_retryable |= slot->again;
        result->collections[result->n_collections++] = slot->result;
        slot->result = (struct collection_result){0}; /* it belongs to the reply now */
    }
    free(index);
    return source_result_sum_up(result, fault);
}

enum fetch_verdict fetch_run(const struct fetch_options *options, struct reply *reply,
                             int64_t *retry_after_ms, struct fault *fault)
{
    struct fetch fetch = {.options = options, .source = options->source->config->name, .reply = reply};
    enum fetch_verdict verdict = FETCH_OK;
    bool found = false;
    *retry_after_ms = 0;
    if (prepare(&fetch, fault) || converse(&fetch, &found, retry_after_ms, fault) ||
        all_ended(&fetch, found, fault) || hand_over(&fetch, fault)) {
        verdict = fetch.broken || session_code_is_ours(fault->code) ? FETCH_BROKEN : FETCH_FAILED;
        reply_drop(reply);
    }
    for (size_t i = 0; fetch.slots && i < fetch.n_slots; i++)
        slot_wipe(&fetch.slots[i]);
    free(fetch.slots);
    files_wipe(&fetch.files);
    return verdict;
}
