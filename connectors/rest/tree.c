#include "tree.h"

#include "base/utf8.h"
#include "wipe.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <yajl/yajl_gen.h>
#include <yajl/yajl_parse.h>

#define CHUNK_SIZE 65536

struct chunk {
    struct chunk *next;
    size_t len;
    size_t cap;
    max_align_t data[];
};

struct tree {
    struct chunk *chunks;
    size_t taken;
    size_t memory_max;
    struct node *root;
};

struct open_container {
    struct node *node;
    struct node *last;
};

struct parse {
    struct tree *tree;
    struct open_container stack[TREE_DEPTH_MAX];
    size_t depth;
    const char *key;
    size_t key_len;
    struct fault *fault;
    bool failed; /* by us, with `fault` filled, and not by the parser */
};

static void *take(struct parse *parse, size_t size)
{
    struct tree *tree = parse->tree;
    size_t need = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (!tree->chunks || tree->chunks->cap - tree->chunks->len < need) {
        size_t cap = need > CHUNK_SIZE ? need : CHUNK_SIZE;
        if (cap > tree->memory_max - tree->taken) {
            fault_set(parse->fault, "too_large", "takes more than %zu bytes of memory", tree->memory_max);
            goto failed;
        }
        struct chunk *chunk = wipe_malloc(sizeof *chunk + cap);
        if (!chunk) {
            fault_retry(parse->fault, "no_memory", "no memory for %zu bytes", cap);
            goto failed;
        }
        *chunk = (struct chunk){.next = tree->chunks, .cap = cap};
        tree->chunks = chunk;
        tree->taken += cap;
    }
    char *data = (char *)tree->chunks->data + tree->chunks->len;
    tree->chunks->len += need;
    return data;

failed:
    parse->failed = true;
    return NULL;
}

static size_t mend(char *out, const char *text, size_t len)
{
    static const char replacement[] = "\xef\xbf\xbd";
    size_t out_len = 0;
    for (size_t i = 0; i < len;) {
        size_t n = utf8_length(text + i, len - i);
        memcpy(out + out_len, n ? text + i : replacement, n ? n : 3);
        out_len += n ? n : 3;
        i += n ? n : 1;
    }
    return out_len;
}

/* The parser turns an escape such as \udc00 into bytes that are no UTF-8, which nobody downstream would
 * accept. */
static const char *keep_text(struct parse *parse, const unsigned char *text, size_t *len)
{
    const char *from = (const char *)text;
    bool valid = utf8_is_valid(from, *len);
    if (*len > SIZE_MAX / 4) {
        parse->failed = true;
        fault_set(parse->fault, "too_large", "holds a string that is too long");
        return NULL;
    }
    char *kept = take(parse, valid ? *len : *len * 3);
    if (!kept)
        return NULL;
    if (valid && *len)
        memcpy(kept, from, *len);
    else if (!valid)
        *len = mend(kept, from, *len);
    return kept;
}

static struct node *add(struct parse *parse, enum node_kind kind)
{
    struct node *node = take(parse, sizeof *node);
    if (!node)
        return NULL;
    *node = (struct node){.kind = kind, .key = parse->key, .key_len = parse->key_len};
    parse->key = NULL;
    parse->key_len = 0;
    if (parse->depth == 0) {
        parse->tree->root = node;
        return node;
    }
    struct open_container *top = &parse->stack[parse->depth - 1];
    if (top->last)
        top->last->next = node;
    else
        top->node->child = node;
    top->last = node;
    return node;
}

static int add_text(struct parse *parse, enum node_kind kind, const unsigned char *text, size_t len)
{
    struct node *node = add(parse, kind);
    if (!node)
        return 0;
    node->text = keep_text(parse, text, &len);
    node->len = len;
    return node->text != NULL;
}

static int open_container(struct parse *parse, enum node_kind kind)
{
    if (parse->depth == TREE_DEPTH_MAX) {
        parse->failed = true;
        fault_set(parse->fault, "too_deep", "is nested deeper than %d levels", TREE_DEPTH_MAX);
        return 0;
    }
    struct node *node = add(parse, kind);
    if (!node)
        return 0;
    parse->stack[parse->depth++] = (struct open_container){.node = node};
    return 1;
}

static int on_null(void *ctx)
{
    return add(ctx, NODE_NULL) != NULL;
}

static int on_boolean(void *ctx, int value)
{
    return add(ctx, value ? NODE_TRUE : NODE_FALSE) != NULL;
}

static int on_number(void *ctx, const char *text, size_t len)
{
    return add_text(ctx, NODE_NUMBER, (const unsigned char *)text, len);
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    return add_text(ctx, NODE_STRING, text, len);
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct parse *parse = ctx;
    parse->key = keep_text(parse, text, &len);
    parse->key_len = len;
    return parse->key != NULL;
}

static int on_object(void *ctx)
{
    return open_container(ctx, NODE_OBJECT);
}

static int on_array(void *ctx)
{
    return open_container(ctx, NODE_ARRAY);
}

static int on_end(void *ctx)
{
    struct parse *parse = ctx;
    parse->depth--;
    return 1;
}

static void *yajl_take(void *ctx, size_t size)
{
    (void)ctx;
    return wipe_malloc(size);
}

static void *yajl_grow(void *ctx, void *data, size_t size)
{
    (void)ctx;
    return wipe_realloc(data, size);
}

static void yajl_give(void *ctx, void *data)
{
    (void)ctx;
    wipe_free(data);
}

