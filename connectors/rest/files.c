#include "files.h"

#include "../sdk/error.h"
#include "base/utf8.h"
#include "exchange.h"
#include "pick.h"
#include "tests.h"

#include <dsar/protocol.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PLAIN_TYPE    "application/octet-stream"
#define TYPE_MAX      128
#define WHERE_MAX     ((size_t)1 << 20)
#define NAME_KEEP_MAX 255

/* One file on its way. */
struct transfer {
    struct files *files;
    const struct step *step;
    const struct sources *sources; /* of the record; then with the element */
    const struct trail *trail;
    struct exchange *exchange; /* NULL when the file stands in its record */
    struct pick pick;
    bool is_begun;
};

struct walk {
    struct files *files;
    const struct step *step;
    const struct sources *sources;
    struct dsar_error *error;
};

/* A name that a person can use: one line of UTF-8, not too long. */
static void tidy_name(struct buf *name)
{
    for (size_t i = 0; i < name->len; i++)
        if ((unsigned char)name->data[i] < ' ' || name->data[i] == 0x7f)
            name->data[i] = '_';
    size_t keep = 0;
    while (keep < name->len) {
        size_t n = utf8_length(name->data + keep, name->len - keep);
        if (n == 0 || keep + n > NAME_KEEP_MAX)
            break;
        keep += n;
    }
    name->len = keep;
    if (name->data)
        name->data[keep] = '\0';
}

static bool is_type(const char *type, size_t len)
{
    if (len == 0 || len >= TYPE_MAX || !memchr(type, '/', len))
        return false;
    for (size_t i = 0; i < len; i++)
        if (type[i] <= ' ' || type[i] > '~' || type[i] == '"')
            return false;
    return true;
}

/* The media type that the record says, or else the answer that is the file itself. */
static int find_type(const struct transfer *transfer, char type[TYPE_MAX], struct dsar_error *error)
{
    struct buf said;
    struct fault fault;
    int result = 0;
    buf_init(&said, TREE_DEPTH_MAX * TYPE_MAX);
    snprintf(type, TYPE_MAX, "%s", PLAIN_TYPE);
    if (transfer->step->media_type &&
        trail_append(transfer->trail, transfer->step->media_type, &said, &fault) &&
        strcmp(fault.code, "too_large") != 0)
        result = error_from_fault(error, &fault);
    bool is_plain = transfer->exchange && !transfer->step->base64;
    const char *header = is_plain ? response_header(&transfer->exchange->response, "Content-Type", 0) : NULL;
    size_t header_len = header ? strcspn(header, "; \t") : 0;
    if (is_type(said.data, said.len))
        snprintf(type, TYPE_MAX, "%s", said.data);
    else if (is_type(header, header_len))
        snprintf(type, TYPE_MAX, "%.*s", (int)header_len, header);
    buf_wipe(&said);
    return result;
}

/* A page where a file was to be is the system's way to say something else: to log in, or that there is none. */
static bool is_stray_page(const struct transfer *transfer, const struct buf *name)
{
    if (!transfer->exchange || transfer->step->base64)
        return false;
    const char *header = response_header(&transfer->exchange->response, "Content-Type", 0);
    const char *dot = name->len ? strrchr(name->data, '.') : NULL;
    return header && strncasecmp(header, "text/html", strlen("text/html")) == 0 &&
           !(dot && (strcasecmp(dot, ".html") == 0 || strcasecmp(dot, ".htm") == 0));
}

static int begin(struct transfer *transfer, struct dsar_error *error)
{
    struct files *files = transfer->files;
    struct buf name;
    struct fault fault;
    char id[24];
    char type[TYPE_MAX];
    int result = 0;
    buf_init(&name, DSAR_PAYLOAD_MAX);
    if (trail_append(transfer->trail, transfer->step->name, &name, &fault) &&
        strcmp(fault.code, "too_large") != 0)
        result = error_from_fault(error, &fault);
    tidy_name(&name);
    if (!result)
        result = find_type(transfer, type, error);
    if (!result && is_stray_page(transfer, &name))
        result = client_bad_answer(files->client, &transfer->exchange->request, false,
                                   "is a page where a file is expected", error);
    if (!result) {
        snprintf(id, sizeof id, "%llu", (unsigned long long)files->n_sent + 1);
        result = dsar_file_begin(files->session, id, name.len ? name.data : "file", type, error);
    }
    if (!result) {
        files->n_sent++;
        files->is_open = transfer->is_begun = true;
    }
    buf_wipe(&name);
    return result;
}

static int write_piece(const char *data, size_t len, struct dsar_error *error, void *ctx)
{
    struct transfer *transfer = ctx;
    if (!transfer->is_begun && begin(transfer, error))
        return -1;
    return dsar_file_write(transfer->files->session, data, len, error);
}

static int pick_piece(const char *data, size_t len, struct dsar_error *error, void *ctx)
{
    struct transfer *transfer = ctx;
    return pick_feed(&transfer->pick, data, len, error);
}

/* An empty file is one as well. */
static int end(struct transfer *transfer, struct dsar_error *error)
{
    if (!transfer->is_begun && begin(transfer, error))
        return -1;
    if (dsar_file_end(transfer->files->session, error))
        return -1;
    transfer->files->is_open = false;
    return 0;
}

static void note_missing(struct files *files, const struct dsar_error *why)
{
    if (files->n_missing++ == 0)
        files->why = *why;
}

static void note_absent(struct files *files)
{
    struct dsar_error why;
    dsar_error_set(&why, "file_missing", true, "the system names files that it does not give");
    note_missing(files, &why);
}

