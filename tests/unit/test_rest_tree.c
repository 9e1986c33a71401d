#include "../../connectors/rest/keys.c"
#include "../../connectors/rest/tree.c"
#include "../../connectors/rest/wipe.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define MEMORY_MAX ((size_t)1 << 20)

static struct tree *parsed(const char *text)
{
    struct tree *tree;
    struct fault fault;
    if (tree_parse(&tree, text, strlen(text), MEMORY_MAX, &fault))
        fail_msg("%s: %s", text, fault.text);
    return tree;
}

static void assert_refused(const char *text, size_t len, const char *code)
{
    struct tree *tree;
    struct fault fault;
    assert_int_equal(tree_parse(&tree, text, len, MEMORY_MAX, &fault), -1);
    assert_string_equal(fault.code, code);
}

static void what_is_read_is_written_as_it_was(void **state)
{
    static const char *const texts[] = {
        "{\"a\":1.10,\"b\":-0,\"c\":1E+400,\"d\":12345678901234567890,\"e\":0."
        "1000000000000000055511151231257827}",
        "[null,true,false,\"\",[],{},[[{\"x\":[]}]]]",
        "{\"a\":1,\"a\":2}",
        "\"\\u0000\\u0001\\\"\\\\ é 日本 \xf0\x9f\x98\x80\"",
        "1.50",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tree *tree = parsed(texts[i]);
        struct buf out;
        struct fault fault;
        buf_init(&out, 4096);
        assert_int_equal(node_write(tree_root(tree), &out, &fault), 0);
        assert_string_equal(out.data, texts[i]);
        buf_wipe(&out);
        tree_free(tree);
    }
}

static void what_is_written_has_no_raw_newline(void **state)
{
    struct tree *tree = parsed("{ \"a\" : [ 1 ,\n 2 ] ,\r\n \"b\" : \"x\\n\\u000Ay\" }\n");
    struct buf out;
    struct fault fault;
    buf_init(&out, 4096);
    assert_int_equal(node_write(tree_root(tree), &out, &fault), 0);
    assert_string_equal(out.data, "{\"a\":[1,2],\"b\":\"x\\n\\ny\"}");
    buf_wipe(&out);
    buf_init(&out, 8);
    assert_int_equal(node_write(tree_root(tree), &out, &fault), -1);
    assert_string_equal(fault.code, "too_large");
    buf_wipe(&out);
    tree_free(tree);
}

static void pointers_lead_where_rfc_6901_says(void **state)
{
    static const char text[] =
        "{\"a\":{\"b/c\":[10,11,12],\"~\":1,\"\":2,\"0\":3},\"twice\":1,\"twice\":2,\"n\":null}";
    static const struct {
        const char *pointer;
        const char *text;
    } found[] = {{"/a/b~1c/0", "10"}, {"/a/b~1c/2", "12"}, {"/a/~0", "1"}, {"/a/", "2"}, {"/a/0", "3"}};
    static const char *const absent[] = {"/a/b",     "/a/b~1c/3",   "/a/b~1c/01", "/a/b~1c/-",
                                         "/a/b~1c/", "/a/b~1c/1/x", "/x",         "/a/b/c",
                                         "/twice",   "/n/x",        "/a/~1"};
    struct tree *tree = parsed(text);
    const struct node *root = tree_root(tree);
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        assert_true(
            node_equals(node_at(root, found[i].pointer), found[i].text, strlen(found[i].text), false));
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        assert_null(node_at(root, absent[i]));
    assert_ptr_equal(node_at(root, ""), root);
    assert_null(node_at(NULL, "/a"));
    assert_int_equal(node_at(root, "/n")->kind, NODE_NULL);
    tree_free(tree);
}

