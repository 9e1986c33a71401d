/* test_screen: screens that tests make of a few words. */
#ifndef DSAR_TESTS_TEST_SCREEN_H
#define DSAR_TESTS_TEST_SCREEN_H

#include "screen/screen.h"

#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OWN "alice@example.test"

struct rig {
    struct classes *classes;
    struct own_addresses *own;
    struct screen *screen;
};

/* `fields` is JSON, or NULL. */
static inline void rig_make(struct rig *rig, const char *fields)
{
    static const char *const own[] = {OWN, "Alice.Second@Example.Test"};
    struct fault fault = {0};
    json_t *parsed = fields ? json_loads(fields, 0, NULL) : NULL;
    assert_true(!fields || parsed);
    assert_int_equal(classes_new(&rig->classes, parsed, &fault), 0);
    assert_int_equal(own_addresses_new(&rig->own, own, 2, &fault), 0);
    const struct screen_options options = {.classes = rig->classes, .own = rig->own};
    assert_int_equal(screen_new(&rig->screen, &options, &fault), 0);
    json_decref(parsed);
}

static inline void rig_free(struct rig *rig)
{
    screen_free(rig->screen);
    own_addresses_free(rig->own);
    classes_free(rig->classes);
}

/* Screens into memory of exactly three times the size, so that a sanitizer sees any byte more. The result
 * ends with NUL and is freed by the caller; NULL with `fault` when it was refused. */
static inline char *rig_screen(struct rig *rig, const char *data, size_t len, struct fault *fault)
{
    size_t out_len = 1;
    char *in = malloc(len ? len : 1);
    char *out = malloc(3 * len + 1);
    assert_true(in && out);
    memcpy(in, data, len);
    int result = screen_records(rig->screen, in, len, out, 3 * len, &out_len, fault);
    free(in);
    assert_true(out_len <= 3 * len);
    if (result) {
        assert_int_equal(out_len, 0);
        free(out);
        return NULL;
    }
    out[out_len] = '\0';
    assert_int_equal(strlen(out), out_len);
    return out;
}

/* What is counted, as compact JSON; freed by the caller. */
static inline char *rig_counts(const struct rig *rig)
{
    struct fault fault;
    struct ledger *ledger = ledger_new();
    assert_int_equal(screen_tally(rig->screen, ledger, "c", &fault), 0);
    json_t *lines = ledger_json(ledger), *counts = json_object();
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i);
        json_object_set(counts, json_string_value(json_object_get(line, "reason")),
                        json_object_get(line, "count"));
    }
    char *text = json_dumps(counts, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(counts);
    json_decref(lines);
    ledger_free(ledger);
    return text;
}

/* One record in, one record out, with fresh counts. */
static inline void expect_screened(const char *fields, const char *in, const char *out, const char *counts)
{
    struct rig rig;
    struct fault fault = {0};
    rig_make(&rig, fields);
    char *got = rig_screen(&rig, in, strlen(in), &fault);
    if (!got)
        fail_msg("%s: %s", in, fault.text);
    assert_memory_equal(got, ",\n", 2);
    if (strcmp(got + 2, out) != 0)
        fail_msg("%s\n  gave     %s\n  expected %s", in, got + 2, out);
    char *counted = rig_counts(&rig);
    if (counts && strcmp(counted, counts) != 0)
        fail_msg("%s\n  counted  %s\n  expected %s", in, counted, counts);
    free(counted);
    free(got);
    rig_free(&rig);
}

#endif
