/* Any bytes as the answer of a system that the rest engine asks: what is read is written as one line of the same JSON. */
#include "../../connectors/rest/tree.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tree *tree = parse((const char *)data, size);
    if (!tree)
        return 0;
    struct buf once, twice;
    look(tree);
    write_out(&once, tree);
    check_json(&once);
    struct tree *again = parse(once.data, once.len);
    if (!again)
        abort();
    write_out(&twice, again);
    if (once.len != twice.len || memcmp(once.data, twice.data, once.len) != 0)
        abort();
    buf_wipe(&once);
    buf_wipe(&twice);
    tree_free(again);
    tree_free(tree);
    return 0;
}
