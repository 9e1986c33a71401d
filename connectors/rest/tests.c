#include "tests.h"

#include "../sdk/profile.h"

#include <stdio.h>
#include <string.h>

static int bad_test(struct dsar_error *error, const char *path, const char *expected)
{
    return dsar_error_set(error, "bad_profile", false, "%s: expected %s", path, expected);
}

static bool is_scalar(const json_t *value)
{
    return json_is_string(value) || json_is_integer(value) || json_is_boolean(value) || json_is_null(value);
}

static bool are_scalars(const json_t *values)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        if (!is_scalar(json_array_get(values, i)))
            return false;
    return json_array_size(values) > 0;
}

static int check_expected(const json_t *test, enum tests_of of, const struct scope *scope, const char *path,
                          struct dsar_error *error)
{
    const json_t *eq = json_object_get(test, "eq");
    const json_t *in = json_object_get(test, "in");
    const json_t *eq_id = json_object_get(test, "eq_id");
    const json_t *in_ids = json_object_get(test, "in_ids");
    const json_t *eq_record = json_object_get(test, "eq_record");
    const json_t *filled = json_object_get(test, "filled");
    const json_t *part = json_object_get(test, "part");
    if (!!eq + !!in + !!eq_id + !!in_ids + !!eq_record + !!filled != 1)
        return bad_test(error, path, "exactly one of eq, in, eq_id, in_ids, eq_record, filled");
    if (filled && !json_is_true(filled))
        return bad_test(error, path, "`filled` to be true");
    if (part && (!eq_id || !value_is_part(part)))
        return bad_test(error, path, "`part` to be 0 to 7, with eq_id");
    if (of != TESTS_OF_RECORD && (eq_id || in_ids || eq_record))
        return bad_test(error, path, "eq, in or filled: this list is not about a record");
    const char *pointer = json_string_value(eq_record);
    if (eq_record && (scope->n_records == 0 || !pointer || *pointer != '/'))
        return bad_test(error, path, "`eq_record` to be a JSON Pointer, in a step below another");
    if ((eq && !is_scalar(eq)) || (in && !are_scalars(in)))
        return bad_test(error, path, "texts, whole numbers, true, false or null");
    if (eq_id && (!json_is_string(eq_id) || !json_object_get(scope->needs, json_string_value(eq_id))))
        return bad_test(error, path, "an identity kind that `needs` lists");
    if (in_ids && !json_is_string(in_ids))
        return bad_test(error, path, "an identity kind");
    return 0;
}

static int check_list(const json_t *tests, enum tests_of of, const struct scope *scope, const char *path,
                      struct dsar_error *error);

static int check_one(const json_t *test, enum tests_of of, const struct scope *scope, const char *path,
                     struct dsar_error *error)
{
    static const char *const known[] = {"ptr",    "eq",     "in",          "eq_id",    "part",
                                        "in_ids", "filled", "ignore_case", "optional", "of",
                                        "status", "any",    "eq_record",   NULL};
    if (profile_check_keys(test, path, known, error))
        return -1;
    const json_t *status = json_object_get(test, "status");
    const json_t *any = json_object_get(test, "any");
    if ((status || any) && json_object_size(test) != 1)
        return bad_test(error, path, "`status` or `any` to stand alone");
    if (status)
        return of == TESTS_OF_STATUS &&
                       (json_integer_value(status) == 404 || json_integer_value(status) == 410)
                   ? 0
                   : bad_test(error, path, "status 404 or 410, in not_found or a page's end");
    if (any)
        return check_list(any, of, scope, path, error);
    const char *ptr = json_string_value(json_object_get(test, "ptr"));
    if (!ptr || (*ptr && *ptr != '/'))
        return bad_test(error, path, "`ptr` with a JSON Pointer");
    const json_t *whole = json_object_get(test, "of");
    if (whole &&
        (of != TESTS_OF_RECORD || !json_is_string(whole) || strcmp(json_string_value(whole), "answer") != 0))
        return bad_test(error, path, "`of` to be \"answer\", in a test of a record");
    const json_t *ignore_case = json_object_get(test, "ignore_case");
    const json_t *optional = json_object_get(test, "optional");
    if ((ignore_case && !json_is_boolean(ignore_case)) || (optional && !json_is_boolean(optional)))
        return bad_test(error, path, "ignore_case and optional to be true or false");
    if (optional && of != TESTS_OF_RECORD)
        return bad_test(error, path, "no `optional`: this list is not about a record");
    return check_expected(test, of, scope, path, error);
}

static int check_list(const json_t *tests, enum tests_of of, const struct scope *scope, const char *path,
                      struct dsar_error *error)
{
    if (json_array_size(tests) == 0)
        return bad_test(error, path, "a list of tests, at least one");
    for (size_t i = 0; i < json_array_size(tests); i++) {
        char place[200];
        snprintf(place, sizeof place, "%s/%zu", path, i);
        if (check_one(json_array_get(tests, i), of, scope, place, error))
            return -1;
    }
    return 0;
}

