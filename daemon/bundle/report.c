#include "bundle/report.h"

#include "bundle/report_parts.h"
#include "screen/ledger.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

static void head(struct page *page)
{
    struct html *html = &page->html;
    html_raw(html, "<!DOCTYPE html>\n<html lang=\"");
    html_raw(html, report_lang_tag(page->lang));
    html_raw(html, "\">\n<head>\n<meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                   "'unsafe-inline'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                   "<meta name=\"color-scheme\" content=\"light dark\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    part_words(page, TEXT_TITLE);
    html_raw(html, "</title>\n<style>\n");
    for (size_t i = 0; report_style[i]; i++)
        html_raw(html, report_style[i]);
    html_raw(html, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">");
    part_words(page, TEXT_SKIP);
    html_raw(html, "</a>\n");
}

static void banner(struct page *page)
{
    struct html *html = &page->html;
    char date[REPORT_FORMAT_MAX];
    report_date(page->lang, page->manifest->completed_unix_s, date);
    html_raw(html, "<header>\n<p class=\"from\">");
    html_text(html, page->manifest->controller.name);
    html_raw(html, "</p>\n<h1>");
    part_words(page, TEXT_TITLE);
    html_raw(html, "</h1>\n<p class=\"date\">");
    html_fill(html, report_text(page->lang, TEXT_PREPARED), (const char *[]){date});
    html_raw(html, "</p>\n</header>\n");
}

struct sums {
    uint64_t searched, giving, incomplete, left_out;
};

static struct sums sums_of(const struct page *page)
{
    const struct gather_result *result = page->manifest->result;
    struct sums sums = {0};
    for (size_t i = 0; i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        uint64_t things = 0;
        for (size_t k = 0; k < source->n_collections; k++)
            things += source->collections[k].n_records + source->collections[k].n_files;
        sums.searched += source->status != SOURCE_SKIPPED;
        sums.giving += things != 0;
        sums.incomplete += source->status == SOURCE_PARTIAL || source->status == SOURCE_FAILED;
    }
    size_t i;
    json_t *line;
    json_array_foreach (page->withheld, i, line)
        sums.left_out += (uint64_t)json_integer_value(json_object_get(line, "count"));
    return sums;
}

static void stat(struct page *page, enum report_noun noun, uint64_t n)
{
    char number[REPORT_FORMAT_MAX];
    report_number(page->lang, n, number);
    html_raw(&page->html, "<li><strong>");
    html_text(&page->html, number);
    html_raw(&page->html, "</strong> ");
    html_text(&page->html, report_noun(page->lang, noun, n));
    html_raw(&page->html, "</li>\n");
}

static void lead(struct page *page, const struct sums *sums)
{
    struct html *html = &page->html;
    const char *controller = page->manifest->controller.name;
    char records[REPORT_FORMAT_MAX], files[REPORT_FORMAT_MAX], systems[REPORT_FORMAT_MAX];
    bool empty = part_is_empty(page);
    html_raw(html, "<p class=\"lead\">");
    if (empty && part_has_gaps(page)) {
        part_words(page, TEXT_NOTHING_PARTIAL);
    } else if (empty) {
        report_count(page->lang, NOUN_SYSTEM, sums->searched, systems);
        html_fill(html, report_text(page->lang, TEXT_NOTHING), (const char *[]){controller, systems});
    } else {
        report_count(page->lang, NOUN_RECORD, gather_result_records(page->manifest->result), records);
        report_count(page->lang, NOUN_FILE, gather_result_files(page->manifest->result), files);
        report_count(page->lang, NOUN_SYSTEM, sums->giving, systems);
        html_fill(html, report_text(page->lang, TEXT_LEAD),
                  (const char *[]){controller, records, files, systems});
    }
    html_raw(html, "</p>\n");
}

static void coverage(struct page *page, const struct sums *sums)
{
    struct html *html = &page->html;
    if (!part_has_gaps(page)) {
        html_raw(html, "<p class=\"note good\">");
        part_words(page, TEXT_COMPLETE);
        html_raw(html, "</p>\n");
        return;
    }
    char systems[REPORT_FORMAT_MAX];
    report_count(page->lang, NOUN_SYSTEM, sums->incomplete, systems);
    html_raw(html, "<p class=\"note warn\">");
    html_fill(html, report_text(page->lang, TEXT_PARTIAL), (const char *[]){systems});
    html_raw(html, " <a href=\"#missing\">");
    part_words(page, TEXT_SEE_MISSING);
    html_raw(html, "</a></p>\n");
}

static void summary(struct page *page)
{
    const struct sums sums = sums_of(page);
    lead(page, &sums);
    html_raw(&page->html, "<ul class=\"stats\">\n");
    stat(page, NOUN_RECORD, gather_result_records(page->manifest->result));
    stat(page, NOUN_FILE, gather_result_files(page->manifest->result));
    stat(page, NOUN_SEARCHED, sums.searched);
    stat(page, NOUN_LEFT_OUT, sums.left_out);
    html_raw(&page->html, "</ul>\n");
    coverage(page, &sums);
}

enum shown { ALWAYS, WITH_GAPS, WITH_DATA };

static const struct section {
    const char *id;
    enum report_text heading;
    enum shown shown;
    void (*write)(struct page *page);
} sections[] = {
    {"who", TEXT_WHO, ALWAYS, report_who},
    {"asked", TEXT_ASKED, ALWAYS, report_asked},
    {"searched", TEXT_SEARCHED, ALWAYS, report_searched},
    {"missing", TEXT_MISSING, WITH_GAPS, report_missing},
    {"found", TEXT_FOUND, WITH_DATA, report_found},
    {"data", TEXT_DATA, WITH_DATA, report_data},
    {"withheld", TEXT_WITHHELD, ALWAYS, report_left_out},
    {"rights", TEXT_RIGHTS, ALWAYS, report_your_rights},
    {"reading", TEXT_READING, ALWAYS, report_reading},
};

#define N_SECTIONS (sizeof sections / sizeof *sections)

static bool is_shown(const struct page *page, const struct section *section)
{
    return section->shown == ALWAYS || (section->shown == WITH_GAPS && part_has_gaps(page)) ||
           (section->shown == WITH_DATA && !part_is_empty(page));
}

static void contents(struct page *page)
{
    struct html *html = &page->html;
    html_raw(html, "<nav aria-labelledby=\"contents\">\n<h2 id=\"contents\">");
    part_words(page, TEXT_CONTENTS);
    html_raw(html, "</h2>\n<ol>\n");
    for (size_t i = 0; i < N_SECTIONS; i++) {
        if (!is_shown(page, &sections[i]))
            continue;
        html_raw(html, "<li><a href=\"#");
        html_raw(html, sections[i].id);
        html_raw(html, "\">");
        part_words(page, sections[i].heading);
        html_raw(html, "</a></li>\n");
    }
    html_raw(html, "</ol>\n</nav>\n");
}

static void foot(struct page *page)
{
    struct html *html = &page->html;
    const struct manifest *manifest = page->manifest;
    html_raw(html, "<footer>\n<p>");
    html_fill(html, report_text(page->lang, TEXT_FOOT), (const char *[]){manifest->request_id});
    html_raw(html, " · ");
    html_fill(html, report_text(page->lang, TEXT_POLICY), (const char *[]){manifest->policy_version});
    html_raw(html, " · ");
    html_fill(html, report_text(page->lang, TEXT_MADE_BY),
              (const char *[]){manifest->exporter.source, manifest->exporter.version});
    html_raw(html, "</p>\n</footer>\n</body>\n</html>\n");
}

static void document(struct page *page)
{
    head(page);
    banner(page);
    html_raw(&page->html, "<main id=\"content\">\n");
    summary(page);
    contents(page);
    for (size_t i = 0; i < N_SECTIONS; i++) {
        if (!is_shown(page, &sections[i]))
            continue;
        part_open(page, sections[i].id, sections[i].heading);
        sections[i].write(page);
        part_close(page);
    }
    html_raw(&page->html, "</main>\n");
    foot(page);
}

int report_render(const struct report *report,
                  int (*write_cb)(void *ctx, const void *data, size_t len, struct fault *fault), void *ctx,
                  struct fault *fault)
{
    int result = -1;
    json_t *withheld = ledger_json(report->manifest->result->withheld);
    struct page *page = calloc(1, sizeof *page);
    if (!page || !withheld) {
        fault_retry(fault, "no_memory", "no memory for the report");
        goto free_page;
    }
    page->lang = report_lang_of(report->locale);
    page->manifest = report->manifest;
    page->withheld = withheld;
    if (report_fields_new(&page->fields, fault))
        goto free_page;
    html_begin(&page->html, write_cb, ctx, fault);
    document(page);
    result = html_end(&page->html);
    report_fields_free(page->fields);
free_page:
    free(page);
    json_decref(withheld);
    return result;
}
