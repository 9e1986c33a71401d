#include "bundle/preview.h"
#include "bundle/report_fields.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct preview *new_preview(struct preview_budget *budget)
{
    struct fault fault;
    struct preview *preview;
    assert_int_equal(preview_new(&preview, budget, &fault), 0);
    return preview;
}

static void assert_record(const struct preview *preview, size_t i, const char *expected)
{
    const char *record;
    size_t len;
    preview_record(preview, i, &record, &len);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(record, expected, len);
}

static void see(struct preview *preview, const char *text)
{
    preview_seen(preview, text, strlen(text));
}

static void records_are_kept_as_they_are_whatever_stands_round_them(void **state)
{
    struct preview_budget budget;
    preview_budget_init(&budget, PREVIEW_BUDGET_BYTES);
    struct preview *preview = new_preview(&budget);
    see(preview, "[\n{\"a\":1.10},\n{\"b\":\"}{\\n\"}");
    see(preview, "");
    see(preview, ",\n{\"id\":12345678901234567890}");
    see(preview, "\n]\n");
    assert_int_equal(preview_n_records(preview), 3);
    assert_record(preview, 0, "{\"a\":1.10}");
    assert_record(preview, 1, "{\"b\":\"}{\\n\"}");
    assert_record(preview, 2, "{\"id\":12345678901234567890}");
    preview_free(preview);
    preview_free(NULL);
}

/* `{"x":"aaa…"}` of `len` bytes behind ",\n". */
static char *record_of(size_t len)
{
    char *text = malloc(len + 3);
    assert_non_null(text);
    memset(text, 'a', len + 2);
    memcpy(text, ",\n{\"x\":\"", 8);
    memcpy(text + len, "\"}", 3);
    return text;
}

static void a_collection_keeps_64_kib_of_whole_records(void **state)
{
    struct preview_budget budget;
    preview_budget_init(&budget, PREVIEW_BUDGET_BYTES);
    struct preview *preview = new_preview(&budget);
    char *half = record_of(PREVIEW_BYTES_MAX / 2), *small = record_of(20);
    see(preview, half);
    see(preview, half);
    assert_int_equal(preview_n_records(preview), 2);
    see(preview, small);
    assert_int_equal(preview_n_records(preview), 2);
    preview_free(preview);

    /* nothing behind one that does not fit is kept: it would not be the first records */
    preview = new_preview(&budget);
    char *huge = record_of(PREVIEW_BYTES_MAX + 1);
    see(preview, small);
    see(preview, huge);
    see(preview, small);
    assert_int_equal(preview_n_records(preview), 1);
    preview_free(preview);
    free(half);
    free(small);
    free(huge);
}

static void a_collection_keeps_a_hundred_records(void **state)
{
    struct preview_budget budget;
    preview_budget_init(&budget, PREVIEW_BUDGET_BYTES);
    struct preview *preview = new_preview(&budget);
    for (int i = 0; i < 1000; i++)
        see(preview, ",\n{\"a\":1}");
    assert_int_equal(preview_n_records(preview), PREVIEW_RECORDS_MAX);
    preview_free(preview);
}

static void previews_share_one_budget_and_give_it_back(void **state)
{
    struct preview_budget budget;
    preview_budget_init(&budget, 1000);
    char *record = record_of(600);
    struct preview *first = new_preview(&budget), *second = new_preview(&budget);
    see(first, record);
    see(second, record);
    assert_int_equal(preview_n_records(first), 1);
    assert_int_equal(preview_n_records(second), 0);
    preview_free(first);
    preview_free(second);
    assert_int_equal(atomic_load(&budget.left_bytes), 1000);
    second = new_preview(&budget);
    see(second, record);
    assert_int_equal(preview_n_records(second), 1);
    preview_free(second);
    free(record);
}

struct feeder {
    pthread_t thread;
    struct preview *preview;
    const char *record;
};

static void *feed(void *ctx)
{
    struct feeder *feeder = ctx;
    for (int i = 0; i < 200; i++)
        see(feeder->preview, feeder->record);
    return NULL;
}

