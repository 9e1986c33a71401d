#include "bundle/ae2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Computed with Python's hashlib and hmac and the AES of the "cryptography" package. */
static const char passphrase[] = "correct horse";
static const unsigned char head[AE2_HEAD_BYTES] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                                   0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x2d, 0x15};
static const unsigned char cipher[40] = {0x95, 0xe7, 0x4c, 0x95, 0x88, 0x7f, 0x92, 0xfe, 0x4c, 0xac,
                                         0x06, 0xd5, 0x73, 0xb3, 0xd7, 0xe6, 0x4e, 0x88, 0x0b, 0xf0,
                                         0xc7, 0xc6, 0x02, 0xc1, 0x17, 0xcd, 0x60, 0xc5, 0xd9, 0x7c,
                                         0x87, 0x1c, 0xaf, 0xe0, 0xfd, 0x2b, 0x97, 0x82, 0x32, 0xf5};
static const unsigned char expected_tag[AE2_TAG_BYTES] = {0x70, 0x4c, 0x6c, 0xd1, 0x6b,
                                                          0x44, 0xa5, 0xfc, 0x7b, 0x50};

static void expect_plain(const unsigned char *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        assert_int_equal(data[i], (i * 7) & 0xff);
}

static void a_known_entry_is_opened_however_it_is_cut(void **state)
{
    struct fault fault;
    struct ae2 *ae2;
    assert_int_equal(ae2_open(&ae2, passphrase, head, &fault), 0);
    for (size_t cut = 0; cut <= sizeof cipher; cut++) {
        unsigned char data[sizeof cipher], tag[AE2_TAG_BYTES];
        memcpy(data, cipher, sizeof data);
        assert_int_equal(ae2_rewind(ae2, &fault), 0);
        assert_int_equal(ae2_authenticate(ae2, data, cut, &fault), 0);
        assert_int_equal(ae2_authenticate(ae2, data + cut, sizeof data - cut, &fault), 0);
        assert_int_equal(ae2_crypt(ae2, data, cut, &fault), 0);
        assert_int_equal(ae2_crypt(ae2, data + cut, sizeof data - cut, &fault), 0);
        assert_int_equal(ae2_tag(ae2, tag, &fault), 0);
        expect_plain(data, sizeof data);
        assert_memory_equal(tag, expected_tag, sizeof tag);
    }
    ae2_free(ae2);
}

static void long_runs_and_short_ones_give_the_same(void **state)
{
    static unsigned char whole[100000], pieces[100000];
    struct fault fault;
    struct ae2 *ae2;
    assert_int_equal(ae2_open(&ae2, passphrase, head, &fault), 0);
    assert_int_equal(ae2_crypt(ae2, whole, sizeof whole, &fault), 0);
    assert_int_equal(ae2_rewind(ae2, &fault), 0);
    for (size_t at = 0, step = 1; at < sizeof pieces; at += step, step = step * 5 % 9973) {
        size_t len = step < sizeof pieces - at ? step : sizeof pieces - at;
        assert_int_equal(ae2_crypt(ae2, pieces + at, len, &fault), 0);
    }
    assert_memory_equal(whole, pieces, sizeof whole);
    ae2_free(ae2);
}

static void a_wrong_passphrase_is_told(void **state)
{
    static const char *const wrong[] = {"correct hors", "Correct horse", "correct horse ", ""};
    struct fault fault;
    struct ae2 *ae2;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(ae2_open(&ae2, wrong[i], head, &fault), -1);
        assert_string_equal(fault.code, "wrong_passphrase");
    }
}

static void every_entry_has_a_salt_of_its_own(void **state)
{
    enum { N = 50 };
    unsigned char heads[N][AE2_HEAD_BYTES];
    struct fault fault;
    for (size_t i = 0; i < N; i++) {
        struct ae2 *ae2;
        assert_int_equal(ae2_new(&ae2, passphrase, heads[i], &fault), 0);
        ae2_free(ae2);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(heads[i], heads[j], 16);
        assert_int_equal(ae2_open(&ae2, passphrase, heads[i], &fault), 0);
        ae2_free(ae2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_entry_is_opened_however_it_is_cut),
        cmocka_unit_test(long_runs_and_short_ones_give_the_same),
        cmocka_unit_test(a_wrong_passphrase_is_told),
        cmocka_unit_test(every_entry_has_a_salt_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
