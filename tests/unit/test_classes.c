#include "screen/classes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct classes *make(const char *fields)
{
    struct classes *classes = NULL;
    struct fault fault = {0};
    json_t *parsed = json_loads(fields, 0, NULL);
    assert_non_null(parsed);
    if (classes_new(&classes, parsed, &fault))
        fail_msg("%s: %s", fields, fault.text);
    json_decref(parsed);
    return classes;
}

/* The class at a path: its segments stand between '/', "[]" is an element of an array. */
static const char *class_at(const struct classes *classes, const char *path)
{
    static const char *const names[] = {"free_text", "own", "third_party", "secret", "card", "cvv"};
    unsigned state = CLASSES_ROOT;
    while (*path == '/') {
        size_t len = strcspn(path + 1, "/");
        bool element = len == 2 && memcmp(path + 1, "[]", 2) == 0;
        state = classes_step(classes, state, element ? NULL : path + 1, element ? 0 : len);
        path += 1 + len;
    }
    const char *reason;
    enum class_kind kind = classes_at(classes, state, &reason);
    assert_int_equal(kind == CLASS_WITHHOLD, reason != NULL);
    return reason ? reason : names[kind];
}

static void the_longest_pointer_wins(void **state)
{
    static const struct {
        const char *fields;
        const char *path;
        const char *class;
    } examples[] = {
        {"{}", "", "free_text"},
        {"{}", "/a/[]/b", "free_text"},
        {"{\"\":\"own\"}", "", "own"},
        {"{\"\":\"own\"}", "/a/[]/b", "own"},
        {"{\"\":\"own\",\"/a\":\"card\"}", "/a", "card"},
        {"{\"\":\"own\",\"/a\":\"card\"}", "/b", "own"},
        {"{\"/a\":\"third_party\",\"/a/b\":\"own\"}", "/a", "third_party"},
        {"{\"/a\":\"third_party\",\"/a/b\":\"own\"}", "/a/c/d", "third_party"},
        {"{\"/a\":\"third_party\",\"/a/b\":\"own\"}", "/a/b/c", "own"},
        {"{\"/a\":\"third_party\",\"/a/b\":\"own\"}", "/b", "free_text"},
        {"{\"/a\":\"third_party\",\"/a/b/c\":\"own\"}", "/a/b", "third_party"},
        {"{\"/a\":\"secret\",\"/ab\":\"cvv\"}", "/ab", "cvv"},
        {"{\"/a\":\"secret\",\"/ab\":\"cvv\"}", "/aba", "free_text"},
        {"{\"/*\":\"own\",\"/a\":\"secret\"}", "/a", "secret"},
        {"{\"/*\":\"own\",\"/a\":\"secret\"}", "/b", "own"},
        {"{\"/*\":\"own\",\"/a\":\"secret\"}", "/b/c", "own"},
        {"{\"/a/*\":\"own\",\"/*/b\":\"secret\"}", "/a/b", "own"},
        {"{\"/a/*\":\"own\",\"/*/b\":\"secret\"}", "/c/b", "secret"},
        {"{\"/a/*/x\":\"own\",\"/*/b/x\":\"secret\",\"/a/b/y\":\"card\"}", "/a/b/x", "own"},
        {"{\"/a/*/x\":\"own\",\"/*/b/x\":\"secret\",\"/a/b/y\":\"card\"}", "/a/b/y", "card"},
        {"{\"/a\":\"secret\",\"/*/b\":\"own\"}", "/a/b", "own"},
        {"{\"/a\":\"secret\",\"/*/b\":\"own\"}", "/a/c", "secret"},
        {"{\"/*/*/x\":\"cvv\",\"/a/b\":\"own\"}", "/a/b/x", "cvv"},
        {"{\"/*/*/x\":\"cvv\",\"/a/b\":\"own\"}", "/a/b/y", "own"},
        {"{\"/staff/*/name\":\"third_party\"}", "/staff/[]/name", "third_party"},
        {"{\"/staff/*/name\":\"third_party\"}", "/staff/[]/[]", "free_text"},
        {"{\"/staff/*/name\":\"third_party\"}", "/staff/name", "free_text"},
        {"{\"/staff/*\":\"third_party\"}", "/staff/[]/x/[]", "third_party"},
        {"{\"/staff/*\":\"third_party\"}", "/staff/x", "third_party"},
        {"{\"/staff/0\":\"third_party\"}", "/staff/[]", "free_text"},
        {"{\"/staff/0\":\"third_party\"}", "/staff/0", "third_party"},
        {"{\"/**\":\"secret\"}", "/a", "free_text"},
        {"{\"/\":\"card\"}", "/", "card"},
        {"{\"/\":\"card\"}", "", "free_text"},
        {"{\"//a\":\"card\"}", "//a", "card"},
        {"{\"/a~1b\":\"card\",\"/m~0n\":\"cvv\",\"/~01\":\"own\"}", "/m~n", "cvv"},
        {"{\"/a~1b\":\"card\",\"/m~0n\":\"cvv\",\"/~01\":\"own\"}", "/~1", "own"},
        {"{\"/a~1b\":\"card\",\"/m~0n\":\"cvv\",\"/~01\":\"own\"}", "/a/b", "free_text"},
        {"{\"/x\":\"withhold:trade_secret\",\"/y\":\"withhold:z\"}", "/x/deep/[]", "trade_secret"},
        {"{\"/x\":\"withhold:trade_secret\",\"/y\":\"withhold:z\"}", "/y", "z"},
        {"{\"/x\":\"free_text\",\"/*\":\"own\"}", "/x", "free_text"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct classes *classes = make(examples[i].fields);
        const char *class = class_at(classes, examples[i].path);
        if (strcmp(class, examples[i].class) != 0)
            fail_msg("%s at %s gave %s, expected %s", examples[i].fields, examples[i].path, class,
                     examples[i].class);
        classes_free(classes);
    }
}

static void an_escaped_slash_is_part_of_a_key(void **state)
{
    struct classes *classes = make("{\"/a~1b\":\"card\"}");
    const char *reason;
    unsigned place = classes_step(classes, CLASSES_ROOT, "a/b", 3);
    assert_int_equal(classes_at(classes, place, &reason), CLASS_CARD);
    classes_free(classes);
}

static void without_fields_all_is_free_text(void **state)
{
    struct classes *classes;
    struct fault fault;
    assert_int_equal(classes_new(&classes, NULL, &fault), 0);
    assert_string_equal(class_at(classes, "/a/[]/b"), "free_text");
    classes_free(classes);
    classes_free(NULL);
}

static void many_fields_are_told_apart(void **state)
{
    json_t *fields = json_object();
    char pointer[64], path[64];
    for (int i = 0; i < CLASSES_PATTERNS_MAX; i++) {
        snprintf(pointer, sizeof pointer, "/field_%d/x", i);
        json_object_set_new(fields, pointer, json_string(i % 2 ? "own" : "card"));
    }
    struct classes *classes;
    struct fault fault;
    assert_int_equal(classes_new(&classes, fields, &fault), 0);
    for (int i = 0; i < CLASSES_PATTERNS_MAX; i++) {
        snprintf(path, sizeof path, "/field_%d/x", i);
        assert_string_equal(class_at(classes, path), i % 2 ? "own" : "card");
    }
    assert_string_equal(class_at(classes, "/field_1024/x"), "free_text");
    classes_free(classes);
    json_object_set_new(fields, "/more", json_string("own"));
    assert_int_equal(classes_new(&classes, fields, &fault), -1);
    assert_string_equal(fault.code, "bad_class");
    json_decref(fields);
}

static void what_is_no_class_is_refused(void **state)
{
    static const struct {
        const char *fields;
        const char *names; /* a part of the text */
    } examples[] = {
        {"[]", "object"},
        {"{\"/a\":\"Own\"}", "field '/a'"},
        {"{\"/a\":\"\"}", "field '/a'"},
        {"{\"/a\":1}", "field '/a'"},
        {"{\"/a\":null}", "field '/a'"},
        {"{\"a\":\"own\"}", "field 'a'"},
        {"{\"/a~\":\"own\"}", "field '/a~'"},
        {"{\"/a~2\":\"own\"}", "field '/a~2'"},
        {"{\"/~/b\":\"own\"}", "field '/~/b'"},
        {"{\"/a\":\"withhold\"}", "field '/a'"},
        {"{\"/a\":\"withhold:\"}", "field '/a'"},
        {"{\"/a\":\"withhold:Not a code\"}", "field '/a'"},
        {"{\"/a\":\"withhold:a23456789012345678901234567890123456789012345678901234567890abcde\"}",
         "64 bytes"},
        {"{\"\":\"secret\"}", "field ''"},
        {"{\"\":\"cvv\"}", "field ''"},
        {"{\"\":\"withhold:x\"}", "field ''"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
        struct classes *classes = NULL;
        struct fault fault;
        json_t *fields = json_loads(examples[i].fields, 0, NULL);
        assert_non_null(fields);
        if (classes_new(&classes, fields, &fault) == 0)
            fail_msg("%s was taken", examples[i].fields);
        assert_null(classes);
        assert_string_equal(fault.code, "bad_class");
        if (!strstr(fault.text, examples[i].names))
            fail_msg("%s: '%s' does not say %s", examples[i].fields, fault.text, examples[i].names);
        json_decref(fields);
    }
}

static void depth_has_a_bound(void **state)
{
    char pointer[2 * 65 + 1];
    for (size_t i = 0; i < 65; i++)
        memcpy(pointer + 2 * i, "/*", 3);
    struct classes *classes;
    struct fault fault;
    json_t *fields = json_pack("{s:s}", pointer, "own");
    assert_int_equal(classes_new(&classes, fields, &fault), -1);
    assert_string_equal(fault.code, "bad_class");
    json_decref(fields);
    pointer[2 * 64] = '\0';
    fields = json_pack("{s:s}", pointer, "own");
    assert_int_equal(classes_new(&classes, fields, &fault), 0);
    classes_free(classes);
    json_decref(fields);
}

/* Each of these patterns doubles the places that have to be told apart. */
static void combinations_have_a_bound(void **state)
{
    json_t *fields = json_object();
    for (int i = 0; i < 24; i++) {
        char pointer[128] = "";
        for (int k = 0; k < 24; k++)
            strcat(pointer, k == i ? "/a" : "/*");
        strcat(pointer, "/x");
        json_object_set_new(fields, pointer, json_string("own"));
    }
    struct classes *classes;
    struct fault fault;
    assert_int_equal(classes_new(&classes, fields, &fault), -1);
    assert_string_equal(fault.code, "bad_class");
    assert_non_null(strstr(fault.text, "combinations"));
    json_decref(fields);
}

static void reasons_have_a_bound(void **state)
{
    json_t *fields = json_object();
    struct classes *classes;
    struct fault fault;
    for (int i = 0; i <= CLASSES_REASONS_MAX; i++) {
        char pointer[16], name[32];
        if (i == CLASSES_REASONS_MAX) {
            assert_int_equal(classes_new(&classes, fields, &fault), 0);
            assert_string_equal(class_at(classes, "/f63"), "r63");
            classes_free(classes);
        }
        snprintf(pointer, sizeof pointer, "/f%d", i);
        snprintf(name, sizeof name, "withhold:r%d", i);
        json_object_set_new(fields, pointer, json_string(name));
    }
    assert_int_equal(classes_new(&classes, fields, &fault), -1);
    assert_string_equal(fault.code, "bad_class");
    json_decref(fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_pointer_wins),
        cmocka_unit_test(an_escaped_slash_is_part_of_a_key),
        cmocka_unit_test(without_fields_all_is_free_text),
        cmocka_unit_test(many_fields_are_told_apart),
        cmocka_unit_test(what_is_no_class_is_refused),
        cmocka_unit_test(depth_has_a_bound),
        cmocka_unit_test(combinations_have_a_bound),
        cmocka_unit_test(reasons_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