static void threads_never_take_more_than_the_budget(void **state)
{
    struct preview_budget budget;
    preview_budget_init(&budget,
                        100 * 150); /* less than the 4 * 100 records that the collections could keep */
    char *record = record_of(100);
    struct feeder feeders[4];
    size_t n = 0;
    for (size_t i = 0; i < 4; i++) {
        feeders[i] = (struct feeder){.preview = new_preview(&budget), .record = record};
        assert_int_equal(pthread_create(&feeders[i].thread, NULL, feed, &feeders[i]), 0);
    }
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(feeders[i].thread, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        n += preview_n_records(feeders[i].preview);
    assert_int_equal(n, 150);
    assert_int_equal(atomic_load(&budget.left_bytes), 0);
    for (size_t i = 0; i < 4; i++)
        preview_free(feeders[i].preview);
    assert_int_equal(atomic_load(&budget.left_bytes), 100 * 150);
    free(record);
}

/* --- fields --- */

struct lines {
    char text[8192];
    size_t len;
    size_t n;
};

static void write_field(void *ctx, const struct report_field *field)
{
    static const char kinds[] = {[FIELD_TEXT] = 't',
                                 [FIELD_NUMBER] = 'n',
                                 [FIELD_TRUE] = 'T',
                                 [FIELD_FALSE] = 'F',
                                 [FIELD_EMPTY] = 'e'};
    struct lines *lines = ctx;
    lines->n++;
    int len = snprintf(lines->text + lines->len, sizeof lines->text - lines->len, "%.*s=%c%.*s\n",
                       (int)field->path_len, field->path, kinds[field->kind], (int)field->len, field->text);
    lines->len += (size_t)len < sizeof lines->text - lines->len ? (size_t)len : 0;
}

static int walk(const char *record, struct lines *lines, struct fault *fault)
{
    struct report_fields *fields;
    *lines = (struct lines){0};
    assert_int_equal(report_fields_new(&fields, fault), 0);
    int result = report_fields_walk(fields, record, strlen(record), write_field, lines, fault);
    report_fields_free(fields);
    return result;
}

static void values_are_flattened_and_numbers_keep_every_digit(void **state)
{
    struct fault fault;
    struct lines lines;
    assert_int_equal(
        walk("{\"id\":12345678901234567890,\"amount\":1.10,\"e\":-1.50E+02,\"ok\":true,\"no\":false,"
             "\"none\":null,\"text\":\"a\\u0000b\\\"\",\"empty\":\"\",\"list\":[],\"map\":{},"
             "\"address\":{\"city\":\"Bern\",\"geo\":{\"lat\":46.950}},"
             "\"tags\":[\"a\",\"b\"],\"items\":[{\"price\":1.00},{\"price\":2.00}],\"grid\":[[1,2],[3]]}",
             &lines, &fault),
        0);
    /* snprintf ends at the NUL that \\u0000 stands for */
    assert_string_equal(lines.text, "id=n12345678901234567890\n"
                                    "amount=n1.10\n"
                                    "e=n-1.50E+02\n"
                                    "ok=T\n"
                                    "no=F\n"
                                    "none=e\n"
                                    "text=ta\n"
                                    "empty=e\n"
                                    "list=e\n"
                                    "map=e\n"
                                    "address › city=tBern\n"
                                    "address › geo › lat=n46.950\n"
                                    "tags=ta\n"
                                    "tags=tb\n"
                                    "items › 1 › price=n1.00\n"
                                    "items › 2 › price=n2.00\n"
                                    "grid › 1=n1\n"
                                    "grid › 1=n2\n"
                                    "grid › 2=n3\n");
}

static void long_paths_are_cut_between_characters(void **state)
{
    struct fault fault;
    struct lines lines;
    char record[2048];
    char key[601];
    for (size_t i = 0; i < sizeof key - 1; i += 2)
        memcpy(key + i, "é", 2);
    key[sizeof key - 1] = '\0';
    for (int shift = 0; shift < 2; shift++) {
        snprintf(record, sizeof record, "{\"%s%s\":{\"deep\":1},\"next\":2}", shift ? "x" : "", key);
        assert_int_equal(walk(record, &lines, &fault), 0);
        char *end = strstr(lines.text, "…=n1\nnext=n2\n");
        assert_non_null(end);
        assert_true(end - lines.text <= REPORT_PATH_MAX - 3);
        assert_memory_equal(end - 2, "é", 2);
    }
}

static void what_is_not_a_record_is_refused(void **state)
{
    static const char *const bad[] = {"",          "[]",    "1",          "{\"a\":",         "{\"a\":1",
                                      "{\"a\" 1}", "{a:1}", "{\"a\":1}}", "{\"a\":\"\xff\"}"};
    struct fault fault;
    struct lines lines;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(walk(bad[i], &lines, &fault), -1);
        assert_string_equal(fault.code, "bad_record");
    }
}

