#include "screen/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct ledger *ledger, const char *collection, const char *reason, uint64_t count)
{
    struct fault fault;
    assert_int_equal(ledger_add(ledger, collection, reason, count, &fault), 0);
}

static void expect(const struct ledger *ledger, const char *json)
{
    json_t *lines = ledger_json(ledger);
    char *text = json_dumps(lines, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(text, json);
    free(text);
    json_decref(lines);
}

static void counts_are_summed_and_sorted(void **state)
{
    struct ledger *ledger = ledger_new();
    expect(ledger, "[]");
    add(ledger, "b/x", "iban", 1);
    add(ledger, "a/x", "secret", 2);
    add(ledger, "b/x", "card", 3);
    add(ledger, "a/x", "secret", 4);
    add(ledger, "a", "z", 0);
    expect(ledger, "[{\"collection\":\"a/x\",\"count\":6,\"reason\":\"secret\"},"
                   "{\"collection\":\"b/x\",\"count\":3,\"reason\":\"card\"},"
                   "{\"collection\":\"b/x\",\"count\":1,\"reason\":\"iban\"}]");
    ledger_free(ledger);
    ledger_free(NULL);
}

static void ledgers_merge(void **state)
{
    struct fault fault;
    struct ledger *ledger = ledger_new(), *from = ledger_new();
    add(ledger, "a", "card", 1);
    add(from, "a", "card", 2);
    add(from, "a", "cvv", 3);
    assert_int_equal(ledger_merge(ledger, from, &fault), 0);
    expect(ledger, "[{\"collection\":\"a\",\"count\":3,\"reason\":\"card\"},"
                   "{\"collection\":\"a\",\"count\":3,\"reason\":\"cvv\"}]");
    ledger_free(from);
    ledger_free(ledger);
}

static void counts_do_not_run_over(void **state)
{
    struct ledger *ledger = ledger_new();
    add(ledger, "a", "card", INT64_MAX - 1);
    add(ledger, "a", "card", 5);
    add(ledger, "a", "card", UINT64_MAX);
    add(ledger, "b", "card", UINT64_MAX);
    expect(ledger, "[{\"collection\":\"a\",\"count\":9223372036854775807,\"reason\":\"card\"},"
                   "{\"collection\":\"b\",\"count\":9223372036854775807,\"reason\":\"card\"}]");
    ledger_free(ledger);
}

static void many_lines_keep_their_order(void **state)
{
    struct ledger *ledger = ledger_new();
    for (unsigned i = 0; i < 1000; i++) {
        char collection[16];
        snprintf(collection, sizeof collection, "c%03u", i * 7919 % 1000);
        add(ledger, collection, "card", i + 1);
    }
    json_t *lines = ledger_json(ledger);
    assert_int_equal(json_array_size(lines), 1000);
    for (unsigned i = 0; i < 1000; i++) {
        char collection[16];
        snprintf(collection, sizeof collection, "c%03u", i);
        assert_string_equal(json_string_value(json_object_get(json_array_get(lines, i), "collection")),
                            collection);
    }
    json_decref(lines);
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_summed_and_sorted),
        cmocka_unit_test(ledgers_merge),
        cmocka_unit_test(counts_do_not_run_over),
        cmocka_unit_test(many_lines_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
