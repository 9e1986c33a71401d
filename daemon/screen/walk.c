#include "screen/walk.h"
#include "screen/arena.h"
#include "screen/keys.h"
#include "screen/text.h"
#include "screen/value.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <yajl/yajl_parse.h>

#define DEPTH_MAX 64

/* The shortest member, "":1, and its comma: so many members can be open in `len` bytes. */
#define MEMBERS_IN(len) ((len) / 5 + 1)

/* An object or array that is open. */
struct level {
    struct key_set keys;
    unsigned state;       /* its place among the classes */
    enum class_kind kind; /* its class, which its keys have */
    bool array;
    bool dropped; /* nothing in it leaves */
    bool begun;   /* something in it has been written */
    /* what comes next in it: the value of the key read last, or any element */
    unsigned next_state;
    enum class_kind next_kind;
    const char *next_reason; /* why it is dropped; NULL: it leaves */
};

struct walk {
    const struct classes *classes;
    struct value_sink sink;
    struct keys keys;
    char *scratch; /* room for the longest string without its escapes */
    size_t scratch_used;
    const char *chunk; /* what is parsed: a record and its newline */
    const char *chunk_end;
    const char *cursor;  /* in the chunk: behind the string read last */
    const char *refusal; /* why the record cannot be taken */
    size_t n_values;     /* begun in this record, at the top */
    size_t depth;
    struct level levels[DEPTH_MAX + 1]; /* by depth; the first stands for the record's line */
};

static int refuse(struct walk *walk, const char *refusal)
{
    walk->refusal = refusal;
    return 0;
}

/* yajl's own decoding of escapes loses half surrogate pairs and what follows them, so it is not used: what
 * lies outside of the chunk had escapes, and is decoded from where it stands in the chunk. */
static bool take_piece(struct walk *walk, const unsigned char *yajl_text, size_t len, struct piece *piece)
{
    uintptr_t at = (uintptr_t)yajl_text, chunk = (uintptr_t)walk->chunk;
    if (at >= chunk && at < (uintptr_t)walk->chunk_end) {
        *piece = (struct piece){.text = walk->chunk + (at - chunk), .len = len};
        walk->cursor = piece->text + len + 1;
        return true;
    }
    const char *quote = memchr(walk->cursor, '"', (size_t)(walk->chunk_end - walk->cursor));
    if (!quote)
        return refuse(walk, "a string cannot be found again");
    size_t raw_len = text_raw_len(quote + 1, walk->chunk_end);
    walk->cursor = quote + 1 + raw_len + 1;
    *piece = (struct piece){.text = walk->scratch, .escaped = true};
    piece->len = text_decode(quote + 1, raw_len, walk->scratch);
    if (piece->len > walk->scratch_used)
        walk->scratch_used = piece->len;
    return true;
}

/* Settles the class of what comes next in a level. */
static void expect(const struct walk *walk, struct level *level, const char *key, size_t key_len)
{
    const char *reason;
    level->next_state = classes_step(walk->classes, level->state, key, key_len);
    level->next_kind = classes_at(walk->classes, level->next_state, &reason);
    level->next_reason = reason;
    if (level->next_kind == CLASS_SECRET)
        level->next_reason = "secret";
    else if (level->next_kind == CLASS_CVV)
        level->next_reason = "cvv";
}

static void put_comma(struct walk *walk, struct level *level)
{
    if (level->begun)
        writer_put_char(walk->sink.out, ',');
    level->begun = true;
}

/* Whether the value that begins now leaves. One that is dropped is counted, unless it is in one that was. */
static bool leaves(struct walk *walk)
{
    struct level *level = &walk->levels[walk->depth];
    if (level->dropped)
        return false;
    if (level->next_reason) {
        tally_add(walk->sink.tally, level->next_reason, 1);
        return false;
    }
    if (level->array)
        put_comma(walk, level);
    return true;
}

/* Writes a key, changed where it holds what must not leave, and then once more where another key became the
 * same. */
static void put_key(struct walk *walk, struct level *level, const struct piece *piece)
{
    struct writer *out = walk->sink.out;
    size_t start = out->len;
    if (level->kind == CLASS_OWN)
        value_put_plain(&walk->sink, piece);
    else if (value_put_scanned(&walk->sink, piece))
        level->keys.changed = true;
    if (!level->keys.changed && !piece->escaped)
        return;
    size_t end = out->len;
    while (!keys_write(&walk->keys, &level->keys, out->data + start, out->len - start) && !out->full) {
        char suffix[16];
        int len = snprintf(suffix, sizeof suffix, "-%u", ++level->keys.suffix);
        out->len = end;
        writer_put(out, suffix, (size_t)len);
    }
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct walk *walk = ctx;
    struct level *level = &walk->levels[walk->depth];
    struct piece piece;
    if (!take_piece(walk, text, len, &piece))
        return 0;
    if (walk->keys.n - level->keys.first == KEYS_MEMBERS_MAX)
        return refuse(walk, "an object with more than 4096 members");
    if (!keys_add(&walk->keys, &level->keys, piece.text, piece.len))
        return refuse(walk, "an object with the same key twice");
    if (level->dropped)
        return 1;
    expect(walk, level, piece.text, piece.len);
    if (level->next_reason)
        return 1;
    put_comma(walk, level);
    writer_put_char(walk->sink.out, '"');
    put_key(walk, level, &piece);
    writer_put(walk->sink.out, "\":", 2);
    return 1;
}

