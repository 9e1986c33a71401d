#include "ctl/dead_select.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ID "2c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"

static const struct dead_facts letter = {
    .place = {.partition = 1, .offset = 17},
    .code = "unsigned",
    .topic = "dsar.requests",
    .request = ID,
    .time_unix_s = 1000,
};

static bool selected(struct dead_selection selection)
{
    return dead_selected(&selection, &letter);
}

static void a_place_is_a_partition_and_an_offset(void **state)
{
    static const struct {
        const char *text;
        int32_t partition;
        int64_t offset;
    } good[] = {{"0/0", 0, 0}, {"3/17", 3, 17}, {"2147483647/9223372036854775807", INT32_MAX, INT64_MAX}};
    struct dead_place place;
    struct fault fault;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(dead_place_parse(good[i].text, &place, &fault), 0);
        assert_int_equal(place.partition, good[i].partition);
        assert_true(place.offset == good[i].offset);
    }
}

static void anything_else_is_none(void **state)
{
    static const char *const bad[] = {"",
                                      "/",
                                      "0",
                                      "0/",
                                      "/0",
                                      "0/1/2",
                                      "0/1 ",
                                      " 0/1",
                                      "a/1",
                                      "0/1x",
                                      "-1/0",
                                      "0/-1",
                                      "+1/0",
                                      "0x1/0",
                                      "2147483648/0",
                                      "0/9223372036854775808",
                                      "0.1",
                                      "0 /1",
                                      "0//1",
                                      "1/0\n",
                                      "0/0x1",
                                      "99999999999999999999/1"};
    struct dead_place place;
    struct fault fault;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (dead_place_parse(bad[i], &place, &fault) == 0)
            fail_msg("'%s' was taken", bad[i]);
        assert_string_equal(fault.code, "bad_letter");
    }
}

static void what_is_not_said_is_met_by_any(void **state)
{
    assert_true(selected((struct dead_selection){0}));
}

static void each_condition_is_to_be_met(void **state)
{
    assert_true(selected((struct dead_selection){.code = "unsigned"}));
    assert_false(selected((struct dead_selection){.code = "unsigne"}));
    assert_false(selected((struct dead_selection){.code = "unsigned2"}));
    assert_true(selected((struct dead_selection){.topic = "dsar.requests"}));
    assert_false(selected((struct dead_selection){.topic = "dsar.control"}));
    assert_true(selected((struct dead_selection){.request = ID}));
    assert_false(selected((struct dead_selection){.request = "3c0e8f0a-6a58-4b0c-9d7e-0a1b2c3d4e5f"}));
    assert_true(
        selected((struct dead_selection){.code = "unsigned", .topic = "dsar.requests", .request = ID}));
    assert_false(
        selected((struct dead_selection){.code = "unsigned", .topic = "dsar.control", .request = ID}));
}

static void times_are_from_and_before(void **state)
{
    assert_true(selected((struct dead_selection){.since_unix_s = 1000}));
    assert_false(selected((struct dead_selection){.since_unix_s = 1001}));
    assert_true(selected((struct dead_selection){.until_unix_s = 1001}));
    assert_false(selected((struct dead_selection){.until_unix_s = 1000}));
    assert_true(selected((struct dead_selection){.since_unix_s = 1000, .until_unix_s = 1001}));
    const struct dead_facts timeless = {.code = "unsigned"};
    assert_false(dead_selected(&(struct dead_selection){.since_unix_s = 1}, &timeless));
    assert_true(dead_selected(&(struct dead_selection){.until_unix_s = 1}, &timeless));
}

static void a_letter_may_be_one_of_several_and_is_found_then(void **state)
{
    struct dead_choice choices[] = {
        {.place = {1, 16}}, {.place = {1, 17}}, {.place = {0, 17}}, {.place = {1, 17}}};
    struct dead_selection selection = {.choices = choices, .n_choices = 4};
    assert_true(dead_selected(&selection, &letter));
    assert_false(choices[0].found || choices[2].found);
    assert_true(choices[1].found && choices[3].found);
    selection.n_choices = 1;
    assert_false(dead_selected(&selection, &letter));
}

/* It is there, only not meant. */
static void a_chosen_letter_is_found_even_when_it_is_not_selected(void **state)
{
    struct dead_choice choice = {.place = {1, 17}};
    struct dead_selection selection = {.choices = &choice, .n_choices = 1, .code = "expired"};
    assert_false(dead_selected(&selection, &letter));
    assert_true(choice.found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_place_is_a_partition_and_an_offset),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(what_is_not_said_is_met_by_any),
        cmocka_unit_test(each_condition_is_to_be_met),
        cmocka_unit_test(times_are_from_and_before),
        cmocka_unit_test(a_letter_may_be_one_of_several_and_is_found_then),
        cmocka_unit_test(a_chosen_letter_is_found_even_when_it_is_not_selected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