int tree_parse(struct tree **tree, const char *data, size_t len, size_t memory_max, struct fault *fault)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_start_map = on_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_array,
        .yajl_end_array = on_end,
    };
    yajl_alloc_funcs alloc = {.malloc = yajl_take, .realloc = yajl_grow, .free = yajl_give};
    struct tree *made = wipe_calloc(1, sizeof *made);
    if (!made)
        return fault_retry(fault, "no_memory", "no memory for an answer");
    made->memory_max = memory_max;
    struct parse parse = {.tree = made, .fault = fault};
    yajl_handle parser = yajl_alloc(&callbacks, &alloc, &parse);
    if (!parser) {
        tree_free(made);
        return fault_retry(fault, "no_memory", "no memory for an answer");
    }
    yajl_status status = yajl_parse(parser, (const unsigned char *)data, len);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(parser);
    yajl_free(parser);
    if (status != yajl_status_ok || !made->root) {
        tree_free(made);
        return parse.failed ? -1 : fault_set(fault, "not_json", "is not JSON");
    }
    *tree = made;
    return 0;
}

void tree_free(struct tree *tree)
{
    if (!tree)
        return;
    for (struct chunk *chunk = tree->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        wipe_free(chunk);
    }
    wipe_free(tree);
}

struct node *tree_root(const struct tree *tree)
{
    return tree->root;
}

static bool token_is(const char *token, size_t token_len, const char *key, size_t key_len)
{
    size_t k = 0;
    for (size_t t = 0; t < token_len; t++, k++) {
        char c = token[t];
        if (c == '~' && t + 1 < token_len)
            c = token[++t] == '1' ? '/' : '~';
        if (k == key_len || key[k] != c)
            return false;
    }
    return k == key_len;
}

static struct node *member(const struct node *object, const char *token, size_t len)
{
    struct node *found = NULL;
    for (struct node *child = object->child; child; child = child->next) {
        if (!token_is(token, len, child->key, child->key_len))
            continue;
        if (found)
            return NULL;
        found = child;
    }
    return found;
}

static struct node *element(const struct node *array, const char *token, size_t len)
{
    size_t index = 0;
    if (len == 0 || len > 9 || (len > 1 && token[0] == '0'))
        return NULL;
    for (size_t i = 0; i < len; i++) {
        if (token[i] < '0' || token[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(token[i] - '0');
    }
    struct node *child = array->child;
    while (child && index--)
        child = child->next;
    return child;
}

struct node *node_below(const struct node *node, const char *token, size_t len)
{
    if (node->kind == NODE_OBJECT)
        return member(node, token, len);
    return node->kind == NODE_ARRAY ? element(node, token, len) : NULL;
}

const struct node *node_at(const struct node *node, const char *pointer)
{
    while (node && *pointer == '/') {
        const char *token = pointer + 1;
        size_t len = strcspn(token, "/");
        node = node_below(node, token, len);
        pointer = token + len;
    }
    return node;
}

size_t node_count(const struct node *node, const char *pointer)
{
    while (node && *pointer == '/') {
        const char *token = pointer + 1;
        size_t len = strcspn(token, "/");
        pointer = token + len;
        if (len == 1 && *token == '*') {
            size_t n = 0;
            for (node = node->child; node; node = node->next)
                n += node_count(node, pointer);
            return n;
        }
        node = node_below(node, token, len);
    }
    return node != NULL;
}

bool node_has_text(const struct node *node)
{
    return node && (node->kind == NODE_STRING || node->kind == NODE_NUMBER);
}

bool node_equals(const struct node *node, const char *text, size_t len, bool ignore_case)
{
    if (!node_has_text(node) || node->len != len)
        return false;
    /* strncasecmp works in the C locale: no program here leaves it */
    return ignore_case ? strncasecmp(node->text, text, len) == 0 : memcmp(node->text, text, len) == 0;
}

struct print {
    struct buf *out;
    struct fault *fault;
    bool failed;
};

static void print(void *ctx, const char *text, size_t len)
{
    struct print *to = ctx;
    if (!to->failed && buf_append(to->out, text, len, to->fault))
        to->failed = true;
}

static yajl_gen_status write_node(yajl_gen gen, const struct node *node)
{
    yajl_gen_status status = yajl_gen_status_ok;
    switch (node->kind) {
    case NODE_NULL: return yajl_gen_null(gen);
    case NODE_FALSE: return yajl_gen_bool(gen, 0);
    case NODE_TRUE: return yajl_gen_bool(gen, 1);
    case NODE_NUMBER: return yajl_gen_number(gen, node->text, node->len);
    case NODE_STRING: return yajl_gen_string(gen, (const unsigned char *)node->text, node->len);
    case NODE_ARRAY: status = yajl_gen_array_open(gen); break;
    case NODE_OBJECT: status = yajl_gen_map_open(gen); break;
    }
    for (const struct node *child = node->child; child && status == yajl_gen_status_ok; child = child->next) {
        if (node->kind == NODE_OBJECT)
            status = yajl_gen_string(gen, (const unsigned char *)child->key, child->key_len);
        if (status == yajl_gen_status_ok)
            status = write_node(gen, child);
    }
    if (status != yajl_gen_status_ok)
        return status;
    return node->kind == NODE_ARRAY ? yajl_gen_array_close(gen) : yajl_gen_map_close(gen);
}

int node_write(const struct node *node, struct buf *out, struct fault *fault)
{
    yajl_alloc_funcs alloc = {.malloc = yajl_take, .realloc = yajl_grow, .free = yajl_give};
    struct print to = {.out = out, .fault = fault};
    yajl_gen gen = yajl_gen_alloc(&alloc);
    if (!gen)
        return fault_retry(fault, "no_memory", "no memory for a record");
    yajl_gen_config(gen, yajl_gen_print_callback, print, &to);
    yajl_gen_status status = write_node(gen, node);
    yajl_gen_free(gen);
    if (to.failed)
        return -1;
    return status == yajl_gen_status_ok ? 0 : fault_set(fault, "internal", "a record cannot be written");
}
