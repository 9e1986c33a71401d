#include "screen/scanner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const own_list[] = {"alice@example.test", "Alice.Second@Example.Test",
                                       "zoë@bücher.example", "o'neil@example.test"};

struct example {
    const char *in;
    const char *out; /* NULL: the same */
};

static struct own_addresses *make_own(void)
{
    struct own_addresses *own;
    struct fault fault;
    assert_int_equal(own_addresses_new(&own, own_list, sizeof own_list / sizeof *own_list, &fault), 0);
    return own;
}

/* The text with its masks, freed by the caller. */
static char *masked(const struct own_addresses *own, const char *text, size_t len)
{
    struct scan scan;
    struct mask mask;
    char *in = malloc(len ? len : 1);
    char *out = malloc(3 * len + 1);
    assert_true(in && out);
    memcpy(in, text, len);
    size_t done = 0, n = 0;
    scanner_begin(&scan, own, in, len, scanner_look(in, len));
    while (scanner_next(&scan, &mask)) {
        assert_true(mask.start >= done && mask.end > mask.start && mask.end <= len);
        assert_true(mask.text_len <= SCANNER_MASK_MAX && 3 * mask.text_len <= 7 * (mask.end - mask.start));
        memcpy(out + n, in + done, mask.start - done);
        n += mask.start - done;
        memcpy(out + n, mask.text, mask.text_len);
        n += mask.text_len;
        done = mask.end;
    }
    memcpy(out + n, in + done, len - done);
    out[n + len - done] = '\0';
    free(in);
    return out;
}

static void expect_all(const struct example *examples, size_t n)
{
    struct own_addresses *own = make_own();
    for (size_t i = 0; i < n; i++) {
        const char *expected = examples[i].out ? examples[i].out : examples[i].in;
        /* at the edges of a text, and in the middle of one */
        static const char *const around[][2] = {
            {"", ""}, {"(", ")"}, {"a long line of words stands here: ", " and here, too"}};
        for (size_t k = 0; k < sizeof around / sizeof *around; k++) {
            char in[600], out[600];
            snprintf(in, sizeof in, "%s%s%s", around[k][0], examples[i].in, around[k][1]);
            snprintf(out, sizeof out, "%s%s%s", around[k][0], expected, around[k][1]);
            char *got = masked(own, in, strlen(in));
            if (strcmp(got, out) != 0)
                fail_msg("%s\n  gave     %s\n  expected %s", in, got, out);
            free(got);
        }
    }
    own_addresses_free(own);
}

#define EXPECT_ALL(examples) expect_all(examples, sizeof(examples) / sizeof *(examples))

