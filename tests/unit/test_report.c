#include "test_report_facts.h"

#include "base/buf.h"
#include "bundle/html.h"
#include "bundle/report.h"
#include "bundle/report_format.h"
#include "bundle/report_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int write_buf(void *ctx, const void *data, size_t len, struct fault *fault)
{
    return buf_append(ctx, data, len, fault);
}

static int write_nothing(void *ctx, const void *data, size_t len, struct fault *fault)
{
    int *left = ctx;
    return (*left)-- > 0 ? 0 : fault_set(fault, "disk_full", "no room");
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* --- escaping --- */

static void assert_escaped(const char *text, size_t len, const char *expected)
{
    struct fault fault;
    struct html html;
    struct buf out;
    buf_init(&out, 1 << 20);
    html_begin(&html, write_buf, &out, &fault);
    html_text_n(&html, text, len);
    html_raw(&html, "|");
    assert_int_equal(html_end(&html), 0);
    out.data[--out.len] = '\0';
    assert_string_equal(out.data, expected);
    buf_wipe(&out);
}

static void text_cannot_become_markup(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"<script>a&b</script>", "&lt;script&gt;a&amp;b&lt;/script&gt;"},
        {"\" onload='x'", "&quot; onload=&#39;x&#39;"},
        {"&lt;&#60;", "&amp;lt;&amp;#60;"},
        {"a\tb\r\nc", "a\tb\r\nc"},
        {"é 漢 👩", "é 漢 👩"},
        {"שלום \u200f\u200e", "שלום \u200f\u200e"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_escaped(cases[i].text, strlen(cases[i].text), cases[i].expected);
}

static void what_hides_or_reorders_is_made_visible(void **state)
{
    assert_escaped("a\0b", 3, "a⟨U+0000⟩b");
    assert_escaped("\x1b\x7f\b", 3, "⟨U+001B⟩⟨U+007F⟩⟨U+0008⟩");
    assert_escaped("\xc2\x85", 2, "⟨U+0085⟩");
    assert_escaped("\u202egpj\u202c\u2066\u2069", 15, "⟨U+202E⟩gpj⟨U+202C⟩⟨U+2066⟩⟨U+2069⟩");
    assert_escaped("\xef\xbf\xbf\xf4\x8f\xbf\xbe", 7, "⟨U+FFFF⟩⟨U+10FFFE⟩");
}

static void invalid_utf8_is_replaced_byte_by_byte(void **state)
{
    assert_escaped("a\xff\x62", 3, "a\ufffdb");
    assert_escaped("\xc0\xbc", 2, "\ufffd\ufffd"); /* an overlong '<' */
    assert_escaped("\xe0\x80\xbc", 3, "\ufffd\ufffd\ufffd");
    assert_escaped("\xf0\x80\x80\xbc", 4, "\ufffd\ufffd\ufffd\ufffd");
    assert_escaped("\xed\xa0\x80", 3, "\ufffd\ufffd\ufffd");           /* a surrogate */
    assert_escaped("\xf4\x90\x80\x80", 4, "\ufffd\ufffd\ufffd\ufffd"); /* beyond U+10FFFF */
    assert_escaped("\xe2\x82", 2, "\ufffd\ufffd");                     /* cut */
    assert_escaped("\xe2\x82<", 3, "\ufffd\ufffd&lt;");                /* must not swallow what follows */
}

static void only_safe_paths_become_links(void **state)
{
    static const struct {
        const char *path;
        bool link;
    } cases[] = {{"billing/invoices.json", true},
                 {"javascript:alert(1)", false},
                 {"//host/x", false},
                 {"/etc/passwd", false},
                 {"a/../../b", false},
                 {"a\"b", false},
                 {"", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault fault;
        struct html html;
        struct buf out;
        buf_init(&out, 1024);
        html_begin(&html, write_buf, &out, &fault);
        html_entry_link(&html, cases[i].path);
        assert_int_equal(html_end(&html), 0);
        assert_int_equal(count(out.data, "<a href=") == 1, cases[i].link);
        buf_wipe(&out);
    }
}

static void long_documents_leave_in_order_and_whole(void **state)
{
    struct fault fault;
    struct html html;
    struct buf out;
    buf_init(&out, 1 << 20);
    html_begin(&html, write_buf, &out, &fault);
    for (int i = 0; i < 10000; i++) {
        char number[16];
        snprintf(number, sizeof number, "%06d ", i);
        html_text(&html, number);
    }
    assert_int_equal(html_end(&html), 0);
    assert_int_equal(out.len, 70000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(strtol(out.data + 7 * i, NULL, 10), i);
    buf_wipe(&out);
}

/* --- words --- */

static void every_text_exists_in_every_language_with_the_same_places(void **state)
{
    for (unsigned text = 0; text < TEXTS; text++) {
        for (unsigned lang = 0; lang < REPORT_LANGS; lang++) {
            const char *words = report_text((enum report_lang)lang, (enum report_text)text);
            assert_non_null(words);
            assert_true(*words);
            for (char place = '0'; place <= '9'; place++) {
                const char mark[] = {'{', place, '}', '\0'};
                assert_int_equal(count(words, mark) > 0,
                                 count(report_text(REPORT_EN, (enum report_text)text), mark) > 0);
            }
        }
    }
    for (unsigned lang = 0; lang < REPORT_LANGS; lang++) {
        for (unsigned month = 1; month <= 12; month++)
            assert_non_null(report_month((enum report_lang)lang, month));
        for (unsigned noun = 0; noun < NOUNS; noun++)
            for (unsigned n = 0; n < 3; n++)
                assert_non_null(report_noun((enum report_lang)lang, (enum report_noun)noun, n));
        for (unsigned status = SOURCE_COMPLETE; status <= SOURCE_SKIPPED; status++)
            assert_non_null(report_status((enum report_lang)lang, (enum source_status)status));
    }
}

static void every_reason_of_screen_and_profiles_has_words(void **state)
{
    static const char *const reasons[] = {
        "third_party_email", "card_number", "iban",      "third_party", "secret", "card", "cvv",
        "duplicate",         "staff_note",  "configured"};
    for (unsigned lang = 0; lang < REPORT_LANGS; lang++)
        for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
            assert_non_null(report_withheld((enum report_lang)lang, reasons[i]));
    assert_string_not_equal(report_withheld(REPORT_EN, "cvv"), report_withheld(REPORT_FR, "cvv"));
    assert_null(report_withheld(REPORT_EN, "works_council"));
}

static void every_gap_of_the_gathering_has_words(void **state)
{
    static const char *const codes[] = {"source_crashed",      "source_protocol",  "source_silent",
                                        "source_start",        "source_timeout",   "source_unreachable",
                                        "source_refused",      "source_answer",    "source_failed",
                                        "upstream_unresolved", "too_many_entries", "circuit_open"};
    for (unsigned lang = 0; lang < REPORT_LANGS; lang++)
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
            assert_non_null(report_gap((enum report_lang)lang, codes[i]));
    assert_null(report_gap(REPORT_EN, "moon_phase"));
    assert_null(report_gap(REPORT_EN, NULL));
}

static void every_right_is_told_in_every_language(void **state)
{
    static const char *const regulations[] = {"gdpr", "ccpa"};
    for (size_t i = 0; i < 2; i++) {
        size_t n;
        const struct report_right *rights = report_rights(regulations[i], &n);
        assert_true(n >= 5);
        for (size_t k = 0; k < n; k++)
            for (unsigned lang = 0; lang < REPORT_LANGS; lang++) {
                assert_non_null(rights[k].name[lang]);
                assert_non_null(rights[k].text[lang]);
            }
    }
}

static void locales_choose_the_language(void **state)
{
    static const struct {
        const char *locale;
        enum report_lang lang;
    } cases[] = {{"fr", REPORT_FR},    {"fr-CH", REPORT_FR}, {"FR_be", REPORT_FR}, {"en", REPORT_EN},
                 {"en-GB", REPORT_EN}, {"fro", REPORT_EN},   {"de", REPORT_EN},    {"", REPORT_EN},
                 {NULL, REPORT_EN},    {"f", REPORT_EN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(report_lang_of(cases[i].locale), cases[i].lang);
}

static void assert_count(enum report_lang lang, uint64_t n, const char *expected)
{
    char text[REPORT_FORMAT_MAX];
    report_count(lang, NOUN_RECORD, n, text);
    assert_string_equal(text, expected);
}

static void counts_have_the_right_plural(void **state)
{
    assert_count(REPORT_EN, 0, "0\u00a0records");
    assert_count(REPORT_EN, 1, "1\u00a0record");
    assert_count(REPORT_EN, 2, "2\u00a0records");
    assert_count(REPORT_EN, 1234567, "1,234,567\u00a0records");
    assert_count(REPORT_FR, 0, "0\u00a0enregistrement");
    assert_count(REPORT_FR, 1, "1\u00a0enregistrement");
    assert_count(REPORT_FR, 2, "2\u00a0enregistrements");
    assert_count(REPORT_FR, UINT64_MAX,
                 "18\u202f446\u202f744\u202f073\u202f709\u202f551\u202f615\u00a0enregistrements");
}

static void sizes_and_dates_are_written_as_people_do(void **state)
{
    char text[REPORT_FORMAT_MAX];
    report_size(REPORT_EN, 999, text);
    assert_string_equal(text, "999\u00a0B");
    report_size(REPORT_EN, 1250, text);
    assert_string_equal(text, "1.2\u00a0kB");
    report_size(REPORT_FR, 1834221, text);
    assert_string_equal(text, "1,8\u00a0Mo");
    report_size(REPORT_FR, 12000000000000000, text);
    assert_string_equal(text, "12\u202f000\u00a0To");
    report_date(REPORT_EN, 1795420800, text);
    assert_string_equal(text, "23\u00a0November\u00a02026, 08:00\u00a0UTC");
    report_date(REPORT_FR, 1795420800, text);
    assert_string_equal(text, "23\u00a0novembre\u00a02026 à 08:00\u00a0UTC");
    report_date(REPORT_FR, 0, text);
    assert_string_equal(text, "1er\u00a0janvier\u00a01970 à 00:00\u00a0UTC");
    report_date(REPORT_EN, 8 * 86400, text);
    assert_string_equal(text, "9\u00a0January\u00a01970, 00:00\u00a0UTC");
}

/* --- the document --- */

static void render(const struct facts *facts, const char *locale, struct buf *out)
{
    struct fault fault;
    const struct report report = {.manifest = &facts->manifest, .locale = locale};
    buf_init(out, 16 << 20);
    assert_int_equal(report_render(&report, write_buf, out, &fault), 0);
    assert_int_equal(strlen(out->data), out->len);
}

static void has(const struct buf *page, const char *text)
{
    if (!strstr(page->data, text))
        fail_msg("the report lacks: %s", text);
}

static void lacks(const struct buf *page, const char *text)
{
    if (strstr(page->data, text))
        fail_msg("the report has: %s", text);
}

static void a_result_is_told_with_its_data(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    facts_identity(&facts, "email", "alice@example.test", "request");
    facts_identity(&facts, "client_id", "4711", "billing");
    struct source_result *billing = facts_source(&facts, "billing", "Billing", SOURCE_COMPLETE);
    struct collection_result *invoices = facts_collection(billing, "invoices", "Invoices", SOURCE_COMPLETE);
    facts_records(&facts, invoices, "billing/invoices.json",
                  ",\n{\"id\":12345678901234567890,\"total\":1.10},\n{\"id\":2,\"total\":3.00}");
    invoices->n_records = 40;
    facts_withheld(&facts, "billing/invoices", "card_number", 2);
    facts_withheld(&facts, "billing/invoices", "works_council", 1);
    render(&facts, "en", &page);
    has(&page, "<html lang=\"en\">");
    has(&page, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
               "'unsafe-inline'\">");
    has(&page, "Example Hosting Ltd");
    has(&page, "privacy@example.test");
    has(&page, "Example Data Authority");
    has(&page, "alice@example.test</bdi> <span class=\"muted\">(from your request)");
    has(&page, "4711</bdi> <span class=\"muted\">(found in Billing)");
    has(&page, "40\u00a0records and 0\u00a0files, from 1\u00a0system");
    has(&page, "2 of 40\u00a0records shown here.");
    has(&page, "<a href=\"billing/invoices.json\"><code>billing/invoices.json</code></a>");
    has(&page, "<td class=\"short\">12345678901234567890</td><td class=\"short\">1.10</td>");
    has(&page, "<td class=\"short\">3.00</td>");
    has(&page, "Card numbers in a text: masked");
    has(&page, "<code>works_council</code>");
    has(&page, "Every system that was searched answered in full.");
    has(&page, "Erasure (Article 17)");
    lacks(&page, "id=\"missing\"");
    buf_wipe(&page);
    render(&facts, "fr-CH", &page);
    has(&page, "<html lang=\"fr\">");
    has(&page, "Copie de vos données personnelles");
    has(&page, "Effacement (article 17)");
    buf_wipe(&page);
    facts.manifest.regulation = "ccpa";
    render(&facts, "de", &page);
    has(&page, "<html lang=\"en\">");
    has(&page, "California Privacy Protection Agency");
    lacks(&page, "Article 17");
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void nothing_found_says_what_was_searched(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    facts_identity(&facts, "email", "nobody@example.test", "request");
    facts_source(&facts, "billing", "Billing", SOURCE_NOT_FOUND);
    facts_source(&facts, "forum", "Forum", SOURCE_NOT_FOUND);
    render(&facts, "en", &page);
    has(&page, "searched 2\u00a0systems and found no personal data about you");
    has(&page, "nobody@example.test");
    has(&page, "Billing</th><td><span class=\"status not_found\">Holds nothing about you");
    has(&page, "Forum</th><td><span class=\"status not_found\">Holds nothing about you");
    has(&page, "Nothing was masked or left out.");
    lacks(&page, "id=\"data\"");
    lacks(&page, "href=\"#data\"");
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void nothing_found_but_not_everything_searched_is_not_called_nothing(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    facts_source(&facts, "billing", "Billing", SOURCE_NOT_FOUND);
    struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_FAILED);
    facts_gap(&forum->gap_code, &forum->gap_text, "source_unreachable", "source forum: refused");
    render(&facts, "en", &page);
    has(&page, "The systems that answered hold no personal data about you.");
    has(&page, "This copy is not complete: 1\u00a0system did not answer in full.");
    lacks(&page, "Nothing was found.");
    lacks(&page, "answered in full.</p>\n<p");
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void gaps_are_told_once_with_their_reasons(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    struct source_result *billing = facts_source(&facts, "billing", "Billing", SOURCE_PARTIAL);
    facts_records(&facts, facts_collection(billing, "invoices", "Invoices", SOURCE_COMPLETE),
                  "billing/invoices.json", ",\n{\"id\":1}");
    struct collection_result *tickets = facts_collection(billing, "tickets", "Tickets", SOURCE_FAILED);
    facts_gap(&tickets->gap_code, &tickets->gap_text, "source_silent", "source billing: silent for 30 s");
    facts_gap(&billing->gap_code, &billing->gap_text, "source_silent", "source billing: silent for 30 s");
    struct source_result *forum = facts_source(&facts, "forum", "Forum", SOURCE_FAILED);
    facts_gap(&forum->gap_code, &forum->gap_text, "moon_phase", "source forum: the moon is wrong");
    render(&facts, "en", &page);
    has(&page, "Billing › Tickets</strong><br>Could not be read. The system stopped answering.");
    assert_int_equal(count(page.data, "Code source_silent · source billing: silent for 30 s"), 1);
    has(&page, "It could not be read, for a technical reason.");
    has(&page, "Code moon_phase · source forum: the moon is wrong");
    has(&page, "This copy is not complete: 2\u00a0systems");
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void hostile_data_stays_text(void **state)
{
    static const char attack[] =
        "</style></title></dd><script>alert(1)</script><img src=x onerror=\"alert(1)\">'";
    struct facts facts;
    struct buf page, records;
    facts_init(&facts);
    facts.manifest.request_id = facts.manifest.controller.name = facts.manifest.controller.contact = attack;
    facts.manifest.controller.complaints = facts.manifest.policy_version = facts.manifest.exporter.source =
        attack;
    facts.manifest.regulation = facts.manifest.exporter.version = attack;
    facts_identity(&facts, attack, attack, attack);
    struct source_result *source = facts_source(&facts, attack, attack, SOURCE_PARTIAL);
    source->purpose = facts_copy(attack);
    buf_init(&records, 4096);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            buf_printf(&records, NULL,
                       ",\n{\"</td><script>a()</script>\":\"<script>b()</script>\",\"c\":\"\\\"'<b>\"}"),
            0);
    facts_records(&facts, facts_collection(source, attack, attack, SOURCE_COMPLETE), attack, records.data);
    facts_records(&facts, facts_collection(source, "list", attack, SOURCE_COMPLETE), attack,
                  ",\n{\"</td><script>a()</script>\":{\"<b>\":[\"<script>b()</script>\"]}}");
    struct collection_result *failed = facts_collection(source, "failed", attack, SOURCE_FAILED);
    facts_gap(&failed->gap_code, &failed->gap_text, attack, attack);
    facts_withheld(&facts, attack, attack, 1);
    render(&facts, attack, &page);
    lacks(&page, "<script");
    lacks(&page, "<img");
    lacks(&page, "<b>");
    lacks(&page, "onerror=\"");
    assert_int_equal(count(page.data, "</style>"), 1);
    assert_int_equal(count(page.data, "</title>"), 1);
    has(&page, "&lt;script&gt;b()&lt;/script&gt;");
    buf_wipe(&records);
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void records_are_tables_when_short_and_lists_otherwise(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    struct source_result *source = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
    facts_records(&facts, facts_collection(source, "flat", "Flat", SOURCE_COMPLETE), "forum/flat.json",
                  ",\n{\"a\":1,\"tags\":[\"x\",\"y\"]},\n{\"tags\":[],\"a\":2},\n{\"a\":null}");
    facts_records(&facts, facts_collection(source, "wide", "Wide", SOURCE_COMPLETE), "forum/wide.json",
                  ",\n{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7},\n{\"a\":8}");
    facts_records(&facts, facts_collection(source, "text", "Text", SOURCE_COMPLETE), "forum/text.json",
                  ",\n{\"a\":\"one\\ntwo\"},\n{\"a\":\"three\"}");
    render(&facts, "en", &page);
    assert_int_equal(count(page.data, "<table class=\"rows\">"), 1);
    has(&page, "<tr><td class=\"short\">1</td><td class=\"short\"><bdi>x</bdi>, <bdi>y</bdi></td></tr>");
    has(&page, "<tr><td class=\"short\">2</td><td class=\"short\"><span class=\"muted\">–</span></td></tr>");
    has(&page, "<tr><td class=\"short\"><span class=\"muted\">–</span></td><td class=\"short\"></td></tr>");
    has(&page, "<dt><bdi>g</bdi></dt><dd>7</dd>");
    has(&page, "<bdi>one\ntwo</bdi>");
    assert_int_equal(count(page.data, "<p class=\"nth\">"), 4);
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void long_values_and_records_are_cut_and_said_to_be(void **state)
{
    struct facts facts;
    struct buf page, records;
    facts_init(&facts);
    struct source_result *source = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
    buf_init(&records, 1 << 20);
    assert_int_equal(buf_append_text(&records, ",\n{\"long\":\"x", NULL), 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(buf_append_text(&records, "é", NULL), 0);
    assert_int_equal(buf_append_text(&records, "\"", NULL), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_printf(&records, NULL, ",\"k%d\":%d", i, i), 0);
    assert_int_equal(buf_append_text(&records, "}", NULL), 0);
    facts_records(&facts, facts_collection(source, "posts", "Posts", SOURCE_COMPLETE), "forum/posts.json",
                  records.data);
    render(&facts, "en", &page);
    assert_int_equal(count(page.data, "éé"), 999 / 2);
    has(&page, "é</bdi>… <span class=\"muted\">(continues in the file)");
    has(&page, "<dt><bdi>k198</bdi></dt>");
    lacks(&page, "<dt><bdi>k199</bdi></dt>");
    has(&page, "101\u00a0values more in the file");
    lacks(&page, "\ufffd");
    buf_wipe(&records);
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void a_record_too_large_for_the_preview_is_pointed_at(void **state)
{
    struct facts facts;
    struct buf page;
    facts_init(&facts);
    struct source_result *source = facts_source(&facts, "forum", "Forum", SOURCE_COMPLETE);
    struct collection_result *posts = facts_collection(source, "posts", "Posts", SOURCE_COMPLETE);
    facts_records(&facts, posts, "forum/posts.json", "");
    posts->n_records = 1;
    render(&facts, "en", &page);
    has(&page, "0 of 1\u00a0record shown here. All records: <a href=\"forum/posts.json\">");
    buf_wipe(&page);
    facts_wipe(&facts);
}

static void a_writer_that_fails_ends_the_report(void **state)
{
    struct facts facts;
    struct fault fault;
    facts_init(&facts);
    facts_source(&facts, "forum", "Forum", SOURCE_NOT_FOUND);
    const struct report report = {.manifest = &facts.manifest, .locale = "en"};
    for (int writes = 0; writes < 2; writes++) {
        int left = writes;
        assert_int_equal(report_render(&report, write_nothing, &left, &fault), -1);
        assert_string_equal(fault.code, "disk_full");
        assert_int_equal(left, -1); /* not asked again */
    }
    facts_wipe(&facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_markup),
        cmocka_unit_test(what_hides_or_reorders_is_made_visible),
        cmocka_unit_test(invalid_utf8_is_replaced_byte_by_byte),
        cmocka_unit_test(only_safe_paths_become_links),
        cmocka_unit_test(long_documents_leave_in_order_and_whole),
        cmocka_unit_test(every_text_exists_in_every_language_with_the_same_places),
        cmocka_unit_test(every_reason_of_screen_and_profiles_has_words),
        cmocka_unit_test(every_gap_of_the_gathering_has_words),
        cmocka_unit_test(every_right_is_told_in_every_language),
        cmocka_unit_test(locales_choose_the_language),
        cmocka_unit_test(counts_have_the_right_plural),
        cmocka_unit_test(sizes_and_dates_are_written_as_people_do),
        cmocka_unit_test(a_result_is_told_with_its_data),
        cmocka_unit_test(nothing_found_says_what_was_searched),
        cmocka_unit_test(nothing_found_but_not_everything_searched_is_not_called_nothing),
        cmocka_unit_test(gaps_are_told_once_with_their_reasons),
        cmocka_unit_test(hostile_data_stays_text),
        cmocka_unit_test(records_are_tables_when_short_and_lists_otherwise),
        cmocka_unit_test(long_values_and_records_are_cut_and_said_to_be),
        cmocka_unit_test(a_record_too_large_for_the_preview_is_pointed_at),
        cmocka_unit_test(a_writer_that_fails_ends_the_report),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