static void numbers_compare_as_their_text(void **state)
{
    struct tree *tree = parsed("[1,\"1\",1.0,\"Alice@Example.Test\",true,\"a\\u0000b\"]");
    const struct node *root = tree_root(tree);
    assert_true(node_equals(node_at(root, "/0"), "1", 1, false));
    assert_true(node_equals(node_at(root, "/1"), "1", 1, false));
    assert_false(node_equals(node_at(root, "/2"), "1", 1, false));
    assert_false(node_equals(node_at(root, "/3"), "alice@example.test", 18, false));
    assert_true(node_equals(node_at(root, "/3"), "alice@example.test", 18, true));
    assert_false(node_equals(node_at(root, "/4"), "true", 4, false));
    assert_false(node_equals(node_at(root, "/5"), "a", 1, false));
    assert_false(node_equals(NULL, "", 0, false));
    tree_free(tree);
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const texts[] = {"",         "{",       "[1,]",  "{\"a\"}",    "nul",
                                        "1 2",      "[1]]",    "<html", "[01]",       "\"a\nb\"",
                                        "\"\xff\"", "\"\\x\"", "// x",  "{\"a\":1}{", "\xef\xbb\xbf[]",
                                        "['a']",    "[1,2",    "[NaN]", "-"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_refused(texts[i], strlen(texts[i]), "not_json");
    assert_refused("[]\0", 3, "not_json");
}

static void nesting_is_bounded(void **state)
{
    char text[2 * TREE_DEPTH_MAX + 4];
    memset(text, '[', TREE_DEPTH_MAX);
    memset(text + TREE_DEPTH_MAX, ']', TREE_DEPTH_MAX);
    text[2 * (size_t)TREE_DEPTH_MAX] = '\0';
    tree_free(parsed(text));
    memset(text, '[', TREE_DEPTH_MAX + 1);
    assert_refused(text, TREE_DEPTH_MAX + 1, "too_deep");
}

static void memory_is_bounded(void **state)
{
    static char text[256 * 1024];
    text[0] = '[';
    for (size_t i = 1; i < sizeof text; i++)
        text[i] = i % 2 ? '1' : ',';
    text[sizeof text - 1] = ']';
    assert_refused(text, sizeof text, "too_large");
    memset(text, 'x', sizeof text);
    text[0] = text[sizeof text - 1] = '"';
    struct tree *tree;
    struct fault fault;
    assert_int_equal(tree_parse(&tree, text, sizeof text, MEMORY_MAX, &fault), 0);
    assert_int_equal(tree_root(tree)->len, sizeof text - 2);
    tree_free(tree);
}

static void escapes_that_are_no_character_are_replaced(void **state)
{
    struct tree *tree = parsed("{\"\\udc00\":\"a\\udfffb\"}");
    const struct node *member_node = tree_root(tree)->child;
    assert_true(utf8_is_valid(member_node->key, member_node->key_len));
    assert_true(utf8_is_valid(member_node->text, member_node->len));
    assert_int_equal(member_node->text[0], 'a');
    assert_int_equal(member_node->text[member_node->len - 1], 'b');
    tree_free(tree);
}

static void memory_that_grows_keeps_its_content(void **state)
{
    char *text = wipe_strdup("0123456789");
    text = wipe_realloc(text, 100000);
    assert_string_equal(text, "0123456789");
    text = wipe_realloc(text, 4);
    assert_memory_equal(text, "0123", 4);
    assert_null(wipe_realloc(text, 0));
    wipe_free(NULL);
}

static void keys_are_new_once(void **state)
{
    struct keys *keys;
    struct fault fault;
    assert_int_equal(keys_new(&keys, &fault), 0);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            char text[16];
            bool is_new;
            snprintf(text, sizeof text, "%d", i);
            assert_int_equal(keys_add(keys, text, strlen(text), &is_new, &fault), 0);
            assert_int_equal(is_new, round == 0);
        }
    bool is_new;
    assert_int_equal(keys_add(keys, "", 0, &is_new, &fault), 0);
    assert_true(is_new);
    keys_free(keys);
    keys_free(NULL);
}

static void a_star_counts_all_that_is_there(void **state)
{
    static const char text[] = "{\"r\":[{\"f\":[1,2]},{\"f\":\"\"},{\"f\":{\"0\":1}},{}],\"f\":[],\"*\":1}";
    static const struct {
        const char *pointer;
        size_t n;
    } cases[] = {{"/r/*/f/*", 3}, {"/r/*", 4}, {"/r/*/f", 3}, {"/f/*", 0},    {"/none/*", 0},
                 {"/r/0/f/*", 2}, {"/*", 3},   {"", 1},       {"/r/*/*/*", 3}};
    struct fault fault;
    struct tree *tree;
    assert_int_equal(tree_parse(&tree, text, strlen(text), 1 << 20, &fault), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (node_count(tree_root(tree), cases[i].pointer) != cases[i].n)
            fail_msg("%s", cases[i].pointer);
    assert_int_equal(node_count(NULL, "/*"), 0);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_as_it_was),
        cmocka_unit_test(what_is_written_has_no_raw_newline),
        cmocka_unit_test(pointers_lead_where_rfc_6901_says),
        cmocka_unit_test(numbers_compare_as_their_text),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(escapes_that_are_no_character_are_replaced),
        cmocka_unit_test(memory_that_grows_keeps_its_content),
        cmocka_unit_test(keys_are_new_once),
        cmocka_unit_test(a_star_counts_all_that_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