static int open_level(struct walk *walk, bool array)
{
    struct level *outer = &walk->levels[walk->depth];
    if (walk->depth == 0 && array)
        return refuse(walk, "not an object");
    if (walk->depth == 0 && walk->n_values++ > 0)
        return refuse(walk, "more than one value in a line");
    if (walk->depth == DEPTH_MAX)
        return refuse(walk, "nested deeper than 64");
    bool leave = leaves(walk);
    struct level *level = &walk->levels[++walk->depth];
    *level = (struct level){.keys = keys_open(&walk->keys),
                            .state = outer->next_state,
                            .kind = outer->next_kind,
                            .array = array,
                            .dropped = !leave};
    if (leave)
        writer_put_char(walk->sink.out, array ? '[' : '{');
    if (leave && array)
        expect(walk, level, NULL, 0);
    return 1;
}

static int close_level(struct walk *walk, char bracket)
{
    struct level *level = &walk->levels[walk->depth--];
    keys_close(&walk->keys, &level->keys);
    if (!level->dropped)
        writer_put_char(walk->sink.out, bracket);
    return 1;
}

static int on_object(void *ctx)
{
    return open_level(ctx, false);
}

static int on_object_end(void *ctx)
{
    return close_level(ctx, '}');
}

static int on_array(void *ctx)
{
    return open_level(ctx, true);
}

static int on_array_end(void *ctx)
{
    return close_level(ctx, ']');
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct walk *walk = ctx;
    struct piece piece;
    if (walk->depth == 0)
        return refuse(walk, "not an object");
    if (!take_piece(walk, text, len, &piece))
        return 0;
    if (leaves(walk))
        value_put_string(&walk->sink, walk->levels[walk->depth].next_kind, &piece);
    return 1;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    struct walk *walk = ctx;
    if (walk->depth == 0)
        return refuse(walk, "not an object");
    if (leaves(walk))
        value_put_number(&walk->sink, walk->levels[walk->depth].next_kind, text, len);
    return 1;
}

static int on_literal(struct walk *walk, const char *text)
{
    if (walk->depth == 0)
        return refuse(walk, "not an object");
    if (leaves(walk))
        value_put_literal(&walk->sink, walk->levels[walk->depth].next_kind, text);
    return 1;
}

static int on_boolean(void *ctx, int value)
{
    return on_literal(ctx, value ? "true" : "false");
}

static int on_null(void *ctx)
{
    return on_literal(ctx, "null");
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_object_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_array_end,
};

/* Parses bytes of one record; its newline ends any number or word that stands at its end. */
static bool parse(struct walk *walk, yajl_handle parser, const char *data, size_t len)
{
    walk->chunk = walk->cursor = data;
    walk->chunk_end = data + len;
    yajl_status status = yajl_parse(parser, (const unsigned char *)data, len);
    if (status == yajl_status_error)
        walk->refusal = "not JSON";
    return status == yajl_status_ok;
}

static bool parse_record(struct walk *walk, yajl_handle parser, const char *data, size_t len)
{
    walk->n_values = 0;
    if (!parse(walk, parser, data, len) || (data[len - 1] != '\n' && !parse(walk, parser, "\n", 1)))
        return false;
    if (walk->depth > 0)
        return refuse(walk, "the object does not end on its line");
    if (walk->n_values == 0)
        return refuse(walk, "an empty line");
    return true;
}

static int walk_all(struct walk *walk, yajl_handle parser, const char *data, size_t len, struct fault *fault)
{
    const char *end = data + len;
    for (size_t number = 1; data < end; number++) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        size_t record_len = (size_t)((newline ? newline + 1 : end) - data);
        writer_put(walk->sink.out, ",\n", 2);
        if (!parse_record(walk, parser, data, record_len))
            return fault_set(fault, "bad_record", "record %zu: %s", number, walk->refusal);
        if (walk->sink.out->full)
            return fault_set(fault, "too_large", "record %zu: no room for what would leave", number);
        data += record_len;
    }
    return 0;
}

int walk_records(const struct walk_options *options, const char *data, size_t len, struct writer *out,
                 struct tally *tally, struct fault *fault)
{
    if (len > WALK_LEN_MAX)
        return fault_set(fault, "too_large", "records of %zu bytes in one piece: at most %zu are taken", len,
                         WALK_LEN_MAX);
    size_t keys_size = MEMBERS_IN(len) * sizeof(struct key);
    struct walk walk = {.classes = options->classes, .sink = {options->own, out, tally}};
    struct arena arena = {.cap = ARENA_CAP(len)};
    char *memory = malloc(keys_size + arena.cap + len);
    if (!memory)
        return fault_retry(fault, "no_memory", "no memory to screen %zu bytes", len);
    walk.keys = (struct keys){.list = (struct key *)(void *)memory, .seed = options->seed};
    arena.data = memory + keys_size;
    walk.scratch = arena.data + arena.cap;
    /* the record is what comes next on its line */
    walk.levels[0].next_state = CLASSES_ROOT;
    walk.levels[0].next_kind = classes_at(options->classes, CLASSES_ROOT, &walk.levels[0].next_reason);
    yajl_alloc_funcs funcs = arena_funcs(&arena);
    yajl_handle parser = yajl_alloc(&callbacks, &funcs, &walk);
    yajl_config(parser, yajl_allow_multiple_values, 1);
    yajl_config(parser, yajl_dont_validate_strings,
                1); /* they are known to be UTF-8, and yajl takes too much for it */
    int result = walk_all(&walk, parser, data, len, fault);
    yajl_free(parser);
    arena_wipe(&arena);
    OPENSSL_cleanse(walk.scratch, walk.scratch_used);
    free(memory);
    return result;
}