static void other_peoples_addresses_are_masked(void **state)
{
    static const struct example examples[] = {
        {"bob@example.org", "***@***"},
        {"malice@example.test", "***@***"},
        {"xalice@example.test", "***@***"},
        {"alice.x@example.test", "***@***"},
        {"x.alice@example.test", "***@***"},
        {"x-alice@example.test", "***@***"},
        {"x+alice@example.test", "***@***"},
        {"x_alice@example.test", "***@***"},
        {"alice+shop@example.test", "***@***"},
        {"alice@example.test.evil.org", "***@***"},
        {"alice@example.testing", "***@***"},
        {"alice@example", "***@***"},
        {"alice@example.tes", "***@***"},
        {"lice@example.test", "***@***"},
        {"alice@example.test@", "***@***"},
        {"alice@example.test-evil.org", "***@***"},
        {"alice@xexample.test", "***@***"},
        {"alice@mail.example.test", "***@***"},
        {"éalice@example.test", "***@***"},
        {"alice@example.testé", "***@***"},
        {"BOB@EXAMPLE.ORG", "***@***"},
        {"<bob@example.org>", "<***@***>"},
        {"Bob <bob@example.org>, carol@example.org;dave@example.org", "Bob <***@***>, ***@***;***@***"},
        {"mailto:bob@example.org?subject=x", "mailto:***@***?subject=x"},
        {"https://bob@host.example/path", "https://***@***/path"},
        {"https://bob:secret@host.example/path", "https://***@***/path"},
        {"https://shop.example/u/bob@example.org/", "https://shop.example/u/***@***/"},
        {"bob@example.org.", "***@***."},
        {"bob@example.org...", "***@***..."},
        {"bob@example.org, and", "***@***, and"},
        {"'bob@example.org'", "'***@***'"},
        {"*bob@example.org*", "****@****"},
        {"\"bob\"@example.org", "***@***"},
        {"\"bob the builder\"@example.org", "***@***"},
        {"bob@[192.0.2.1]", "***@***"},
        {"bob@localhost", "***@***"},
        {"root@10.0.0.1", "***@***"},
        {"12345678@qq.example", "***@***"},
        {"o'brien@example.org", "***@***"},
        {"bounce+alice=example.test@lists.example", "***@***"},
        {"bob.@example.org", "***@***"},
        {"..bob@example.org", "..***@***"},
        {"bob@@example.org", "***@***"},
        {"bob@relay@example.org", "***@***"},
        {"alice@example.test@evil.org", "***@***"},
        {"bob@alice@example.test", "***@***"},
        {"jörg@müller.example", "***@***"},
        {"用户@例子.广告", "***@***"},
        {"“bob@example.org”", "“***@***”"},
        {"bob@example.org\xC2\xA0und", "***@***\xC2\xA0und"},
        {"请写bob@example.org。谢谢", "***@***。谢谢"},
        {"b\xE2\x80\x8Bob@example.org", "***@***"},
        {"bob%40example.org", "***@***"},
        {"?to=bob%40example.org&x=1", "?***@***&x=1"},
        {"bob%2540example.org", "***@***"},
        {"%3Cbob%40example.org%3E", "%3C***@***%3E"},
        {"alice%40example.test%2Eevil.org", "***@***"},
        {"bob&#64;example.org", "***@***"},
        {"bob&#x40;example.org", "***@***"},
        {"bob&#0064;example.org", "***@***"},
        {"bob&#64example.org", "***@***"},
        {"bob&commat;example.org", "***@***"},
        {"&#98;&#111;&#x62;&#64;&#101;xample&#46;org", "***@***"},
        {"m&#97;lice&#64;example.test", "***@***"},
        {"&lt;bob@example.org&gt;", "&lt;***@***&gt;"},
        {"4111111111111111@example.org", "***@***"},
        {"4111 1111 1111 1111@example.org", "***@***"},
    };
    EXPECT_ALL(examples);
}

static void own_addresses_stay(void **state)
{
    static const struct example examples[] = {
        {"alice@example.test", NULL},
        {"ALICE@Example.TEST", NULL},
        {"alice.second@example.test", NULL},
        {"<alice@example.test>", NULL},
        {"Alice <alice@example.test>,", NULL},
        {"mailto:alice@example.test", NULL},
        {"https://alice@example.test/", NULL},
        {"https://shop.example/u?mail=alice@example.test&x=1", NULL},
        {"alice@example.test.", NULL},
        {"alice@example.test...", NULL},
        {"alice@example.test,bob@example.org", "alice@example.test,***@***"},
        {"'alice@example.test'", NULL},
        {"*alice@example.test*", NULL},
        {"`alice@example.test`", NULL},
        {"{alice@example.test}", NULL},
        {"|alice@example.test|", NULL},
        {"“alice@example.test”", NULL},
        {"“alice@example.test”…", NULL},
        {"alice%40example.test", NULL},
        {"%3Calice%40example.test%3E", NULL},
        {"alice&#64;example.test", NULL},
        {"&#97;lice&commat;example&#46;test", NULL},
        {"&lt;alice@example.test&gt;", NULL},
        {"zoë@bücher.example", NULL},
        {"zo%C3%AB%40b%C3%BCcher.example", NULL},
        {"o'neil@example.test", NULL},
        {"'o'neil@example.test'", NULL},
        {"4111111111111111=alice@example.test", "************1111=alice@example.test"},
    };
    EXPECT_ALL(examples);
}

static void what_is_no_address_stays(void **state)
{
    static const struct example examples[] = {
        {"@", NULL},
        {"@alice", NULL},
        {"lunch @ noon", NULL},
        {"follow @bob", NULL},
        {"{@link Foo}", NULL},
        {"'@media print'", NULL},
        {"3@1.10", NULL},
        {"2 @ 5.00", NULL},
        {"bob@ home", NULL},
        {"R&D, AT&T, 50% off & more", NULL},
        {"100%40", NULL},
        {"caf%C3%A9", NULL},
        {"&amp; &#65; &#641; &#x401;", NULL},
    };
    EXPECT_ALL(examples);
}

