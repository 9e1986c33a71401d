#include "bundle/report_fields.h"

#include "base/secret.h"
#include "bundle/preview.h"

#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define SEPARATOR " › "
#define ELLIPSIS  "…"

/* yajl does not check its allocations, so it gets memory that always suffices: its two text buffers double up
 * to at most four times the record, and what they leave behind is not reused. */
#define ARENA_BYTES (16 * (size_t)PREVIEW_BYTES_MAX)

struct level {
    bool array;
    size_t n_values;
    struct path {
        size_t len;
        bool cut;
    } path; /* of the level itself */
};

struct report_fields {
    void (*field_cb)(void *ctx, const struct report_field *field);
    void *ctx;
    size_t depth;
    struct level levels[REPORT_DEPTH_MAX];
    struct path path;
    char path_text[REPORT_PATH_MAX];
    size_t used; /* of the arena */
    _Alignas(16) unsigned char arena[ARENA_BYTES];
};

static void *arena_take(void *ctx, size_t size)
{
    struct report_fields *fields = ctx;
    size_t need = (size + 31) / 16 * 16; /* 16 in front for the size */
    if (size > ARENA_BYTES || need > ARENA_BYTES - fields->used)
        return NULL;
    unsigned char *block = fields->arena + fields->used;
    memcpy(block, &size, sizeof size);
    fields->used += need;
    return block + 16;
}

static void *arena_grow(void *ctx, void *old, size_t size)
{
    void *block = arena_take(ctx, size);
    if (block && old) {
        size_t old_size;
        memcpy(&old_size, (unsigned char *)old - 16, sizeof old_size);
        memcpy(block, old, old_size < size ? old_size : size);
    }
    return block;
}

static void arena_keep(void *ctx, void *block)
{
    (void)ctx;
    (void)block; /* everything is wiped at once */
}

static void path_add(struct report_fields *fields, const char *text, size_t len)
{
    struct path *path = &fields->path;
    if (path->cut)
        return;
    size_t room = REPORT_PATH_MAX - strlen(ELLIPSIS) - path->len;
    path->cut = len > room;
    if (path->cut) {
        len = room;
        while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
    }
    memcpy(fields->path_text + path->len, text, len);
    path->len += len;
    if (path->cut) {
        memcpy(fields->path_text + path->len, ELLIPSIS, strlen(ELLIPSIS));
        path->len += strlen(ELLIPSIS);
    }
}

static void path_step(struct report_fields *fields, const char *text, size_t len)
{
    if (fields->path.len)
        path_add(fields, SEPARATOR, strlen(SEPARATOR));
    path_add(fields, text, len);
}

/* The level that a value stands in, which holds one more by it. NULL outside the record. */
static struct level *value_in_level(struct report_fields *fields)
{
    if (!fields->depth)
        return NULL;
    struct level *level = &fields->levels[fields->depth - 1];
    level->n_values++;
    return level;
}

static void emit(struct report_fields *fields, enum field_kind kind, const char *text, size_t len)
{
    const struct report_field field = {
        .path = fields->path_text, .path_len = fields->path.len, .kind = kind, .text = text, .len = len};
    fields->field_cb(fields->ctx, &field);
}

static int value(struct report_fields *fields, enum field_kind kind, const void *text, size_t len)
{
    if (!value_in_level(fields))
        return 0;
    emit(fields, kind, text, len);
    return 1;
}

static int on_null(void *ctx)
{
    return value(ctx, FIELD_EMPTY, "", 0);
}

static int on_boolean(void *ctx, int truth)
{
    return value(ctx, truth ? FIELD_TRUE : FIELD_FALSE, "", 0);
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return value(ctx, FIELD_NUMBER, text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return value(ctx, len ? FIELD_TEXT : FIELD_EMPTY, text, len);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct report_fields *fields = ctx;
    fields->path = fields->levels[fields->depth - 1].path;
    path_step(fields, (const char *)text, len);
    return 1;
}

static int enter(struct report_fields *fields, bool array)
{
    struct level *parent = value_in_level(fields);
    if (fields->depth == REPORT_DEPTH_MAX || (!parent && array))
        return 0;
    if (parent && parent->array) {
        char number[24];
        int len = snprintf(number, sizeof number, "%zu", parent->n_values);
        path_step(fields, number, (size_t)len);
    }
    fields->levels[fields->depth++] = (struct level){.array = array, .path = fields->path};
    return 1;
}

static int leave(void *ctx)
{
    struct report_fields *fields = ctx;
    const struct level *level = &fields->levels[--fields->depth];
    fields->path = level->path;
    if (!level->n_values && fields->depth)
        emit(fields, FIELD_EMPTY, "", 0);
    if (fields->depth)
        fields->path = fields->levels[fields->depth - 1].path;
    return 1;
}

static int on_map(void *ctx)
{
    return enter(ctx, false);
}

static int on_array(void *ctx)
{
    return enter(ctx, true);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_map,
    .yajl_map_key = on_key,
    .yajl_end_map = leave,
    .yajl_start_array = on_array,
    .yajl_end_array = leave,
};

int report_fields_new(struct report_fields **fields, struct fault *fault)
{
    *fields = secret_alloc(sizeof **fields, fault);
    return *fields ? 0 : -1;
}

void report_fields_free(struct report_fields *fields)
{
    secret_free(fields, sizeof *fields);
}

int report_fields_walk(struct report_fields *fields, const char *record, size_t len,
                       void (*field_cb)(void *ctx, const struct report_field *field), void *ctx,
                       struct fault *fault)
{
    fields->field_cb = field_cb;
    fields->ctx = ctx;
    fields->depth = 0;
    fields->path = (struct path){0};
    yajl_alloc_funcs in_arena = {
        .malloc = arena_take, .realloc = arena_grow, .free = arena_keep, .ctx = fields};
    yajl_handle parser = len <= PREVIEW_BYTES_MAX ? yajl_alloc(&callbacks, &in_arena, fields) : NULL;
    bool whole = parser && yajl_parse(parser, (const unsigned char *)record, len) == yajl_status_ok &&
                 yajl_complete_parse(parser) == yajl_status_ok;
    OPENSSL_cleanse(fields->arena, fields->used);
    fields->used = 0;
    return whole
               ? 0
               : fault_set(fault, "bad_record", "a record that was kept for the report cannot be read again");
}
