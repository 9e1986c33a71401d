#include "test_screen.h"

#include <stdio.h>

#define BLOCK_BYTES 262144

/* All classes, each in a form that grows: the record as a whole is of the class. */
static const char *const classes_list[] = {"{\"\":\"free_text\"}", "{\"\":\"own\"}", "{\"\":\"third_party\"}",
                                           "{\"\":\"card\"}"};

/* Screens with room for three times the bytes, and no more. */
static void expect_room(const char *fields, const char *data, size_t len)
{
    struct rig rig;
    struct fault fault = {0};
    rig_make(&rig, fields);
    char *got = rig_screen(&rig, data, len, &fault);
    if (!got)
        fail_msg("%s: %s: %.60s", fields, fault.text, data);
    free(got);
    rig_free(&rig);
}

struct block {
    char data[BLOCK_BYTES + 64];
    size_t len;
};

static void put(struct block *block, const char *text)
{
    size_t len = strlen(text);
    memcpy(block->data + block->len, text, len);
    block->len += len;
}

/* What each byte may become at most: nulls for digits, three stars for one letter, seven bytes for an address
 * of three. */
static const struct {
    const char *head;
    const char *piece; /* again and again, until the block is full */
    const char *last;
} shapes[] = {
    {"", "{}\n", "{}"},
    {"", "{\"\":1}\n", "{}"},
    {"", "{\"\":\"a\"}\n", "{}"},
    {"", "{\"\":\"a@b\"}\n", "{}"},
    {"", "{\"a@b\":1}\n", "{}"},
    {"", "{\"a@b\":1,\"c@d\":1,\"e@f\":1,\"g@h\":1}\n", "{}"},
    {"", "{\"\":4111111111111111}\n", "{}"},
    {"{\"\":[", "1,", "1]}"},
    {"{\"\":[", "\"a\",", "1]}"},
    {"{\"\":[", "\"a@b\",", "1]}"},
    {"{\"\":[", "true,", "1]}"},
    {"{\"\":[", "{},", "1]}"},
    {"{\"\":[", "{\"\":1},", "1]}"},
    {"{\"\":[", "4111111111111111,", "1]}"},
    {"{\"\":[", "-1,", "1]}"},
    {"{\"\":\"", "a@b ", "\"}"},
    {"{\"\":\"", "a@b\\n", "\"}"},
    {"{\"\":\"", "a@b,", "\\u0000\"}"},
    {"{\"\":\"", "\\u0000", "\"}"},
    {"{\"\":\"", "\\ud800", "\"}"},
    {"{\"\":\"", "\\ud83d\\ude00", "\"}"},
    {"{\"\":\"", "\\/", "\"}"},
    {"{\"\":\"", "\\u00e4", "\"}"},
    {"{\"\":\"", "ä", "\"}"},
    {"{\"\":\"", "4111111111111111 ", "\"}"},
    {"{\"\":\"", "NO9386011117947 ", "\"}"},
    {"{\"\":\"", "a&#64;b ", "\"}"},
    {"{\"\":\"", "a@[1]", "\"}"},
    {"{\"\":\"", "\\\"a\\\"@b", "\"}"},
};

static void three_times_the_bytes_suffice(void **state)
{
    struct block *block = malloc(sizeof *block);
    assert_non_null(block);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < sizeof classes_list / sizeof *classes_list; k++)
            for (size_t max = 64; max <= BLOCK_BYTES; max *= 64) {
                block->len = 0;
                put(block, shapes[i].head);
                while (block->len + strlen(shapes[i].piece) < max)
                    put(block, shapes[i].piece);
                put(block, shapes[i].last);
                expect_room(classes_list[k], block->data, block->len);
            }
    free(block);
}

/* The keys of one object that all become the same, and some that already are what the others become. */
static void keys_that_are_told_apart_fit(void **state)
{
    struct block *block = malloc(sizeof *block);
    char member[40];
    assert_non_null(block);
    for (size_t k = 0; k < sizeof classes_list / sizeof *classes_list; k++)
        for (unsigned every = 1; every <= 3; every++) {
            block->len = 0;
            for (unsigned i = 0; i < 4096; i++) {
                if (i % every == 0)
                    snprintf(member, sizeof member, "%c\"%c@%c%c\":1", i ? ',' : '{', 'A' + i / 676 % 26,
                             'a' + i / 26 % 26, 'a' + i % 26);
                else
                    snprintf(member, sizeof member, ",\"***@***-%u\":1", i);
                put(block, member);
            }
            put(block, "}");
            expect_room(classes_list[k], block->data, block->len);
        }
    free(block);
}

/* Small pieces in any order: a generator of fixed seed, so that a failure comes again. */
static void any_mixture_fits(void **state)
{
    static const char *const values[] = {
        "1",   "0",           "null",        "true",          "\"\"",        "\"a\"",     "\"a@b\"",
        "[]",  "{}",          "\"\\u0001\"", "\"\\n\"",       "[1]",         "[1,1]",     "-1",
        "1e9", "{\"a@b\":1}", "\"a@b c@d\"", "4222222222222", "\"\\ud800\"", "{\"\":[1]}"};
    struct block *block = malloc(sizeof *block);
    char member[64];
    uint32_t seed = 1;
    assert_non_null(block);
    for (unsigned round = 0; round < 300; round++) {
        block->len = 0;
        for (unsigned record = 0; record < 20; record++) {
            unsigned n_members = (seed >> 16) % 6;
            put(block, "{");
            for (unsigned i = 0; i < n_members; i++) {
                seed = seed * 1103515245 + 12345;
                const char *value = values[(seed >> 16) % (sizeof values / sizeof *values)];
                snprintf(member, sizeof member, "%s\"%c%s\":%s", i ? "," : "", 'a' + i,
                         seed & 1 << 20 ? "@b" : "", value);
                put(block, member);
            }
            put(block, "}\n");
            seed = seed * 1103515245 + 12345;
        }
        for (size_t k = 0; k < sizeof classes_list / sizeof *classes_list; k++)
            expect_room(classes_list[k], block->data, block->len);
    }
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_times_the_bytes_suffice),
        cmocka_unit_test(keys_that_are_told_apart_fit),
        cmocka_unit_test(any_mixture_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