static int drop_piece(const char *data, size_t len, struct dsar_error *error, void *ctx)
{
    (void)data;
    (void)len;
    (void)error;
    (void)ctx;
    return 0;
}

static int decode(const struct node *text, base64_use_cb use, void *ctx, struct dsar_error *error)
{
    struct base64 base64 = {.bits = 0};
    return base64_feed(&base64, text->text, text->len, use, ctx, error) ||
                   base64_end(&base64, use, ctx, error)
               ? -1
               : 0;
}

/* A file whose base64 stands in the record. What cannot be decoded stays there. */
static int send_inside(struct transfer *transfer, struct dsar_error *error)
{
    const struct node *element = transfer->trail->nodes[transfer->trail->depth];
    struct node *text =
        (struct node *)(uintptr_t)node_at(element, transfer->step->data); /* of our own tree */
    struct dsar_error why;
    if (!text || text->kind != NODE_STRING) {
        note_absent(transfer->files);
        return 0;
    }
    if (decode(text, drop_piece, NULL, &why)) {
        note_missing(transfer->files, &why);
        return 0;
    }
    if (decode(text, write_piece, transfer, error) || end(transfer, error))
        return -1;
    text->kind = NODE_NULL;
    return 0;
}

/* Makes the call. *is_there stays false when the system does not know the file. */
static int receive(struct transfer *transfer, bool *is_there, struct dsar_error *error)
{
    struct files *files = transfer->files;
    struct exchange *exchange = transfer->exchange;
    const struct http_wait wait = {files->session, files->n_sent, 0};
    bool is_json = transfer->step->base64;
    exchange->response.sink = is_json ? pick_piece : write_piece;
    exchange->response.ctx = transfer;
    *is_there = false;
    if (is_json && pick_init(&transfer->pick, transfer->step->base64, &exchange->response.body, write_piece,
                             transfer, error))
        return -1;
    if (request_build(&exchange->request, transfer->step, transfer->sources, NULL, error))
        return -1;
    exchange->request.is_download = !is_json;
    exchange->request.is_pinned = false;
    if (client_send(files->client, &wait, &exchange->request, &exchange->response, error))
        return -1;
    if (is_json || exchange->response.status >= 400) {
        const struct answer_context context = {files->client, &exchange->request, transfer->step,
                                               transfer->sources, false};
        if (answer_read(&exchange->answer, &context, &exchange->response, error))
            return -1;
    }
    *is_there = !exchange->answer.is_absent && (!is_json || pick_is_whole(&transfer->pick));
    return 0;
}

/* A file that cannot be had does not lose the others, unless it has begun. */
static int send_asked(struct transfer *transfer, struct dsar_error *error)
{
    struct exchange exchange;
    struct dsar_error why;
    bool is_there;
    exchange_init(&exchange, transfer->files->client);
    transfer->exchange = &exchange;
    int result = receive(transfer, &is_there, &why);
    if (!result && is_there)
        result = end(transfer, &why);
    else if (!result && transfer->is_begun)
        result = client_bad_answer(transfer->files->client, &exchange.request, true,
                                   "says that it knows nothing, behind a file", &why);
    else if (!result)
        note_absent(transfer->files);
    if (result && !transfer->is_begun && strcmp(why.code, "source_answer") == 0) {
        note_missing(transfer->files, &why);
        result = 0;
    }
    if (result)
        *error = why;
    transfer->exchange = NULL;
    exchange_wipe(&exchange);
    return result;
}

static bool stands_for_none(const struct node *element)
{
    return element->kind == NODE_NULL || element->kind == NODE_FALSE ||
           (element->kind == NODE_STRING && element->len == 0);
}

/* Whether the rule is for this one of them. */
static int check_where(const json_t *where, const struct trail *trail, bool *is_meant,
                       struct dsar_error *error)
{
    const json_t *eq = json_object_get(where, "eq");
    struct buf text;
    struct fault fault;
    *is_meant = true;
    if (!where)
        return 0;
    buf_init(&text, WHERE_MAX);
    int result = trail_append(trail, json_string_value(json_object_get(where, "element")), &text, &fault);
    if (!result) {
        const struct node node = {.kind = NODE_STRING, .text = text.data ? text.data : "", .len = text.len};
        *is_meant = tests_is_value(&node, eq ? eq : json_object_get(where, "ne"), false) == (eq != NULL);
    }
    buf_wipe(&text);
    return result ? error_from_fault(error, &fault) : 0;
}

static int use_element(const struct trail *trail, void *ctx)
{
    const struct walk *walk = ctx;
    struct sources sources = *walk->sources;
    struct transfer transfer = {
        .files = walk->files, .step = walk->step, .sources = &sources, .trail = trail};
    bool is_meant;
    sources.element = trail;
    if (check_where(walk->step->where, trail, &is_meant, walk->error))
        return -1;
    if (!is_meant || stands_for_none(trail->nodes[trail->depth]))
        return 0;
    return walk->step->data ? send_inside(&transfer, walk->error) : send_asked(&transfer, walk->error);
}

int files_send(struct files *files, struct node *record, bool is_detail, const struct sources *sources,
               struct dsar_error *error)
{
    for (size_t i = 0; i < json_array_size(files->rules); i++) {
        struct step step;
        const struct step_plan plan = {json_array_get(files->rules, i), STEP_FILE, "/files"};
        struct walk walk = {files, &step, sources, error};
        if (step_read(&step, &plan, &files->scope, error))
            return -1;
        if (is_detail && !*step.in)
            continue;
        if (trail_each(record, step.in, use_element, &walk))
            return -1;
    }
    return 0;
}
