/* Any bytes as the answer of a system that the rest engine asks: what is read is written as one line of the same JSON, a
 * file in it is the same in one piece and in small ones, and what it says of tokens and next pages stays within bounds. */
#include "../../connectors/rest/next.h"
#include "../../connectors/rest/pick.h"
#include "../../connectors/rest/token.h"
#include "../../connectors/rest/trail.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAX ((size_t)1 << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tree *parse(const char *data, size_t size)
{
    static const char *const codes[] = {"not_json", "too_deep", "too_large"};
    struct tree *tree;
    struct fault fault;
    if (tree_parse(&tree, data, size, MEMORY_MAX, &fault) == 0)
        return tree;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(fault.code, codes[i]) == 0 && !fault.retryable)
            return NULL;
    abort();
}

static void write_out(struct buf *out, const struct tree *tree)
{
    struct fault fault;
    buf_init(out, 8 * MEMORY_MAX);
    if (node_write(tree_root(tree), out, &fault) || memchr(out->data, '\n', out->len))
        abort();
}

/* Pointers lead to a value or to none. */
static void look(const struct tree *tree)
{
    const struct node *root = tree_root(tree);
    static const char *const pointers[] = {"", "/a", "/a/0", "/*", "/*/b/*", "/~0/~1"};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        const struct node *node = node_at(root, pointers[i]);
        if (node && node_has_text(node) && !node_equals(node, node->text, node->len, false))
            abort();
        if (!strchr(pointers[i], '*') && node && node_count(root, pointers[i]) == 0)
            abort();
    }
}

/* Another parser reads it too; what it does not take are numbers beyond a double. */
static void check_json(const struct buf *out)
{
    json_error_t error;
    json_t *json =
        json_loadb(out->data, out->len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
    if (!json && json_error_code(&error) != json_error_numeric_overflow &&
        json_error_code(&error) != json_error_null_byte_in_key)
        abort();
    json_decref(json);
}

/* Every element that is counted is walked to, and the ways back lead to what is around it. */
static int visit(const struct trail *trail, void *ctx)
{
    static const char *const pointers[] = {"0", "0#", "1/a", "2", "0/data"};
    struct buf text;
    struct fault fault;
    buf_init(&text, 8 * MEMORY_MAX);
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++)
        if (!trail_is_pointer(pointers[i]) || trail_append(trail, pointers[i], &text, &fault))
            abort();
    buf_wipe(&text);
    ++*(size_t *)ctx;
    return 0;
}

static void walk(const struct tree *tree)
{
    static const char *const pointers[] = {"", "/a", "/*", "/*/*/data", "/list/*"};
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        size_t n = 0;
        if (trail_each(tree_root(tree), pointers[i], visit, &n) ||
            n != node_count(tree_root(tree), pointers[i]))
            abort();
    }
}

static int collect(const char *data, size_t len, struct dsar_error *error, void *ctx)
{
    (void)error;
    struct fault fault;
    return buf_append(ctx, data, len, &fault);
}

struct picked {
    struct buf rest;
    struct buf file;
    bool is_whole;
    bool is_refused;
};

static void pick(struct picked *picked, const char *data, size_t size, size_t step)
{
    struct pick pick;
    struct dsar_error error;
    *picked = (struct picked){.is_refused = false};
    buf_init(&picked->rest, size + 1);
    buf_init(&picked->file, size + 1);
    if (pick_init(&pick, "/file/data", &picked->rest, collect, &picked->file, &error))
        abort();
    for (size_t at = 0; at < size && !picked->is_refused; at += step)
        picked->is_refused = pick_feed(&pick, data + at, size - at < step ? size - at : step, &error) != 0;
    picked->is_whole = pick_is_whole(&pick);
    if (picked->is_refused && strcmp(error.code, "source_answer") != 0)
        abort();
}

static bool same(const struct buf *one, const struct buf *other)
{
    return one->len == other->len && (one->len == 0 || memcmp(one->data, other->data, one->len) == 0);
}

/* What is left of JSON is JSON, without the text. */
static void check_rest(const struct picked *picked)
{
    struct tree *rest = parse(picked->rest.data, picked->rest.len);
    if (!rest)
        abort();
    const struct node *text = node_at(tree_root(rest), "/file/data");
    if (text && text->kind == NODE_STRING && text->len > 0)
        abort();
    tree_free(rest);
}

static void pick_both(const char *data, size_t size, bool is_json)
{
    struct picked whole, pieces;
    pick(&whole, data, size, size ? size : 1);
    pick(&pieces, data, size, 3);
    if (whole.is_refused != pieces.is_refused)
        abort();
    if (!whole.is_refused && (whole.is_whole != pieces.is_whole || !same(&whole.rest, &pieces.rest) ||
                              !same(&whole.file, &pieces.file)))
        abort();
    if (is_json && !whole.is_refused && whole.is_whole)
        check_rest(&whole);
    buf_wipe(&whole.rest);
    buf_wipe(&whole.file);
    buf_wipe(&pieces.rest);
    buf_wipe(&pieces.file);
}

static void keep_token(const char *data, size_t size)
{
    struct token token;
    struct buf body;
    struct fault fault;
    json_t *auth = json_pack("{s:s}", "kind", "oauth2");
    if (!auth)
        abort();
    token_init(&token);
    buf_init(&body, size);
    if (buf_append(&body, data, size, &fault))
        abort();
    if (token_keep(&token, auth, &body, &fault) == 0 &&
        (!token.text.len || strpbrk(token.text.data, "\r\n ")))
        abort();
    token_wipe(&token);
    buf_wipe(&body);
    json_decref(auth);
}

/* What stands between angle brackets, or nothing. */
static void follow_link(const char *data, size_t size)
{
    struct buf header, target;
    struct fault fault;
    buf_init(&header, size + 1);
    buf_init(&target, size + 1);
    if (buf_append(&header, data, size, &fault) || buf_append(&header, "", 1, &fault) ||
        next_link(header.data, &target, &fault))
        abort();
    if (target.len && (memchr(target.data, '>', target.len) || !strstr(header.data, target.data)))
        abort();
    buf_wipe(&header);
    buf_wipe(&target);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tree *tree = parse((const char *)data, size);
    pick_both((const char *)data, size, tree != NULL);
    keep_token((const char *)data, size);
    follow_link((const char *)data, size);
    if (!tree)
        return 0;
    struct buf once, twice;
    look(tree);
    walk(tree);
    write_out(&once, tree);
    check_json(&once);
    struct tree *again = parse(once.data, once.len);
    if (!again)
        abort();
    write_out(&twice, again);
    if (!same(&once, &twice))
        abort();
    buf_wipe(&once);
    buf_wipe(&twice);
    tree_free(again);
    tree_free(tree);
    return 0;
}