static void card_numbers_are_masked(void **state)
{
    static const struct example examples[] = {
        {"4111111111111111", "************1111"},
        {"4222222222222", "*********2222"},
        {"4000000000000000006", "***************0006"},
        {"4111 1111 1111 1111", "**** **** **** 1111"},
        {"4111-1111-1111-1111", "****-****-****-1111"},
        {"4111\xC2\xA0"
         "1111\xC2\xA0"
         "1111\xC2\xA0"
         "1111",
         "****\xC2\xA0****\xC2\xA0****\xC2\xA0"
         "1111"},
        {"4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "* * * * * * * * * * * * 1 1 1 1"},
        {"5500000000000004", "************0004"},
        {"2221000000000009", "************0009"},
        {"2720990000000007", "************0007"},
        {"3782 822463 10005", "**** ****** *0005"},
        {"340000000000009", "***********0009"},
        {"6011111111111117", "************1117"},
        {"6500000000000002", "************0002"},
        {"30569309025904", "**********5904"},
        {"38520000023237", "**********3237"},
        {"3530111333300000", "************0000"},
        {"6200000000000005", "************0005"},
        {"6759649826438453", "************8453"},
        {"675 123 456 7891", "*** *** *** 7891"},
        {"5018000000000009", "************0009"},
        {"card:4111111111111111.", "card:************1111."},
        {"Visa4111111111111111exp12/27", "Visa************1111exp12/27"},
        {"4111111111111111.0", "************1111.0"},
        {"1,4111111111111111,12/27", "1,************1111,12/27"},
        {"paid 50 4111 1111 1111 1111 today", "paid 50 **** **** **** 1111 today"},
        {"2026-11-23 4111 1111 1111 1111", "2026-11-23 **** **** **** 1111"},
        {"4111 1111 1111 1111 123", "**** **** **** 1111 123"},
        {"4111111111111111 5500000000000004", "************1111 ************0004"},
        {"+4111111111111111", "+************1111"},
    };
    EXPECT_ALL(examples);
}

static void what_is_no_card_number_stays(void **state)
{
    static const struct example examples[] = {
        {"4111111111111112", NULL},
        {"12345678901234567890", NULL},
        {"41111111111111110000", NULL},
        {"04111111111111111", NULL},
        {"1111 4111111111111111222 1", NULL},
        {"2026-11-23", NULL},
        {"2026-11-23T08:00:00.123456Z", NULL},
        {"2026-11-23 08-15-16 2026-11-24", NULL},
        {"1.10", NULL},
        {"1234567890123", NULL},
        {"0.4111111111111111", NULL},
        {"+49 30 123456789", NULL},
        {"+62 812 3456 7890", NULL},
        {"+675 123 456 7891", NULL},
        {"(555) 123-4567", NULL},
        {"0612345678 0698765432", NULL},
        {"4111  1111  1111  1111", NULL},
        {"9780306406157", NULL},
        {"4006381333931", NULL},
        {"0000000000000000", NULL},
        {"1a2b4111111111111111c3d4e5f60718", NULL},
        {"a987fbc9-4111-1111-1111-11111111bed4", NULL},
        {"192.168.100.200 10.20.30.40", NULL},
    };
    EXPECT_ALL(examples);
}

static void ibans_are_masked(void **state)
{
    static const struct example examples[] = {
        {"DE89370400440532013000", "DE********************"},
        {"DE89 3704 0044 0532 0130 00", "DE** **** **** **** **** **"},
        {"de89 3704 0044 0532 0130 00", "de** **** **** **** **** **"},
        {"GB29 NWBK 6016 1331 9268 19", "GB** **** **** **** **** **"},
        {"FR1420041010050500013M02606", "FR*************************"},
        {"NO9386011117947", "NO*************"},
        {"MT84MALT011000012345MTLCAST001S", "MT*****************************"},
        {"LC55HEMM000100010012001200023015", "LC******************************"},
        {"GB29-NWBK-6016-1331-9268-19", "GB**-****-****-****-****-**"},
        {"IBAN:DE89370400440532013000.", "IBAN:DE********************."},
        {"IBANDE89370400440532013000", "IBANDE********************"},
        {"iban de89370400440532013000, please", "iban de********************, please"},
        {"DE89 3704 0044 0532 0130 00 is mine", "DE** **** **** **** **** ** is mine"},
        {"NO9386011117947 4111111111111111", "NO************* ************1111"},
    };
    EXPECT_ALL(examples);
}

static void what_is_no_iban_stays(void **state)
{
    static const struct example examples[] = {
        {"DE88370400440532013000", NULL},  {"DE8937040044053201300", NULL},
        {"DE893704004405320130001", NULL}, {"XDE89370400440532013000", NULL},
        {"ZZ89370400440532013000", NULL},  {"XIBANDE89370400440532013000", NULL},
        {"DE 89 the next", NULL},          {"DE89", NULL},
        {"order DE12345678", NULL},
    };
    EXPECT_ALL(examples);
}

static void hints_never_miss(void **state)
{
    char text[40];
    for (size_t len = 1; len < sizeof text; len++)
        for (size_t at = 0; at < len; at++)
            for (size_t k = 0; k < 3; k++) {
                memset(text, 'x', len);
                text[at] = "@%&"[k];
                assert_true(scanner_look(text, len).address);
                assert_false(scanner_look(text, len).number);
                text[at] = "059"[k];
                assert_false(scanner_look(text, len).address);
                assert_int_equal(scanner_look(text, len).number, len >= NUMBER_LEN_MIN);
                text[at] = "/:x"[k];
                assert_false(scanner_look(text, len).number);
            }
    assert_false(scanner_look("", 0).address);
}

static char *repeated(const char *piece, size_t len)
{
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = piece[i % strlen(piece)];
    return text;
}

/* Texts that would take hours if any character were looked at again for each at sign or digit. */
static void time_is_linear(void **state)
{
    static const char *const pieces[] = {"a@",
                                         "a",
                                         "a%2540",
                                         "a%40",
                                         "&#64;",
                                         "a@1",
                                         "1@",
                                         "1@2.",
                                         "@",
                                         "%40",
                                         "&#0",
                                         "&#",
                                         "&#00000;",
                                         ";",
                                         "a:a@",
                                         "//a:",
                                         "\"a",
                                         "\"@",
                                         "a@[",
                                         "1 ",
                                         "1",
                                         "4111 1111 ",
                                         "DE89",
                                         "DE89 ",
                                         "a@a",
                                         "4",
                                         "a\"@",
                                         "a.@",
                                         "1@2.3@",
                                         "%",
                                         "a%25",
                                         "&commat;",
                                         "=a@",
                                         "....@",
                                         "1@....",
                                         "4111111111111111.",
                                         "4111111111111111-",
                                         "IBAN",
                                         "é",
                                         "é@",
                                         "\xE2\x80\x8B@"};
    struct own_addresses *own = make_own();
    size_t len = 262144;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t whole = len / strlen(pieces[i]) * strlen(pieces[i]);
        char *text = repeated(pieces[i], whole);
        free(masked(own, text, whole));
        text[whole - 1] = '@'; /* one at sign behind it all */
        if ((unsigned char)pieces[i][0] < 0x80)
            free(masked(own, text, whole));
        free(text);
    }
    own_addresses_free(own);
}