static void nesting_is_bounded(void **state)
{
    struct fault fault;
    struct lines lines;
    for (size_t levels = REPORT_DEPTH_MAX; levels <= REPORT_DEPTH_MAX + 1; levels++) {
        char record[8 * REPORT_DEPTH_MAX] = "";
        size_t len = 0;
        for (size_t i = 0; i < levels; i++)
            len +=
                (size_t)snprintf(record + len, sizeof record - len, "%s", i + 1 < levels ? "{\"a\":" : "{");
        memset(record + len, '}', levels);
        assert_int_equal(walk(record, &lines, &fault), levels > REPORT_DEPTH_MAX ? -1 : 0);
    }
}

/* The largest record in the forms that make the parser take the most memory. */
static void the_largest_records_are_read(void **state)
{
    static const struct {
        const char *unit;
        const char *open, *close;
        size_t n_values;
    } forms[] = {{"\\n", "{\"a\":\"", "\"}", 1},     {"\\u00e9", "{\"a\":\"", "\"}", 1},
                 {"a", "{\"a\":\"", "\"}", 1},       {"1,", "{\"a\":[", "1]}", 0},
                 {"\"\\n\",", "{\"a\":[", "1]}", 0}, {"9", "{\"a\":", "}", 1}};
    struct fault fault;
    struct report_fields *fields;
    char *record = malloc(PREVIEW_BYTES_MAX + 1);
    assert_non_null(record);
    assert_int_equal(report_fields_new(&fields, &fault), 0);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t len = (size_t)sprintf(record, "%s", forms[i].open), unit = strlen(forms[i].unit);
        while (len + unit + strlen(forms[i].close) <= PREVIEW_BYTES_MAX) {
            memcpy(record + len, forms[i].unit, unit);
            len += unit;
        }
        len += (size_t)sprintf(record + len, "%s", forms[i].close);
        struct lines lines = {0};
        assert_int_equal(report_fields_walk(fields, record, len, write_field, &lines, &fault), 0);
        if (forms[i].n_values)
            assert_int_equal(lines.n, forms[i].n_values);
        else
            assert_true(lines.n > PREVIEW_BYTES_MAX / 8);
        /* cut within a value, the parser keeps what it has for later */
        size_t cut = len - strlen(forms[i].close);
        assert_int_equal(report_fields_walk(fields, record, cut, write_field, &lines, &fault), -1);
    }
    assert_int_equal(report_fields_walk(fields, record, PREVIEW_BYTES_MAX + 1, write_field, NULL, &fault),
                     -1);
    report_fields_free(fields);
    free(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_are_kept_as_they_are_whatever_stands_round_them),
        cmocka_unit_test(a_collection_keeps_64_kib_of_whole_records),
        cmocka_unit_test(a_collection_keeps_a_hundred_records),
        cmocka_unit_test(previews_share_one_budget_and_give_it_back),
        cmocka_unit_test(threads_never_take_more_than_the_budget),
        cmocka_unit_test(values_are_flattened_and_numbers_keep_every_digit),
        cmocka_unit_test(long_paths_are_cut_between_characters),
        cmocka_unit_test(what_is_not_a_record_is_refused),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(the_largest_records_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
