#include "bundle/report_parts.h"

#include <stdio.h>

static bool has_things(const struct collection_result *collection)
{
    return collection->n_records || collection->n_files;
}

static bool gives_things(const struct source_result *source)
{
    for (size_t i = 0; i < source->n_collections; i++)
        if (has_things(&source->collections[i]))
            return true;
    return false;
}

/* The anchor of a collection: by place, since names may need escaping. */
static void anchor(struct html *html, size_t source, size_t collection)
{
    char id[64];
    snprintf(id, sizeof id, "data-%zu-%zu", source + 1, collection + 1);
    html_raw(html, id);
}

static void number_cell(struct html *html, const char *text)
{
    html_raw(html, "<td class=\"number\">");
    html_text(html, text);
    html_raw(html, "</td>");
}

static void sum_cells(struct page *page, uint64_t n_records, uint64_t n_files, uint64_t bytes)
{
    char text[REPORT_FORMAT_MAX];
    report_number(page->lang, n_records, text);
    number_cell(&page->html, text);
    report_number(page->lang, n_files, text);
    number_cell(&page->html, text);
    report_size(page->lang, bytes, text);
    number_cell(&page->html, text);
    html_raw(&page->html, "</tr>\n");
}

static void found_row(struct page *page, size_t i, size_t k)
{
    struct html *html = &page->html;
    const struct collection_result *collection = &page->manifest->result->sources[i].collections[k];
    html_raw(html, "<tr><th scope=\"row\">");
    if (has_things(collection)) {
        html_raw(html, "<a href=\"#");
        anchor(html, i, k);
        html_raw(html, "\">");
        html_text(html, collection->title);
        html_raw(html, "</a>");
    } else {
        html_text(html, collection->title);
    }
    html_raw(html, "</th>");
    sum_cells(page, collection->n_records, collection->n_files, collection->bytes);
}

static uint64_t found_source(struct page *page, size_t i)
{
    const struct source_result *source = &page->manifest->result->sources[i];
    uint64_t bytes = 0;
    html_raw(&page->html, "<tbody>\n<tr><th scope=\"rowgroup\" colspan=\"4\">");
    html_text(&page->html, source->title);
    html_raw(&page->html, "</th></tr>\n");
    for (size_t k = 0; k < source->n_collections; k++) {
        if (!has_things(&source->collections[k]) && source->collections[k].status != SOURCE_COMPLETE)
            continue;
        found_row(page, i, k);
        bytes += source->collections[k].bytes;
    }
    html_raw(&page->html, "</tbody>\n");
    return bytes;
}

void report_found(struct page *page)
{
    static const enum report_text columns[] = {TEXT_COLLECTION, TEXT_RECORDS, TEXT_FILES, TEXT_SIZE};
    const struct gather_result *result = page->manifest->result;
    uint64_t bytes = 0;
    part_paragraph(page, TEXT_FOUND_INTRO);
    html_raw(&page->html, "<table class=\"sums\">\n");
    part_row_head(page, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < result->n_sources; i++)
        if (gives_things(&result->sources[i]))
            bytes += found_source(page, i);
    html_raw(&page->html, "<tfoot><tr><th scope=\"row\">");
    part_words(page, TEXT_TOTAL);
    html_raw(&page->html, "</th>");
    sum_cells(page, gather_result_records(result), gather_result_files(result), bytes);
    html_raw(&page->html, "</tfoot>\n</table>\n");
}

static void where_records_are(struct page *page, const struct collection_result *collection)
{
    struct html *html = &page->html;
    char shown[REPORT_FORMAT_MAX], all[REPORT_FORMAT_MAX];
    report_number(page->lang, collection->preview ? preview_n_records(collection->preview) : 0, shown);
    report_count(page->lang, NOUN_RECORD, collection->n_records, all);
    html_raw(html, "<p>");
    html_fill(html, report_text(page->lang, TEXT_SHOWN), (const char *[]){shown, all});
    if (collection->entry) {
        html_raw(html, " ");
        part_words(page, TEXT_ALL_RECORDS_IN);
        html_raw(html, " ");
        html_entry_link(html, collection->entry);
    }
    html_raw(html, "</p>\n");
}

static void where_files_are(struct page *page, const struct collection_result *collection)
{
    struct html *html = &page->html;
    char files[REPORT_FORMAT_MAX];
    report_count(page->lang, NOUN_FILE, collection->n_files, files);
    html_raw(html, "<p>");
    html_fill(html, report_text(page->lang, TEXT_FILES_IN), (const char *[]){files});
    html_raw(html, " ");
    if (collection->files)
        html_entry_link(html, collection->files);
    html_raw(html, "</p>\n");
}

static void collection_data(struct page *page, size_t i, size_t k)
{
    struct html *html = &page->html;
    const struct collection_result *collection = &page->manifest->result->sources[i].collections[k];
    html_raw(html, "<h4 id=\"");
    anchor(html, i, k);
    html_raw(html, "\">");
    html_text(html, collection->title);
    html_raw(html, "</h4>\n<p class=\"muted\">");
    html_fill(html, report_text(page->lang, TEXT_CATEGORY), (const char *[]){collection->category});
    html_raw(html, "</p>\n");
    if (collection->n_records) {
        where_records_are(page, collection);
        if (collection->preview)
            report_rows(page, collection);
    }
    if (collection->n_files)
        where_files_are(page, collection);
}

void report_data(struct page *page)
{
    const struct gather_result *result = page->manifest->result;
    for (size_t i = 0; i < result->n_sources; i++) {
        const struct source_result *source = &result->sources[i];
        if (!gives_things(source))
            continue;
        html_raw(&page->html, "<h3>");
        html_text(&page->html, source->title);
        html_raw(&page->html, "</h3>\n");
        for (size_t k = 0; k < source->n_collections; k++)
            if (has_things(&source->collections[k]))
                collection_data(page, i, k);
    }
}