static void what_is_no_address_is_refused_as_own(void **state)
{
    static const char *const bad[] = {"", "alice", "@example.test", "alice@", "al\xFF@example.test"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct own_addresses *own = NULL;
        struct fault fault;
        const char *list[] = {"alice@example.test", bad[i]};
        assert_int_equal(own_addresses_new(&own, list, 2, &fault), -1);
        assert_string_equal(fault.code, "bad_address");
        assert_non_null(strstr(fault.text, "own address 2"));
        assert_null(strstr(fault.text, "alice"));
    }
    struct own_addresses *none;
    struct fault fault;
    assert_int_equal(own_addresses_new(&none, NULL, 0, &fault), 0);
    char *got = masked(none, "alice@example.test", 18);
    assert_string_equal(got, "***@***");
    free(got);
    own_addresses_free(none);
    own_addresses_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_peoples_addresses_are_masked),
        cmocka_unit_test(own_addresses_stay),
        cmocka_unit_test(what_is_no_address_stays),
        cmocka_unit_test(card_numbers_are_masked),
        cmocka_unit_test(what_is_no_card_number_stays),
        cmocka_unit_test(ibans_are_masked),
        cmocka_unit_test(what_is_no_iban_stays),
        cmocka_unit_test(hints_never_miss),
        cmocka_unit_test(time_is_linear),
        cmocka_unit_test(what_is_no_address_is_refused_as_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