int tests_check(const json_t *tests, enum tests_of of, const struct scope *scope, const char *path,
                struct dsar_error *error)
{
    return tests ? check_list(tests, of, scope, path, error) : 0;
}

static bool compares_identity(const json_t *test, bool is_owned)
{
    const json_t *any = json_object_get(test, "any");
    if (!any)
        return (json_object_get(test, "eq_id") || json_object_get(test, "in_ids") ||
                (is_owned && json_object_get(test, "eq_record"))) &&
               !json_is_true(json_object_get(test, "optional"));
    for (size_t i = 0; i < json_array_size(any); i++)
        if (!compares_identity(json_array_get(any, i), is_owned))
            return false;
    return true;
}

bool tests_compare_identity(const json_t *tests, bool is_owned)
{
    for (size_t i = 0; i < json_array_size(tests); i++)
        if (compares_identity(json_array_get(tests, i), is_owned))
            return true;
    return false;
}

bool tests_is_value(const struct node *node, const json_t *value, bool ignore_case)
{
    if (json_is_string(value))
        return node_equals(node, json_string_value(value), json_string_length(value), ignore_case);
    if (json_is_integer(value)) {
        char text[32];
        int len = snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return node_equals(node, text, (size_t)len, false);
    }
    if (json_is_null(value))
        return !node || node->kind == NODE_NULL;
    return node && node->kind == (json_is_true(value) ? NODE_TRUE : NODE_FALSE);
}

static bool is_among(const struct node *node, const json_t *values, bool ignore_case)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        if (tests_is_value(node, json_array_get(values, i), ignore_case))
            return true;
    return false;
}

/* Whether the node is one of the identities, or its word where the test has a `part`. */
static bool is_identity(const struct node *node, const struct dsar_identities *identities, const char *kind,
                        const json_t *test)
{
    bool ignore_case = json_is_true(json_object_get(test, "ignore_case"));
    for (size_t i = 0; i < identities->n_items; i++) {
        const struct dsar_identity *item = &identities->items[i];
        size_t len;
        if (strcmp(item->kind, kind) != 0)
            continue;
        const char *value = value_part(item->value, json_object_get(test, "part"), &len);
        /* an empty value is nobody's, on either side */
        if (value && len && node_equals(node, value, len, ignore_case))
            return true;
    }
    return false;
}

/* An empty text is nobody's here either. */
static bool is_of_record(const struct node *node, const json_t *test, const struct sources *sources)
{
    const struct node *above =
        node_at(sources->record, json_string_value(json_object_get(test, "eq_record")));
    return node && node_has_text(above) && above->len > 0 &&
           node_equals(node, above->text, above->len, json_is_true(json_object_get(test, "ignore_case")));
}

static bool holds(const json_t *test, const struct tested *tested)
{
    const json_t *status = json_object_get(test, "status");
    if (status)
        return tested->status == (long)json_integer_value(status);
    const json_t *any = json_object_get(test, "any");
    if (any)
        return tests_any_holds(any, tested);
    const struct node *below = tested->record && !json_object_get(test, "of") ? tested->record : tested->root;
    const struct node *node = node_at(below, json_string_value(json_object_get(test, "ptr")));
    bool ignore_case = json_is_true(json_object_get(test, "ignore_case"));
    if ((!node || node->kind == NODE_NULL) && json_is_true(json_object_get(test, "optional")))
        return true;
    const json_t *expected = json_object_get(test, "eq");
    if (expected)
        return node && tests_is_value(node, expected, ignore_case);
    expected = json_object_get(test, "in");
    if (expected)
        return node && is_among(node, expected, ignore_case);
    if (json_object_get(test, "filled"))
        return node && node_has_text(node) && node->len > 0;
    if (json_object_get(test, "eq_record"))
        return is_of_record(node, test, tested->sources);
    const char *kind = json_string_value(json_object_get(test, "eq_id"));
    if (kind)
        return is_identity(node, tested->sources->bound, kind, test);
    return is_identity(node, tested->sources->known, json_string_value(json_object_get(test, "in_ids")),
                       test);
}

bool tests_all_hold(const json_t *tests, const struct tested *tested)
{
    for (size_t i = 0; i < json_array_size(tests); i++)
        if (!holds(json_array_get(tests, i), tested))
            return false;
    return true;
}

bool tests_any_holds(const json_t *tests, const struct tested *tested)
{
    for (size_t i = 0; i < json_array_size(tests); i++)
        if (holds(json_array_get(tests, i), tested))
            return true;
    return false;
}
